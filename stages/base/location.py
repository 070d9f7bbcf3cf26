"""Where the weights of the base model are, and what tells them from others."""

import hashlib
from functools import lru_cache
from pathlib import Path

import msgspec

from stages.errors import InputError
from stages.state import state_dir
from stages.tables import content_id, file_sha256, write_json

POINTER = "pointer.json"
MODEL_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")  # what a loaded model depends on; no pickle, no code


class Pointer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A base model that stays where it is."""

    kind: str  # folder, hub
    path: str = ""  # folder: its absolute path
    hub_id: str = ""  # hub: owner/name
    revision: str = ""  # hub: the commit
    sha256: str  # `hash_model` of the folder when it was pinned


class Hashed(msgspec.Struct, frozen=True):
    """The hash of a folder in one state of its files: name, size, time of the last change in nanoseconds."""

    sha256: str
    files: list[list[str | int]]


def resolve_base(folder: Path) -> Path:
    """The Hugging Face folder behind `models/base`: itself, or where its pointer leads.

    Raises InputError if there is no model, or the one pointed to has gone or was edited. Never asks the network.
    """
    pointer = read_pointer(folder)
    target = folder if pointer is None else Path(pointer.path) if pointer.kind == "folder" else hub_folder(pointer)
    if not (target / "config.json").is_file():
        raise InputError(
            f"{target} holds no model (no config.json).",
            remedy="Run `dvc repro base`, which makes it." if pointer is None else "Mend section `base` of params.yaml.",
        )
    if pointer is not None and pointer.kind == "folder" and _known_hash(target) != pointer.sha256:
        raise InputError(
            f"{target} is not the model that stage `base` pinned: its files were edited since.",
            allowed=f"a folder with the hash {pointer.sha256}",
            remedy="Run `dvc repro --force base` to take the new files, or bring the old ones back.",
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

    A commit of the hub never changes; a folder that is pointed at is checked by `resolve_base`.
    """
    pointer = read_pointer(folder)
    if pointer is not None and pointer.kind == "hub":
        return pointer.sha256
    target = resolve_base(folder)
    return pointer.sha256 if pointer else hash_model(target)


def hash_model(folder: Path) -> str:
    """Hash of names and bytes of the model's files; 0.2 s for 270 MB, once per process and state of the files."""
    files = _model_files(folder)
    if not any(path.suffix == ".safetensors" for path in files):
        raise InputError(
            f"{folder} holds no *.safetensors file.",
            allowed="a Hugging Face folder with safetensors weights (pickled weights are never loaded)",
            remedy="Run `dvc repro base`, or name another folder in section `base` of params.yaml.",
        )
    return _hash_files(tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files))


def _model_files(folder: Path) -> list[Path]:
    return sorted({path for pattern in MODEL_FILES for path in folder.glob(pattern) if path.is_file()})


def _known_hash(folder: Path) -> str:
    """`hash_model` of a folder outside the repository, kept in the state folder until a size or time of its files changes.

    Hashing many gigabytes before each stage would take minutes.
    """
    record = state_dir() / "base" / f"{content_id(str(folder))}.json"
    states = [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in _model_files(folder)]
    try:
        known = msgspec.json.decode(record.read_bytes(), type=Hashed)
    except (FileNotFoundError, msgspec.DecodeError):
        known = Hashed("", [])
    if known.files != states:
        known = Hashed(hash_model(folder), states)
        write_json(record, msgspec.to_builtins(known))
    return known.sha256


@lru_cache(maxsize=8)
def _hash_files(files: tuple[tuple[Path, int, int], ...]) -> str:
    parts = [f"{path.name}\x1f{file_sha256(path)}" for path, _, _ in files]
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()


def hub_folder(pointer: Pointer, *, fetch: bool = False) -> Path:
    """The downloaded snapshot of a hub model in the local hub cache; only stage `base` may `fetch` it."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        files = list(MODEL_FILES)
        return Path(
            snapshot_download(pointer.hub_id, revision=pointer.revision, allow_patterns=files, local_files_only=not fetch)
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise InputError(
            f"{pointer.hub_id} at {pointer.revision} could not be {'fetched' if fetch else 'found in the hub cache'}: {error}",
            remedy="Connect to the network"
            + ("" if fetch else " and run `dvc repro --force base`")
            + ", or name a local folder in section `base` of params.yaml.",
        ) from error
