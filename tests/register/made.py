"""Registered versions without a build: figures and answers as a test wants them, in a real MLflow store."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from stages.evaluate.schema import Prediction
from stages.register.collect import Record
from stages.register.record import register
from stages.register.store import open_store
from stages.register.workspace import PREDICTIONS, Build
from stages.state import state_dir
from stages.tables import write_table

PARAMS = """
register:
  gates:
    benchmarks: {least_items: 100, required: [[secforge-mcq, loglikelihood]]}
runtime: {mlflow_uri: "URI"}
"""
METRICS: dict[str, Any] = {
    "enrich": {
        "kept": {"rows": 40, "with_key": 30, "invented_ids": 0, "unsupported_ids": 0, "keys_lost": 0},
        "decisions": {"rewritten": 40},
    },
    "validate": {
        "suites": {"rows": {"failed_critical": 0}, "train": {"failed_critical": 0}},
        "contamination": {"status": "checked", "benchmarks": {"secforge-mcq": {"rows_dropped": 3}}},
    },
    "quantize": {"merged": {"bytes_on_disk": 270_000_000}},
    "timings/evaluate": {"secforge-mcq": {"loglikelihood": {"finetuned": {"p95_seconds": 2.0}}}},
}
COMPOSITION = "family,source,licence,type,rows\nattack,attack,LicenseRef-MITRE-ATTACK + Apache-2.0,identifier,12\n"

GOOD, BETTER, WORSE = "1" * 80 + "0" * 80, "1" * 100 + "0" * 60, "1" * 60 + "0" * 100  # of 160 items
AS_SOMEBODY = ("-c", "user.name=Builder", "-c", "user.email=builder@example.org")


def make_root(folder: Path, uri: str = "") -> Path:
    """A git repository with params and nothing else; its store is SQLite in its state folder unless `uri` names a server."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(PARAMS.replace("URI", uri))
    for command in (["init", "-q"], ["add", "params.yaml"], [*AS_SOMEBODY, "commit", "-q", "-m", "params"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder


def copy_root(source: Path, target: Path) -> Path:
    """A copy of a workspace with its SQLite store, whose runs keep their files in the copy."""
    shutil.copytree(source, target)
    with closing(sqlite3.connect(state_dir(target) / "mlflow.db")) as store:
        for table, column in (
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("logged_models", "artifact_location"),
        ):
            store.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (str(source), str(target)))
        store.commit()
    return target


def add_version(
    root: Path,
    name: str,
    right: str,
    *,
    base: str = "",
    benchmark: str = "secforge-mcq",
    metrics: Mapping[str, Any] = METRICS,
    composition: str = COMPOSITION,
) -> str:
    """Register a build whose commit starts with `name`; `right` has a 1 or 0 for every item of the fine-tuned variant."""
    predictions = root / f"{name}.parquet"
    rows = [*_answers("finetuned", benchmark, right), *_answers("base", benchmark, base or "0" * len(right))]
    write_table(predictions, rows, Prediction)
    commit = name.ljust(40, "0")
    hashes = {"models/finetune/merged": f"{commit}.dir"}
    build = Build(commit=commit, committed_ms=1, lock_sha256=commit, hashes=hashes)
    documents = {f"metrics/{stage}.json": json.dumps(figures) for stage, figures in metrics.items()}
    documents["metrics/validate_composition.csv"] = composition
    tags = {"secforge.commit": commit, "secforge.lock": commit}
    record = Record(params={}, points=[], tags=tags, documents=documents, files={PREDICTIONS: predictions})
    store = open_store(root)
    return register(store.client, build, record, store.params, root).versions["finetuned"]


def _answers(system: str, benchmark: str, right: str) -> list[Prediction]:
    return [
        Prediction(
            system=system,
            benchmark=benchmark,
            protocol="loglikelihood",
            item_id=f"item{number:04}",
            output="A",
            parsed=["A"],
            parsed_ok=True,
            correct=digit == "1",
        )
        for number, digit in enumerate(right)
    ]
