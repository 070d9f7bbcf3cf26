"""A temporary git + DVC repository that holds the real stages and a toy corpus, model and server."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.fake_openai import FakeOpenAI
from tests.tiny_encoder import make_tiny_encoder
from tests.tiny_model import make_tiny_model
from tests.toy.build import toy_params

ROOT = Path(__file__).resolve().parents[2]
KEY_VARIABLE, CANARY = "SECFORGE_TEST_KEY", "sk-canary-5b0c9f27e1d84a6c"

SMALL: dict[str, Any] = {
    "tasks": {"max_rows_per_task": 40},
    "llm": {
        "teacher": {
            "provider": "openai",
            "model": "fake-teacher",
            "temperature": 0.2,
            "repetition_penalty": 1.0,
            "max_tokens": 512,
        },
        "judge": {"provider": "openai", "model": "fake-judge", "temperature": 0.0, "repetition_penalty": 1.0, "max_tokens": 64},
    },
    "ground": {"rows": 40},
    "finetune": {"max_tokens": 3000, "epochs": 1},
    "evaluate": {"baseline_items": 24},
}


class ToyRepository:
    """The repository at `root`; its model server is `server`."""

    def __init__(self, root: Path, server_url: str, changes: dict[str, Any] | None = None) -> None:
        self.root = root
        root.mkdir(parents=True)
        shutil.copytree(ROOT / "stages", root / "stages", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("dvc.yaml", "params.yaml", ".gitignore"):
            shutil.copy(ROOT / name, root / name)
        (root / ".dvc").mkdir()
        for name in ("config", ".gitignore"):
            shutil.copy(ROOT / ".dvc" / name, root / ".dvc" / name)
        shutil.copytree(ROOT / ".dvc" / "plots", root / ".dvc" / "plots")
        (root / "data" / "own").mkdir(parents=True)
        for name in ("README.md", ".gitignore"):
            shutil.copy(ROOT / "data" / "own" / name, root / "data" / "own" / name)
        (root / "metrics").mkdir()
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(root),
            KEY_VARIABLE: CANARY,
            "SECFORGE_DOWNLOADS": str(root.parent / "downloads"),
            "HF_HUB_OFFLINE": "1",
            "CUDA_VISIBLE_DEVICES": "",
        }
        endpoint = {"base_url": server_url, "api_key_env": KEY_VARIABLE, "max_concurrency": 16}
        model = make_tiny_model(root.parent / f"{root.name}-tiny-model")
        params = toy_params(root.parent / f"{root.name}-mirror")
        params["base"] = {"kind": "folder", "path": str(model)}
        encoder = make_tiny_encoder(root.parent / f"{root.name}-tiny-encoder")
        params["encoder"] = {"kind": "folder", "path": str(encoder), "dimensions": 16}
        runs = [run for run in params["evaluate"]["runs"] if run["benchmark"] != "secforge-weakness-impact"]
        params["evaluate"]["runs"] = runs  # toy weaknesses have too few impacts for four options
        for run in runs:
            run["items"] = 24
        _merge(params, SMALL)
        _merge(params, {"runtime": {"endpoints": {"teacher": [endpoint], "judge": [endpoint]}}})
        _merge(params, changes or {})
        self.write_params(params)
        self.git("init", "-q")
        self.commit("toy repository")

    def clone(self, root: Path) -> "ToyRepository":
        """A fresh `git clone` at `root`: no data, no models, no cache."""
        subprocess.run(["git", "clone", "-q", str(self.root), str(root)], check=True)
        other = copy.copy(self)
        other.root, other.environment = root, {**self.environment, "PYTHONPATH": str(root)}
        return other

    def change_params(self, change: dict[str, Any]) -> None:
        """Merge `change` into params.yaml."""
        params = YAML(typ="safe", pure=True).load((self.root / "params.yaml").read_text(encoding="utf-8"))
        _merge(params, change)
        self.write_params(params)

    def write_params(self, params: dict[str, Any]) -> None:
        with (self.root / "params.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(params, file)

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Toy", "-c", "user.email=toy@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def restore(self) -> None:
        """Everything as it was committed: tracked files from git, outputs from DVC's cache."""
        self.git("checkout", "--", ".")
        self.dvc("checkout", "-q")

    def dvc(self, *arguments: str, check: bool = True, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """Run a dvc command; a failure shows its output."""
        done = subprocess.run(
            ["dvc", *arguments], cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )
        assert not check or done.returncode == 0, f"dvc {arguments}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        return done

    def json(self, path: str) -> Any:
        return json.loads((self.root / path).read_text(encoding="utf-8"))

    def locked_outputs(self) -> dict[str, str]:
        """Hash of every output by path, as dvc.lock records them."""
        lock = YAML(typ="safe", pure=True).load((self.root / "dvc.lock").read_text(encoding="utf-8"))
        return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage.get("outs", [])}


def ran(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The stages that a `dvc repro` executed, in order."""
    lines = (done.stdout + done.stderr).splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage '")]


def start_server() -> FakeOpenAI:
    """A server whose answers follow the prompts of the stages, with some that must be caught."""
    from tests.fake_teacher import behaviour

    return FakeOpenAI(behaviour=behaviour)


def _merge(target: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value
