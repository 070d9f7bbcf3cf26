"""The record in MLflow: one run per build, one registered version per model variant, found again before made.

Every step looks for what an interrupted call left behind and adds only what lacks; figures carry the
time of the commit, so that MLflow recognises one that is logged twice. The tag `secforge.complete`
is set last: its existence means that the record is whole.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stages.register.collect import Record
from stages.register.models import register_variants, versions_of_run
from stages.register.params import RegisterParams
from stages.register.tracking import find_experiment
from stages.register.workspace import PREDICTIONS, Build
from stages.tables import write_text

if TYPE_CHECKING:
    from mlflow import MlflowClient

COMPLETE = "secforge.complete"
WHOLE = "2"  # the number of this layout of a record: one that an older layout left is completed
DATASETS = {
    "data/validate/train.parquet": "training",
    "data/validate/dev.parquet": "validation",
    "data/finetune/rows.parquet": "trained-rows",
    "data/benchmarks/items.parquet": "evaluation",
    PREDICTIONS: "answers",
}
LONGEST_DIGEST = 36  # characters, of MLflow; the source holds the whole hash


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What `register` did, for the line it prints."""

    run_id: str
    existed: bool  # the build was registered before: nothing was changed
    versions: dict[str, str]  # variant -> version number


def register(client: "MlflowClient", build: Build, record: Record, params: RegisterParams, root: Path) -> Outcome:
    """Make or complete the run and the model versions of `build`; a whole record is left as it is."""
    experiment = find_experiment(client, params.experiment, root)
    run = _find_run(client, experiment, build)
    if run and run.data.tags.get(COMPLETE) == WHOLE:
        return Outcome(run_id=run.info.run_id, existed=True, versions=versions_of_run(client, params.model, run.info.run_id))
    run_id = run.info.run_id if run else _new_run(client, experiment, build, record)
    _log_figures(client, run_id, build, record)
    _log_documents(client, run_id, record)
    _log_data(client, run_id, build, record)
    versions = register_variants(client, experiment, run_id, build, record, params, root)
    if params.aliased in versions:
        client.set_registered_model_alias(params.model, params.alias, versions[params.aliased])
    client.set_tag(run_id, COMPLETE, WHOLE)
    client.set_terminated(run_id, "FINISHED")
    return Outcome(run_id=run_id, existed=False, versions=versions)


def _find_run(client: "MlflowClient", experiment: str, build: Build) -> Any:
    wanted = f"tags.`secforge.commit` = '{build.commit}' and tags.`secforge.lock` = '{build.lock_sha256}'"
    runs = client.search_runs([experiment], filter_string=wanted, max_results=1)
    return runs[0] if runs else None


def _new_run(client: "MlflowClient", experiment: str, build: Build, record: Record) -> str:
    """The tags that identify the build are part of the call that makes the run: no run exists without them."""
    tags = record.tags | {"mlflow.source.git.commit": build.commit}
    return client.create_run(experiment, tags=tags, run_name=f"build-{build.commit[:10]}").info.run_id


def _log_figures(client: "MlflowClient", run_id: str, build: Build, record: Record) -> None:
    from mlflow.entities import Metric, Param

    params = [Param(key, value) for key, value in record.params.items()]
    figures = [Metric(point.key, point.value, build.committed_ms, point.step) for point in record.points]
    for part in _parts(params, 100):
        client.log_batch(run_id, params=part)
    for part in _parts(figures, 1000):
        client.log_batch(run_id, metrics=part)


def _log_documents(client: "MlflowClient", run_id: str, record: Record) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in record.documents.items():
            write_text(Path(folder) / name, text)
        for name, path in record.files.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, Path(folder) / name)
        client.log_artifacts(run_id, folder)


def _log_data(client: "MlflowClient", run_id: str, build: Build, record: Record) -> None:
    """Tables by the hash under which DVC holds them, and pinned sources by their SHA-256, as the run's data sets."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    tables = [(path, build.hashes[path], context) for path, context in DATASETS.items() if path in build.hashes]
    pins = [
        (name.removesuffix(".sha256"), digest, "source")
        for name, digest in record.params.items()
        if name.startswith("ingest.pins.") and name.endswith(".sha256")
    ]
    inputs = [
        DatasetInput(Dataset(_dataset_name(name), digest[:LONGEST_DIGEST], source_type="local", source=_source(name, digest, build)),
                     tags=[InputTag("mlflow.data.context", context)])
        for name, digest, context in [*tables, *pins]
    ]  # fmt: skip
    for part in _parts(inputs, 100):
        client.log_inputs(run_id, part)


def _dataset_name(name: str) -> str:
    """`data/validate/train.parquet` -> `secforge-validate-train`; `ingest.pins.cwe2` -> `secforge-source-cwe2`."""
    if name.startswith("ingest.pins."):
        return f"secforge-source-{name.removeprefix('ingest.pins.')}"
    return "secforge-" + name.removeprefix("data/").removesuffix(".parquet").replace("/", "-")


def _source(name: str, digest: str, build: Build) -> str:
    return msgspec.json.encode({"uri": name, "commit": build.commit, "digest": digest}).decode()


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
