"""Questions with known answers, written by hand, that a model is examined on before its word counts."""

from pathlib import Path
from typing import TypeVar

import msgspec

from stages.errors import InputError

Case = TypeVar("Case", bound=msgspec.Struct)


def read_cases(path: Path, case_type: type[Case]) -> list[Case]:
    """The cases of `path`, one JSON object a line, in its order. Raises InputError that names file and line."""
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            cases.append(msgspec.json.decode(line, type=case_type))
        except msgspec.DecodeError as error:
            raise InputError(
                f"{path.name}, line {number}: {error}.", remedy="Mend the line; one JSON object per line."
            ) from error
    return cases
