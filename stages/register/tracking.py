"""The record in MLflow: one run per build, one registered version per model variant, found again before made.

Every step looks for what an interrupted call left behind and adds only what lacks; figures carry the
time of the commit, so that MLflow recognises one that is logged twice. The tag `secforge.complete`
is set last: its existence means that the record is whole.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stages.errors import InputError
from stages.register.collect import Record, mask
from stages.register.params import RegisterParams
from stages.register.workspace import Build
from stages.state import state_dir
from stages.variants import FOLDERS, TUNED

if TYPE_CHECKING:
    from mlflow import MlflowClient

COMPLETE = "secforge.complete"
TRAIN_TABLE = "data/validate/train.parquet"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What `register` did, for the line it prints."""

    run_id: str
    existed: bool  # the build was registered before: nothing was changed
    versions: dict[str, str]  # variant -> version number


def tracking_uri(configured: str, root: Path) -> str:
    """`runtime.mlflow_uri`, else MLFLOW_TRACKING_URI, else a SQLite file in the state folder."""
    uri = configured or os.environ.get("MLFLOW_TRACKING_URI", "")
    if uri:
        return uri
    folder = state_dir(root)
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'mlflow.db'}"


def connect(uri: str) -> "MlflowClient":
    """A client for `uri`. Raises InputError, with the password masked, if it cannot be reached."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # otherwise logging a model asks the hub for about 50 seconds
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    _quiet()
    import mlflow

    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
    try:
        client.search_experiments(max_results=1)
    except mlflow.exceptions.MlflowException as error:
        raise InputError(
            f"no MLflow store answers at {mask(uri)}: {mask(str(error))[:300]}",
            remedy="Start the server or mend `runtime.mlflow_uri` (empty: a SQLite file, no server needed).",
        ) from error
    return client


def register(client: "MlflowClient", build: Build, record: Record, params: RegisterParams, root: Path) -> Outcome:
    """Make or complete the run and the model versions of `build`; a whole record is left as it is."""
    experiment = _experiment(client, params.experiment, root)
    run = _find_run(client, experiment, build)
    if run and run.data.tags.get(COMPLETE) == "true":
        return Outcome(run_id=run.info.run_id, existed=True, versions=_versions(client, params.model, run.info.run_id))
    run_id = run.info.run_id if run else _new_run(client, experiment, build, record)
    _log_record(client, run_id, build, record)
    _log_data(client, run_id, build)
    versions = _register_variants(client, experiment, run_id, build, record, params, root)
    if params.aliased in versions:
        client.set_registered_model_alias(params.model, params.alias, versions[params.aliased])
    client.set_tag(run_id, COMPLETE, "true")
    client.set_terminated(run_id, "FINISHED")
    return Outcome(run_id=run_id, existed=False, versions=versions)


def resolve(client: "MlflowClient", model: str, alias: str) -> dict[str, str]:
    """Tags of the version that `alias` names, with its number. Raises InputError with the known aliases."""
    import mlflow

    try:
        version = client.get_model_version_by_alias(model, alias)
    except mlflow.exceptions.MlflowException as error:
        known = _aliases(client, model)
        raise InputError(
            f"the registered model `{model}` has no alias `{alias}`.",
            allowed=", ".join(known) or "none yet",
            remedy="`python -m stages.register` after a commit gives the alias `candidate`.",
        ) from error
    return {"model": model, "version": str(version.version), **version.tags}


def _experiment(client: "MlflowClient", name: str, root: Path) -> str:
    found = client.get_experiment_by_name(name)
    if found:
        return found.experiment_id
    local = client.tracking_uri.startswith("sqlite:")
    return client.create_experiment(name, artifact_location=(state_dir(root) / "mlartifacts").as_uri() if local else None)


def _find_run(client: "MlflowClient", experiment: str, build: Build) -> Any:
    wanted = f"tags.`secforge.commit` = '{build.commit}' and tags.`secforge.lock` = '{build.lock_sha256}'"
    runs = client.search_runs([experiment], filter_string=wanted, max_results=1)
    return runs[0] if runs else None


def _new_run(client: "MlflowClient", experiment: str, build: Build, record: Record) -> str:
    """The tags that identify the build are part of the call that makes the run: no run exists without them."""
    tags = record.tags | {"mlflow.source.git.commit": build.commit}
    return client.create_run(experiment, tags=tags, run_name=f"build-{build.commit[:10]}").info.run_id


def _log_record(client: "MlflowClient", run_id: str, build: Build, record: Record) -> None:
    from mlflow.entities import Metric, Param

    params = [Param(key, value) for key, value in record.params.items()]
    figures = [Metric(point.key, point.value, build.committed_ms, point.step) for point in record.points]
    for part in _parts(params, 100):
        client.log_batch(run_id, params=part)
    for part in _parts(figures, 1000):
        client.log_batch(run_id, metrics=part)
    for name, text in record.documents.items():
        client.log_text(run_id, mask(text), name)


def _log_data(client: "MlflowClient", run_id: str, build: Build) -> None:
    """The training table as the run's data set: its digest is the hash under which DVC holds it."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    digest = build.hashes.get(TRAIN_TABLE)
    if digest:
        source = msgspec.json.encode({"uri": TRAIN_TABLE, "commit": build.commit}).decode()
        dataset = Dataset("secforge-train", digest, source_type="local", source=source)
        client.log_inputs(run_id, [DatasetInput(dataset, tags=[InputTag("mlflow.data.context", "training")])])


def _register_variants(
    client: "MlflowClient", experiment: str, run_id: str, build: Build, record: Record, params: RegisterParams, root: Path
) -> dict[str, str]:
    """Version numbers by variant; a version that an interrupted call made is used again."""
    _registered_model(client, params.model)
    versions = _versions(client, params.model, run_id)
    for variant in TUNED:
        path = FOLDERS[variant]
        if path in build.hashes and variant not in versions:
            tags = _version_tags(build, variant, path, params, root)
            source = _logged_model(client, experiment, run_id, variant, tags, params, root / path)
            _log_scores(client, run_id, source, variant, build, record)
            made = client.create_model_version(
                params.model, source=f"models:/{source}", run_id=run_id, tags=tags, model_id=source
            )
            versions[variant] = str(made.version)
    return versions


def _log_scores(client: "MlflowClient", run_id: str, model_id: str, variant: str, build: Build, record: Record) -> None:
    """The variant's own figures at its model, so that versions can be compared without their runs."""
    from mlflow.entities import Metric

    own = [point for point in record.points if variant in point.key.split(".")]
    scores = [Metric(point.key, point.value, build.committed_ms, point.step, model_id=model_id) for point in own]
    for part in _parts(scores, 1000):
        client.log_batch(run_id, metrics=part)


def _version_tags(build: Build, variant: str, path: str, params: RegisterParams, root: Path) -> dict[str, str]:
    base = build.hashes.get("models/base", "unknown")
    return {"variant": variant, "commit": build.commit, "path": path, "dvc_md5": build.hashes[path], "store": params.store,
            "base_model": _base_name(root), "base_md5": base}  # fmt: skip


def _base_name(root: Path) -> str:
    """Architecture and size as the base model's own config says them; `unknown` without one."""
    config = root / "models" / "base" / "config.json"
    if not config.exists():
        return "unknown"
    values = msgspec.json.decode(config.read_bytes())
    return f"{values.get('model_type', '?')}, {values.get('num_hidden_layers', '?')} layers of {values.get('hidden_size', '?')}"


def _logged_model(
    client: "MlflowClient", experiment: str, run_id: str, variant: str, tags: dict[str, str], params: RegisterParams, path: Path
) -> str:
    """Id of the LoggedModel of `variant`: a pointer, or a copy of the weights if `store` is `artifact`."""
    import mlflow

    for model in client.search_logged_models([experiment], filter_string=f"source_run_id = '{run_id}' and name = '{variant}'"):
        if str(model.status.value) == "READY":
            return model.model_id
        client.delete_logged_model(model.model_id)
    if params.store == "pointer":
        return mlflow.create_external_model(
            name=variant, source_run_id=run_id, tags=tags, model_type="causal-lm", experiment_id=experiment
        ).model_id
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.transformers.log_model(
            str(path), name=variant, task="text-generation", tags=tags, pip_requirements=_requirements()
        )
    return logged.model_id


def _requirements() -> list[str]:
    """What loading the weights needs. Named, because MLflow's own guess asks for torchvision."""
    from importlib import metadata

    return [f"{name}=={metadata.version(name)}" for name in ("torch", "transformers", "accelerate", "bitsandbytes")]


def _registered_model(client: "MlflowClient", name: str) -> None:
    import mlflow

    try:
        client.get_registered_model(name)
    except mlflow.exceptions.MlflowException:
        client.create_registered_model(
            name, description="Variants of every SecForge build; the tags lead to commit and DVC path."
        )


def _versions(client: "MlflowClient", model: str, run_id: str) -> dict[str, str]:
    found = client.search_model_versions(f"name = '{model}' and run_id = '{run_id}'")
    return {version.tags["variant"]: str(version.version) for version in found if "variant" in version.tags}


def _aliases(client: "MlflowClient", model: str) -> list[str]:
    import mlflow

    try:
        return sorted(client.get_registered_model(model).aliases)
    except mlflow.exceptions.MlflowException:
        return []


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _quiet() -> None:
    """Keep the migration log of a new SQLite file and telemetry out of what people read."""
    import logging

    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    for name in ("alembic", "mlflow", "transformers"):
        logging.getLogger(name).setLevel(logging.ERROR)
