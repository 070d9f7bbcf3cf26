"""Licences sorted into classes, mildest first. Which classes may be evidence or train is a parameter of the stages."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from stages.errors import InputError

CLASSES_FILE = Path(__file__).with_name("licences.json")
LicenceClass = Literal[
    "public-domain", "permissive", "attribution", "terms", "share-alike", "copyleft", "non-commercial", "unknown"
]
STRICTNESS: tuple[str, ...] = get_args(LicenceClass)


@cache
def load_classes(path: Path = CLASSES_FILE) -> dict[str, str]:
    """Licence name in lower case -> class."""
    classes = {name.casefold(): kind for kind, names in json.loads(path.read_text(encoding="utf-8")).items() for name in names}
    foreign = sorted(set(classes.values()) - set(STRICTNESS))
    if foreign:
        raise InputError(
            f"{path} has the unknown class(es) {', '.join(foreign)}.", allowed=", ".join(STRICTNESS), remedy="Mend the file."
        )
    return classes


def strictest(licences: Iterable[str], classes: dict[str, str]) -> str:
    """The strictest class of `licences`; none at all is `unknown`."""
    return max((_class_of(licence, classes) for licence in licences), key=STRICTNESS.index, default="unknown")


def _class_of(expression: str, classes: dict[str, str]) -> str:
    """Class of an SPDX expression: the strictest part joined by AND, the mildest alternative of OR.

    One with brackets inside is a name like any other, hence `unknown` unless the file lists it: read without them it could
    come out milder.
    """
    whole = expression.casefold().strip()
    if whole.startswith("(") and whole.endswith(")") and not {*"()"} & {*whole[1:-1]}:
        whole = whole[1:-1]
    if {*"()"} & {*whole}:
        return classes.get(whole, "unknown")
    alternatives = [part.split(" and ") for part in whole.split(" or ")]
    found = [max((classes.get(name.strip(), "unknown") for name in names), key=STRICTNESS.index) for names in alternatives]
    return min(found, key=STRICTNESS.index)
