"""The licence of a row is the strictest of its parts; which classes may train is a parameter."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from stages.enrich.schema import EnrichedRow
from stages.errors import InputError, ParamsError
from stages.tables import Reject
from stages.validate.params import LicenceParams

CLASSES_FILE = Path(__file__).with_name("licences.json")
STRICTNESS = ("public-domain", "permissive", "attribution", "terms", "share-alike", "copyleft", "non-commercial", "unknown")


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
    """Class of an SPDX expression: the strictest part joined by AND, the mildest alternative of OR."""
    alternatives = [part.split(" and ") for part in expression.casefold().replace("(", "").replace(")", "").split(" or ")]
    found = [max((classes.get(name.strip(), "unknown") for name in names), key=STRICTNESS.index) for names in alternatives]
    return min(found, key=STRICTNESS.index)


def filter_licences(
    rows: Sequence[EnrichedRow], params: LicenceParams, classes: dict[str, str]
) -> tuple[list[EnrichedRow], list[Reject], dict[str, int]]:
    """Rows whose class is allowed, rejects, and rows by class (before the filter)."""
    _check_policy(params)
    kept, rejects, counts = [], [], Counter[str]()
    for row in rows:
        kind = strictest(row.licences, classes)
        counts[kind] += 1
        if kind in params.allow:
            kept.append(row)
        else:
            rejects.append(Reject("validate", row.id, f"licence-{kind}", "; ".join(sorted(row.licences)) or "no licence"))
    return kept, rejects, dict(sorted(counts.items()))


def _check_policy(params: LicenceParams) -> None:
    both, named = set(params.allow) & set(params.deny), set(params.allow) | set(params.deny)
    wrong = sorted(both | (named ^ set(STRICTNESS)))
    if wrong:
        raise ParamsError(
            f"validate.licences must name each class once, in `allow` or in `deny`; wrong: {', '.join(wrong)}.",
            allowed=", ".join(STRICTNESS),
            remedy="Mend the two lists in params.yaml.",
        )
