"""Where the weights of the base model are, and what tells them from others."""

import hashlib
from functools import lru_cache
from pathlib import Path

import msgspec

from stages.errors import InputError
from stages.tables import file_sha256

POINTER = "pointer.json"
MODEL_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")  # what a loaded model depends on; no pickle, no code


class Pointer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A base model that stays where it is."""

    kind: str  # folder, hub
    path: str = ""  # folder: its absolute path
    hub_id: str = ""  # hub: owner/name
    revision: str = ""  # hub: the commit
    sha256: str  # `hash_model` of the folder when it was pinned


def resolve_base(folder: Path) -> Path:
    """The Hugging Face folder behind `models/base`: itself, or where its pointer leads.

    Raises InputError if there is no model, or the one pointed to has gone.
    """
    pointer = read_pointer(folder)
    target = folder if pointer is None else Path(pointer.path) if pointer.kind == "folder" else _hub_folder(pointer)
    if not (target / "config.json").is_file():
        raise InputError(
            f"{target} holds no model (no config.json).",
            remedy="Run `dvc repro base`, which makes it." if pointer is None else "Mend section `base` of params.yaml.",
        )
    return target


def read_pointer(folder: Path) -> Pointer | None:
    """The pointer in `folder`, or None if the folder is the model itself."""
    file = folder / POINTER
    if not file.is_file():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Pointer)
    except msgspec.DecodeError as error:
        raise InputError(f"{file}: {error}", remedy="Run `dvc repro base`, which makes it.") from error


def model_hash(folder: Path) -> str:
    """64 hex digits that change with weights, config, tokenizer or chat template; part of every cache key.

    A pointer's own record is trusted: hashing many gigabytes before each stage would take minutes.
    """
    pointer = read_pointer(folder)
    return pointer.sha256 if pointer else hash_model(resolve_base(folder))


def hash_model(folder: Path) -> str:
    """Hash of names and bytes of the model's files; 0.2 s for 270 MB, once per process and state of the files."""
    files = sorted({path for pattern in MODEL_FILES for path in folder.glob(pattern) if path.is_file()})
    if not any(path.suffix == ".safetensors" for path in files):
        raise InputError(
            f"{folder} holds no *.safetensors file.",
            allowed="a Hugging Face folder with safetensors weights (pickled weights are never loaded)",
            remedy="Run `dvc repro base`, or name another folder in section `base` of params.yaml.",
        )
    return _hash_files(tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=8)
def _hash_files(files: tuple[tuple[Path, int, int], ...]) -> str:
    parts = [f"{path.name}\x1f{file_sha256(path)}" for path, _, _ in files]
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()


def _hub_folder(pointer: Pointer) -> Path:
    """The downloaded snapshot of a hub model. The network is asked only if it is not in the local hub cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(pointer.hub_id, revision=pointer.revision, allow_patterns=list(MODEL_FILES)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise InputError(
            f"{pointer.hub_id} at {pointer.revision} could not be fetched: {error}",
            remedy="Connect to the network, or name a local folder in section `base` of params.yaml.",
        ) from error
