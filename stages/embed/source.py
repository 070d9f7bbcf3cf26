"""Which model the encoder in models/encoder is, and whether the folder that it was copied from is still the same."""

from pathlib import Path

import msgspec

from stages.base.location import hash_model
from stages.errors import InputError

FILE = "encoder.json"


class Origin(msgspec.Struct, frozen=True, kw_only=True, rename={"place": "from"}):
    """Written by stage `encoder` beside the model."""

    kind: str  # wheel, folder, none
    place: str  # the wheel's name and version, or the folder
    sha256: str = ""  # folder: its `hash_model` when it was copied


def check_source(encoder: Path) -> None:
    """Raises InputError if the folder that `encoder` was copied from has other files now; one that has gone is no matter.

    DVC does not watch what lies outside the repository: without this, new weights would be ignored for ever.
    """
    file = encoder / FILE
    if not file.is_file():
        return
    try:
        origin = msgspec.json.decode(file.read_bytes(), type=Origin)
    except msgspec.DecodeError as error:
        raise InputError(f"{file}: {error}", remedy="Run `dvc repro --force encoder`, which makes it.") from error
    source = Path(origin.place).expanduser()
    if origin.kind == "folder" and source.is_dir() and hash_model(source) != origin.sha256:
        raise InputError(
            f"{source} is not the encoder that stage `encoder` copied: its files were edited since.",
            allowed=f"a folder with the hash {origin.sha256}",
            remedy="Run `dvc repro --force encoder` to take the new files, or bring the old ones back.",
        )
