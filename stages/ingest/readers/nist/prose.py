"""Texts of controls with their organisation-defined values written out: `an organization-defined frequency`."""

import re
from collections.abc import Mapping

from stages.ingest.readers.nist.layout import Parameter, Part
from stages.ingest.text import clean

_INSERT = re.compile(r"\{\{\s*insert:\s*param,\s*([\w.\-]+)\s*\}\}")
_PLURAL = re.compile(
    r"(?:[^s]s|personnel|information|equipment|software|media|data|criteria)(?: (?:or|and|/|for|of|to|in|that|by|with|on) .*|,.*|\s*\(.*)?$"
)
_GRAMMAR = (  # what a value in brackets need not fit into, and prose must
    (re.compile(r"\ba (?=an organization-defined)", re.IGNORECASE), ""),
    (re.compile(r"\b(an|the|any|each|every|all|no|other|same|its|their) an (?=organization-defined)", re.IGNORECASE), r"\1 "),
    (
        re.compile(r"(?<!\bat)(?<!\bleast)(?<!\bwith)(?<!\ba) an organization-defined frequency"),
        " at an organization-defined frequency",
    ),
    (re.compile(r"\borganization-defined number (?!of\b|and\b|or\b)(?=[a-z])"), "organization-defined number of "),
)
_PROSE_LIMIT = 20_000  # characters: parameters that name each other many times could fill any memory
_VALUE_LIMIT = 2_000
_DEPTH = 4  # parameters may name parameters; deeper than this is a loop


def lines(part: Part, parameters: Mapping[str, Parameter]) -> list[str]:
    """Statement and its items, each with its label."""
    number = next((prop.value for prop in part.props if prop.name == "label"), "")
    own = clean(filled(part.prose, parameters))
    found = [f"{number} {own}".strip()] if own else []
    return found + [line for inner in part.parts for line in lines(inner, parameters)]


def filled(prose: str, parameters: Mapping[str, Parameter]) -> str:
    """`prose` with every inserted parameter as words, and choices as `a, b or c`."""
    for _ in range(_DEPTH):
        if "{{" not in prose or len(prose) > _PROSE_LIMIT:
            break
        prose = _INSERT.sub(lambda match: _value(match.group(1), parameters), prose)
    for pattern, mended in _GRAMMAR:
        prose = pattern.sub(mended, prose)
    return prose


def label(parameter: Parameter) -> str:
    """What is to be defined: `frequency`."""
    return parameter.label.removeprefix("organization-defined ").strip()


def _value(id: str, parameters: Mapping[str, Parameter]) -> str:
    parameter = parameters.get(id)
    if parameter is None:
        return "an organization-defined value"
    choices = [choice.strip() for choice in parameter.select.choice]
    if choices and sum(map(len, choices)) <= _VALUE_LIMIT:
        return _choice(choices, "and/or" if parameter.select.how_many == "one-or-more" else "or")
    name = label(parameter)[:_VALUE_LIMIT] or "value"
    return f"{'' if _PLURAL.search(name) else 'an '}organization-defined {name}"


def _choice(choices: list[str], last: str) -> str:
    """`a, b or c`."""
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} {last} {choices[-1]}"
