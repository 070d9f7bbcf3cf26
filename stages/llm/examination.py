"""Questions with known answers, written by hand, that a model is examined on before its word counts."""

from pathlib import Path
from typing import TypeVar

import msgspec

from stages.errors import InputError

Case = TypeVar("Case", bound=msgspec.Struct)


def read_cases(path: Path, case_type: type[Case]) -> list[Case]:
    """The cases of `path`, one JSON object a line, in its order. Raises InputError that names file and line."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}.", remedy="Restore the file: `git checkout` has it.") from error
    cases = [_case(path, number, line, case_type) for number, line in enumerate(text.removesuffix(b"\n").split(b"\n"), 1) if text]
    if not cases:
        raise InputError(f"{path} has no case.", remedy="Write at least one; one JSON object per line.")
    return cases


def _case(path: Path, number: int, line: bytes, case_type: type[Case]) -> Case:
    try:
        return msgspec.json.decode(line, type=case_type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}, line {number}: {error}.", remedy="Mend the line; one JSON object per line, in UTF-8."
        ) from error
