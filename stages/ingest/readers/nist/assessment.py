"""How the presence of a control is assessed (SP 800-53A), in the words of either generation of catalogues."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stages.ingest.readers.nist.layout import Control, Parameter, Part
from stages.ingest.readers.nist.prose import filled, lines
from stages.ingest.text import clean

_OBJECTIVES = ("objective", "assessment-objective")
_METHODS = ("assessment", "assessment-method")
_OBJECTS = ("objects", "assessment-objects")
_BLANK_LINE = re.compile(r"\n\s*\n")


def assessment(control: Control, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """{objectives, examine, interview, test}: what is determined, and what or whom one looks at, asks and tries out."""
    objectives = [_unlabelled(line) for part in control.parts if part.name in _OBJECTIVES for line in lines(part, parameters)]
    found: dict[str, list[str]] = {"objectives": objectives} if objectives else {}
    for part in control.parts:
        method = next((prop.value.lower() for prop in part.props if prop.name == "method"), "")
        if part.name in _METHODS and method in ("examine", "interview", "test"):
            found.setdefault(method, []).extend(_objects(part, parameters))
    return {key: values for key, values in found.items() if values}


def _objects(part: Part, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    for inner in part.parts:
        if inner.name in _OBJECTS:
            pieces = _BLANK_LINE.split(filled(inner.prose, parameters))
            yield from (text for piece in pieces if (text := clean(" ".join(piece.split()))))


def _unlabelled(line: str) -> str:
    """Without the number of the objective: `AC-02a.[01] account types ...`."""
    return re.sub(r"^[A-Z]{2}-\d+\S* ", "", line)
