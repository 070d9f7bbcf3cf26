"""The MLflow store: how it is reached, its experiment, its registered model and what an alias leads to."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.errors import InputError
from stages.register.collect import mask
from stages.state import state_dir

if TYPE_CHECKING:
    from mlflow import MlflowClient

GIVEN_BY = {  # which command gives an alias
    "candidate": "`python -m stages.register` after a commit gives the alias `candidate`.",
    "champion": "`python -m stages.register promote` gives the alias `champion`.",
    "previous": "`python -m stages.register promote` gives the alias `previous` when a champion is replaced by another.",
}


def tracking_uri(configured: str, root: Path) -> str:
    """`runtime.mlflow_uri`, else MLFLOW_TRACKING_URI, else a SQLite file in the state folder."""
    uri = configured or os.environ.get("MLFLOW_TRACKING_URI", "")
    if uri:
        return uri
    folder = state_dir(root)
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'mlflow.db'}"


def connect(uri: str) -> "MlflowClient":
    """A client for `uri`. Raises InputError, with the password masked, if it cannot be reached or is no MLflow store."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # otherwise logging a model asks the hub for about 50 seconds
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    _quiet()
    with _no_collector():
        return _connect(uri)


def _connect(uri: str) -> "MlflowClient":
    import mlflow
    from sqlalchemy.exc import SQLAlchemyError

    _quiet()  # the import has settled its loggers anew
    mlflow.set_tracking_uri(uri)
    try:
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.search_registered_models(max_results=1)
    except (mlflow.exceptions.MlflowException, SQLAlchemyError) as error:
        raise InputError(
            f"no MLflow store answers at {mask(uri)}: {mask(str(error))[:300]}",
            remedy="Start the server, restore the database, or mend `runtime.mlflow_uri` (empty: a SQLite file, no server needed).",
        ) from error
    return client


@contextmanager
def _no_collector() -> Iterator[None]:
    """No search for garbage while MLflow is imported: of the 2.0 seconds of a rollback that is 0.5."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def find_experiment(client: "MlflowClient", name: str, root: Path) -> str:
    """Id of the experiment, made if it does not exist; files of a local store lie in the state folder."""
    found = client.get_experiment_by_name(name)
    if found:
        return found.experiment_id
    local = client.tracking_uri.startswith("sqlite:")
    return client.create_experiment(name, artifact_location=(state_dir(root) / "mlartifacts").as_uri() if local else None)


def resolve(client: "MlflowClient", model: str, alias: str) -> dict[str, str]:
    """Tags of the version that `alias` names, with its number and run. Raises InputError with the known aliases."""
    found = version_of(client, model, alias)
    if found is None:
        raise InputError(
            f"the registered model `{model}` has no alias `{alias}`.",
            allowed=", ".join(sorted(aliases(client, model))) or "none yet",
            remedy=GIVEN_BY.get(alias, "`python -m stages.register` after a commit gives the alias of section `register`."),
        )
    return found


def version_of(client: "MlflowClient", model: str, alias: str) -> dict[str, str] | None:
    """Tags of the version that `alias` names, with its number and run; None without one."""
    number = aliases(client, model).get(alias)
    return None if number is None else read_version(client, model, number)


def read_version(client: "MlflowClient", model: str, number: str) -> dict[str, str]:
    """Tags of a version, with its number and run. Raises InputError if there is none of that number."""
    import mlflow

    try:
        found: Any = client.get_model_version(model, number)
    except mlflow.exceptions.MlflowException as error:
        known = [str(one.version) for one in client.search_model_versions(f"name = '{model}'", max_results=20)]
        raise InputError(
            f"the registered model `{model}` has no version {number}.", allowed=", ".join(sorted(known, key=int)) or "none yet"
        ) from error
    return {**found.tags, "model": model, "version": str(found.version), "run_id": found.run_id, "source": found.source}


def aliases(client: "MlflowClient", model: str) -> dict[str, str]:
    """Version number by alias; empty for an unknown model."""
    import mlflow

    try:
        return {alias: str(number) for alias, number in client.get_registered_model(model).aliases.items()}
    except mlflow.exceptions.MlflowException:
        return {}


def _quiet() -> None:
    """Keep the migration log of a new SQLite file, bars, addresses and telemetry out of what people read."""
    import logging

    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    for name in ("alembic", "mlflow", "transformers"):
        logging.getLogger(name).setLevel(logging.ERROR)
