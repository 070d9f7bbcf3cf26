"""What a git revision, or the workspace, says of its build: params, figures, lock file and, from DVC's cache, answers."""

import csv
import io
import json
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from stages.errors import InputError, ParamsError, SecForgeError
from stages.experiments.load import resolved
from stages.experiments.workspace import dvc
from stages.register.workspace import dvc_hash

WORKSPACE = "."
PREDICTIONS = "data/evaluate/predictions.parquet"
COMPOSITION = "metrics/validate_composition.csv"
Test = tuple[str, str, str]  # benchmark, protocol, system
ANSWER_COLUMNS = ["benchmark", "protocol", "system", "item_id", "correct"]


class Revision:
    """The build at `name` (a commit, tag or branch; `.` is the workspace) of the repository at `root`."""

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root.resolve(), name
        self.commit = "" if name == WORKSPACE else _commit(self.root, name)
        if not self._files("metrics"):
            raise InputError(
                f"{self.shown} holds no metrics.",
                allowed="a revision that was built: metrics/*.json, dvc.lock and params.yaml in git",
                remedy="`dvc repro`, then commit metrics, dvc.lock and params.yaml there; or name another revision.",
            )

    @property
    def shown(self) -> str:
        """Its name for people."""
        return "the workspace" if self.name == WORKSPACE else f"{self.name} ({self.commit[:10]})"

    @cached_property
    def raw_params(self) -> dict[str, Any]:
        """params.yaml as it stands there."""
        return self._yaml("params.yaml")

    @cached_property
    def params(self) -> dict[str, Any] | None:
        """Params with the defaults of today's code; None if today's code does not know a key of them."""
        try:
            return resolved(self.raw_params, f"params.yaml of {self.shown}")
        except ParamsError:
            return None

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Figures by stage."""
        return {Path(path).stem: self._json(path) for path in self._files("metrics")}

    @cached_property
    def timings(self) -> dict[str, Any]:
        """Figures of the machine by stage."""
        return {Path(path).stem: self._json(path) for path in self._files("metrics/timings")}

    @cached_property
    def outputs(self) -> dict[str, dict[str, str]]:
        """Hash of every output of a stage, by stage and path; in the workspace that of the bytes that lie there, if any do."""
        stages = self._yaml("dvc.lock").get("stages") or {}
        return {
            name: {out["path"]: self._hash(out) for out in stage.get("outs") or [] if "md5" in out}
            for name, stage in stages.items()
        }

    @property
    def answers_hash(self) -> str:
        """Under which DVC holds the answers; empty for a build without."""
        return next((outs[PREDICTIONS] for outs in self.outputs.values() if PREDICTIONS in outs), "")

    @cached_property
    def composition(self) -> list[dict[str, str]]:
        """Lines of the composition table; empty if the build has none."""
        return list(csv.DictReader(io.StringIO(self._read(COMPOSITION) or "")))

    @cached_property
    def answers(self) -> dict[Test, dict[str, bool]]:
        """Whether each item was answered right; empty if the answers are neither here, nor in the cache, nor in a remote."""
        if not self.answers_hash:
            return {}
        with tempfile.TemporaryDirectory() as folder:
            try:
                return _read_answers(self._fetched(Path(folder)))
            except (SecForgeError, OSError):
                return {}

    def _hash(self, out: dict[str, str]) -> str:
        return (self.name == WORKSPACE and dvc_hash(self.root / out["path"])) or out["md5"]

    def _fetched(self, folder: Path) -> Path:
        if self.name == WORKSPACE:
            return self.root / PREDICTIONS
        file = folder / "predictions.parquet"
        dvc(self.root, "get", str(self.root), PREDICTIONS, "--rev", self.commit, "--out", str(file))
        return file

    def _files(self, folder: str) -> list[str]:
        """JSON files that lie in `folder` itself."""
        if self.name == WORKSPACE:
            return [path.relative_to(self.root).as_posix() for path in sorted((self.root / folder).glob("*.json"))]
        listed = git(self.root, "ls-tree", "--name-only", self.commit, f"{folder}/").splitlines()
        return sorted(path for path in listed if path.endswith(".json"))

    def _read(self, path: str) -> str | None:
        if self.name == WORKSPACE:
            file = self.root / path
            return file.read_text(encoding="utf-8") if file.exists() else None
        command = ["git", "show", f"{self.commit}:{path}"]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def _json(self, path: str) -> dict[str, Any]:
        try:
            found = json.loads(self._read(path) or "{}")
        except ValueError as error:
            raise InputError(
                f"{path} of {self.shown} is not JSON: {error}", remedy=f"Build `{Path(path).stem}` again."
            ) from error
        return found if isinstance(found, dict) else {}

    def _yaml(self, path: str) -> dict[str, Any]:
        from ruamel.yaml import YAML, YAMLError

        try:
            return YAML(typ="safe", pure=True).load(self._read(path) or "{}") or {}
        except YAMLError as error:
            raise InputError(
                f"{path} of {self.shown} is not YAML: {error}", remedy="Mend it, or name another revision."
            ) from error


def git(root: Path, *arguments: str) -> str:
    """Output of a git command; raises InputError with its last words."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"`git {' '.join(arguments)}` failed: {done.stderr.strip()}", remedy="Run it in a git repository.")
    return done.stdout


def _commit(root: Path, name: str) -> str:
    git(root, "rev-parse", "--git-dir")
    command = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        known = git(root, "for-each-ref", "--format=%(refname:short)", "--count=12", "refs/heads", "refs/tags").split()
        raise InputError(
            f"git knows no revision {name!r}.",
            allowed=", ".join(["HEAD", *known, ". (the workspace)"]),
            remedy="Name one of them, or a commit.",
        )
    return done.stdout.strip()


def _read_answers(path: Path) -> dict[Test, dict[str, bool]]:
    import pyarrow.parquet as parquet

    found: dict[Test, dict[str, bool]] = {}
    for row in parquet.read_table(path, columns=ANSWER_COLUMNS).to_pylist():
        own = found.setdefault((row["benchmark"], row["protocol"], row["system"]), {})
        own[row["item_id"]] = row["correct"]
    return found
