"""Reports of prompt injection, which no stage makes: they count only if they are of the very model that is registered.

`python -m stages.evaluate run --benchmark cyberseceval-prompt-injection --model models/finetune/merged
--out FILE --report metrics/injection_finetuned.json`, then `git add` and `git commit` of the report.
"""

import json
from pathlib import Path

from stages.errors import InputError
from stages.register.model_card import tuned_outputs
from stages.register.params import INJECTION
from stages.register.workspace import Build

PREFIX = "injection_"


def refuse_foreign_reports(root: Path, build: Build) -> None:
    """Raise InputError if a report metrics/injection_VARIANT.json is of another benchmark or of other weights."""
    folders = tuned_outputs(build)
    for path in sorted((root / "metrics").glob(f"{PREFIX}*.json")):
        variant = path.stem.removeprefix(PREFIX)
        if variant not in folders:
            raise InputError(f"{path.relative_to(root)} names no variant of this build.", allowed=", ".join(sorted(folders)))
        said = _said(path)
        own = {"benchmark": INJECTION, "model": _identity(root / folders[variant])}
        differing = [f"{key} {said.get(key)!r} instead of {value!r}" for key, value in own.items() if said.get(key) != value]
        if differing:
            raise InputError(
                f"{path.relative_to(root)} is not of this build's {variant}: {', '.join(differing)}.",
                remedy=f"`python -m stages.evaluate run --benchmark {INJECTION} --model {folders[variant]} --out FILE "
                f"--report {path.relative_to(root)}`, then commit it; or remove it.",
            )


def _said(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}", remedy="Make it again, or remove it.") from error
    return found if isinstance(found, dict) else {}


def _identity(folder: Path) -> str:
    """As `python -m stages.evaluate run` names the model of a folder."""
    from stages.base.location import hash_model

    return f"sha256:{hash_model(folder)}"
