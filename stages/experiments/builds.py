"""What a commit or an experiment holds: its params, metrics, lock file and, from DVC's cache, its tables."""

import json
import subprocess
from pathlib import Path
from typing import Any

from stages.errors import InputError
from stages.experiments.load import resolved
from stages.experiments.workspace import FOLDER, dvc

PREDICTIONS, ROWS = "data/evaluate/predictions.parquet", "data/enrich/rows.parquet"
TRAINING, MODEL = "data/validate/train.parquet", "models/finetune/merged"


class Build:
    """The build at `revision` of the repository at `root`."""

    def __init__(self, root: Path, revision: str) -> None:
        self.root, self.revision = root.resolve(), revision
        self.params = resolved(self._yaml("params.yaml"), f"params.yaml of {revision[:10]}")
        stages = self._yaml("dvc.lock").get("stages") or {}
        self.hashes = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", []) if "md5" in out}

    def metrics(self, name: str) -> dict[str, Any]:
        """`metrics/<name>.json`; empty if the build has none."""
        text = self._show(f"metrics/{name}.json")
        return json.loads(text) if text else {}

    def columns(self, path: str, names: list[str]) -> list[dict[str, Any]]:
        """Some columns of a table of the build, as rows; empty if the build has no such table. Equal bytes are fetched once."""
        import pyarrow.parquet as parquet

        if path not in self.hashes:
            return []
        file = self.root / FOLDER / "tables" / f"{self.hashes[path]}.parquet"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            dvc(self.root, "get", str(self.root), path, "--rev", self.revision, "--out", str(part), "--force")
            part.replace(file)
        return parquet.read_table(file, columns=names).to_pylist()

    def _yaml(self, path: str) -> dict[str, Any]:
        from ruamel.yaml import YAML

        text = self._show(path)
        if not text:
            raise InputError(
                f"{self.revision[:10]} holds no {path}.", remedy="`dvc repro`, then commit params.yaml, dvc.lock and metrics."
            )
        return YAML(typ="safe", pure=True).load(text)

    def _show(self, path: str) -> str:
        command = ["git", "show", f"{self.revision}:{path}"]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""
