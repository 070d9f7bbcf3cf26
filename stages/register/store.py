"""The registry of the repository at hand: client, params and the promotion log."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stages.config import load_section
from stages.register.params import RegisterParams
from stages.register.tracking import connect, tracking_uri
from stages.register.workspace import PROMOTIONS
from stages.runtime import RuntimeParams

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a command needs."""

    root: Path
    uri: str
    client: "MlflowClient"
    params: RegisterParams
    runtime: RuntimeParams

    @property
    def log(self) -> Path:
        """The promotion log."""
        return self.root / PROMOTIONS


def open_store(root: Path) -> Store:
    """Read the params of `root` and reach the store. Raises ParamsError or InputError."""
    file = root / "params.yaml"
    params, runtime = load_section("register", RegisterParams, file), load_section("runtime", RuntimeParams, file)
    uri = tracking_uri(runtime.mlflow_uri, root)
    return Store(root=root, uri=uri, client=connect(uri), params=params, runtime=runtime)
