"""Smoke tests: a variant that cannot be reloaded, or says nothing, never reaches evaluation."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

import stages
from stages.errors import SecForgeError
from stages.quantize.schema import SmokeAnswer, SmokeRequest

PROMPTS = Path(__file__).with_name("prompts.txt")


class SmokeError(SecForgeError):
    """A model just written does not load or does not speak."""


def fixed_prompts() -> list[str]:
    """The prompts that variants are compared on, one a line."""
    return [line for line in PROMPTS.read_text(encoding="utf-8").splitlines() if line.strip()]


def run_smoke(request: SmokeRequest, timeout: float) -> SmokeAnswer:
    """Try a model in a fresh process. Raises SmokeError with the last lines of what that process said."""
    with tempfile.TemporaryDirectory(prefix="secforge-smoke-") as folder:
        asked, answered = Path(folder) / "request.json", Path(folder) / "answer.json"
        asked.write_bytes(msgspec.json.encode(request))
        command = [sys.executable, "-m", "stages.quantize.smoke", str(asked), str(answered)]
        try:
            done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            raise SmokeError(
                f"{request.folder}: the smoke test has run for {timeout:g} s.",
                remedy="Raise quantize.timeout, or free the machine, and run `dvc repro quantize` again.",
            ) from None
        if done.returncode != 0 or not answered.is_file():
            said = " | ".join(done.stderr.strip().splitlines()[-3:])
            raise SmokeError(
                f"{request.folder}: the model cannot be reloaded and run (exit {done.returncode}): {said}",
                remedy="Run `dvc repro -f quantize`; if it fails again, check the bitsandbytes version against pyproject.toml.",
            )
        return check_answer(request.folder, msgspec.json.decode(answered.read_bytes(), type=SmokeAnswer))


def check_answer(folder: str, answer: SmokeAnswer) -> SmokeAnswer:
    """The answer itself, if all logits are finite and at least one continuation has text; else SmokeError."""
    remedy = "Look at metrics/finetune_loss.csv: a lost training run shows here first."
    if not answer.finite:
        raise SmokeError(f"{folder}: the reloaded model gives logits that are not finite.", remedy=remedy)
    if not any(text.strip() for text in answer.texts):
        raise SmokeError(f"{folder}: the reloaded model says nothing on {len(answer.texts)} prompts.", remedy=remedy)
    return answer


def _environment() -> dict[str, str]:
    """This process's variables, with the package importable from any working directory."""
    root = str(Path(next(iter(stages.__path__))).resolve().parent)
    return os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}
