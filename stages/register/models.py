"""Versions of the registered model: a pointer into DVC or a copy of the weights, with signature and example of an input."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stages.register.collect import Record
from stages.register.model_card import tuned_outputs
from stages.register.params import RegisterParams
from stages.register.workspace import Build

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

EXAMPLE = "Which weakness is the root cause of this vulnerability? A parser writes past the end of a heap buffer."
EXAMPLE_FILE = "input_example.json"


def register_variants(
    client: "MlflowClient", experiment: str, run_id: str, build: Build, record: Record, params: RegisterParams, root: Path
) -> dict[str, str]:
    """Version numbers by variant; a version that an interrupted call made is used again."""
    _registered_model(client, params.model)
    versions = versions_of_run(client, params.model, run_id)
    for variant, path in tuned_outputs(build).items():
        if variant not in versions:
            tags = _version_tags(build, variant, path, params, root)
            source = _logged_model(client, experiment, run_id, variant, tags, params, root / path)
            _log_scores(client, run_id, source, variant, build, record)
            made = client.create_model_version(
                params.model, source=f"models:/{source}", run_id=run_id, tags=tags, model_id=source
            )
            versions[variant] = str(made.version)
    return versions


def versions_of_run(client: "MlflowClient", model: str, run_id: str) -> dict[str, str]:
    """Version numbers by variant of the versions that a run made."""
    found = client.search_model_versions(f"name = '{model}' and run_id = '{run_id}'")
    return {version.tags["variant"]: str(version.version) for version in found if "variant" in version.tags}


def _log_scores(client: "MlflowClient", run_id: str, model_id: str, variant: str, build: Build, record: Record) -> None:
    """The variant's own figures at its model, so that versions can be compared without their runs."""
    from mlflow.entities import Metric

    own = [point for point in record.points if variant in point.key.split(".")]
    scores = [Metric(point.key, point.value, build.committed_ms, point.step, model_id=model_id) for point in own]
    for start in range(0, len(scores), 1000):
        client.log_batch(run_id, metrics=scores[start : start + 1000])


def _version_tags(build: Build, variant: str, path: str, params: RegisterParams, root: Path) -> dict[str, str]:
    base = build.hashes.get("models/base", "unknown")
    return {"variant": variant, "commit": build.commit, "path": path, "dvc_md5": build.hashes[path], "store": params.store,
            "lock_sha256": build.lock_sha256, "base_model": _base_name(root), "base_md5": base}  # fmt: skip


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
    for model in client.search_logged_models([experiment], filter_string=f"source_run_id = '{run_id}' and name = '{variant}'"):
        if str(model.status.value) == "READY" and model.tags.get("secforge.whole"):
            return model.model_id
        client.delete_logged_model(model.model_id)
    copies = params.store == "artifact"
    if copies and (path / "config.json").exists():
        model_id = _transformers_model(run_id, variant, tags, path)
    else:
        model_id = _described_model(client, experiment, run_id, variant, tags, path if copies else None)
    client.set_logged_model_tags(model_id, {"secforge.whole": "true"})
    return model_id


def _transformers_model(run_id: str, variant: str, tags: dict[str, str], path: Path) -> str:
    import mlflow

    with mlflow.start_run(run_id=run_id):
        return mlflow.transformers.log_model(
            str(path), name=variant, task="text-generation", tags=tags, pip_requirements=_requirements(), signature=_signature(),
        ).model_id  # fmt: skip


def _described_model(
    client: "MlflowClient", experiment: str, run_id: str, variant: str, tags: dict[str, str], weights: Path | None
) -> str:
    """A model that MLflow itself cannot load: a pointer, or an adapter or GGUF folder whose files it keeps."""
    import mlflow
    from mlflow.models import Model

    made: Any = mlflow.create_external_model(
        name=variant, source_run_id=run_id, tags=tags, model_type="causal-lm", experiment_id=experiment
    )
    with tempfile.TemporaryDirectory() as folder:
        Model(
            artifact_path=made.artifact_location,
            model_uuid=made.model_id,
            model_id=made.model_id,
            run_id=run_id,
            signature=_signature(),
            saved_input_example_info={"artifact_path": EXAMPLE_FILE, "type": "json_object"},
            metadata={"mlflow.model.isExternal": True, **tags},
        ).save(str(Path(folder) / "MLmodel"))
        (Path(folder) / EXAMPLE_FILE).write_bytes(msgspec.json.encode([EXAMPLE]))
        client.log_model_artifacts(made.model_id, folder)
    if weights is not None and weights.is_dir():
        client.log_model_artifacts(made.model_id, str(weights), "weights")
    elif weights is not None:
        client.log_model_artifact(made.model_id, str(weights), "weights")
    return made.model_id


def _signature() -> "ModelSignature":
    """A question in, an answer out: one string each."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    return ModelSignature(inputs=Schema([ColSpec("string")]), outputs=Schema([ColSpec("string")]))


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
