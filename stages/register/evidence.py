"""What the gates judge: figures, composition and answers of a registered version, as its run keeps them."""

import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stages.errors import InputError
from stages.register.collect import flatten, mask
from stages.register.workspace import PREDICTIONS

if TYPE_CHECKING:
    from mlflow import MlflowClient

COMPOSITION = "metrics/validate_composition.csv"
COLUMNS = ["system", "benchmark", "protocol", "item_id", "correct"]
Test = tuple[str, str]  # benchmark and protocol
Answers = dict[Test, dict[str, bool]]  # item id -> answered right; ids are hashes of question and key


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A version and what was measured of it."""

    version: dict[str, str]  # its tags, number and run
    figures: dict[str, Any]  # by dotted path
    licences: list[tuple[str, int]]  # licences of rows, joined by ` + `, and how many rows carry them
    answers: dict[str, Answers]  # by system

    @property
    def variant(self) -> str:
        """Which of its build's variants the version is."""
        return self.version["variant"]

    @property
    def of_variant(self) -> Answers:
        """The answers of the version itself."""
        return self.answers.get(self.variant, {})

    @property
    def name(self) -> str:
        """The version in words."""
        return f"v{self.version['version']} ({self.variant} of {self.version['commit'][:10]})"


def read_evidence(client: "MlflowClient", version: dict[str, str]) -> Evidence:
    """The evidence of a version. Raises InputError if its run holds no metrics, or if they cannot be read."""
    run_id = version["run_id"]
    with tempfile.TemporaryDirectory() as folder:
        with _readable(version, "the list of artifacts"):
            kept = {one.path for one in client.list_artifacts(run_id)}
        if "metrics" not in kept:
            raise InputError(
                f"version {version['version']} of `{version['model']}` has no metrics at its run {run_id}.",
                remedy=_again(version),
            )
        with _readable(version, "metrics"):
            metrics = Path(client.download_artifacts(run_id, "metrics", folder))
        return Evidence(
            version=version,
            figures=_figures(metrics, version),
            licences=_licences(Path(folder) / COMPOSITION, version),
            answers=_answers(client, version, folder) if "data" in kept else {},
        )


@contextmanager
def _readable(version: dict[str, str], artifact: str) -> Iterator[None]:
    """InputError instead of whatever a library says of a damaged artifact."""
    import mlflow
    import pyarrow

    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, pyarrow.ArrowException, mlflow.exceptions.MlflowException) as error:
        raise InputError(
            f"{artifact} of version {version['version']} of `{version['model']}` (run {version['run_id']}) cannot be read: "
            f"{type(error).__name__}: {mask(str(error))[:200]}",
            remedy=f"Restore it in MLflow's artifact store, or {_again(version, 'delete the run and check')}",
        ) from error


def _again(version: dict[str, str], check: str = "Check") -> str:
    return f"{check} out its commit {version.get('commit', '?')[:10]} and run `python -m stages.register` again."


def _figures(metrics: Path, version: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for prefix, pattern in (("", "*.json"), ("timings.", "timings/*.json")):
        for path in sorted(metrics.glob(pattern)):
            with _readable(version, f"metrics/{path.relative_to(metrics)}"):
                found |= flatten(json.loads(path.read_text(encoding="utf-8")), prefix + path.stem)
    return found


def _licences(path: Path, version: dict[str, str]) -> list[tuple[str, int]]:
    if not path.exists():
        return []
    with _readable(version, COMPOSITION), open(path, encoding="utf-8", newline="") as file:
        return [(line["licence"], int(line["rows"])) for line in csv.DictReader(file)]


def _answers(client: "MlflowClient", version: dict[str, str], folder: str) -> dict[str, Answers]:
    import pyarrow.parquet as parquet

    found: dict[str, Answers] = {}
    with _readable(version, PREDICTIONS):
        parent = str(Path(PREDICTIONS).parent)
        if PREDICTIONS not in {one.path for one in client.list_artifacts(version["run_id"], parent)}:
            return {}
        path = client.download_artifacts(version["run_id"], PREDICTIONS, folder)
        for row in parquet.read_table(path, columns=COLUMNS).to_pylist():
            own = found.setdefault(row["system"], {}).setdefault((row["benchmark"], row["protocol"]), {})
            if not isinstance(row["correct"], bool) or row["item_id"] in own:
                raise ValueError(f"{row['system']} has no one verdict on item {row['item_id']} of {row['benchmark']}")
            own[row["item_id"]] = row["correct"]
    return found
