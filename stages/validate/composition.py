"""What the data set is made of: rows by each property, and by family, source, licence and type of answer together.

The card, the metric and both tables are written from the same functions, so that they cannot disagree.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import StringIO
from typing import Any, NamedTuple

from stages.enrich.schema import EnrichedRow
from stages.licences import load_classes, strictest
from stages.validate.lengths import Lengths

COLUMNS = ("family", "source", "licence", "type", "rows")
DIMENSION_COLUMNS = ("dimension", "value", "rows", "share")
TYPES = {"letter": "multiple choice", "yes-no": "yes or no", "none": "free text", "vector": "vector"}
SCALES = ("length", "right letter", "year")  # in the order of their values; all others have most rows first
COMPACT = ("source", "family", "type", "licence class", *SCALES)  # what the metric holds; the table holds all
UNKNOWN = "not stated"
_BOUNDS = (64, 128, 256, 512, 1024, 2048)


class Facts(NamedTuple):
    """What the rows do not say themselves."""

    published: Mapping[str, str]  # entity id -> ISO date, for entities whose source states one
    lengths: Lengths


Property = Callable[[EnrichedRow], Iterable[str]]


def properties(facts: Facts) -> dict[str, Property]:
    """Name -> values of a row: several for its sources, none where a property does not apply."""
    classes, of = load_classes(), facts.lengths.of
    return {
        "source": lambda row: sorted(set(row.sources)),
        "family": lambda row: [row.family],
        "task": lambda row: [row.task],
        "type": lambda row: [type_of(row)],
        "label": lambda row: sorted(set(row.labels)),
        "licence": lambda row: sorted(set(row.licences)),
        "licence class": lambda row: [strictest(row.licences, classes)],
        "decision": lambda row: [row.decision],
        "length": lambda row: [bucket(sum(of[row.id]))] if row.id in of else [],
        "right letter": lambda row: row.answer_key if row.key_kind == "letter" else [],
        "year": lambda row: [year_of(row.subject, facts.published)],
    }


def type_of(row: EnrichedRow) -> str:
    """What kind of answer the row asks for."""
    return TYPES.get(row.key_kind, "identifier")


def year_of(subject: str, published: Mapping[str, str]) -> str:
    """The year in which the subject was published; of a CVE that states none, the year in its id."""
    date = published.get(subject, "")
    parts = subject.split("-")
    return date[:4] or (parts[1] if subject.startswith("cve:CVE-") and len(parts) > 2 else UNKNOWN)


def bucket(length: int) -> str:
    """`65-128` of powers of two."""
    lower = next((low for low, high in zip((0, *_BOUNDS), _BOUNDS, strict=False) if length <= high), _BOUNDS[-1])
    return f"over {lower}" if lower == _BOUNDS[-1] else f"{lower + 1}-{max(64, lower * 2)}"


def counted(name: str, rows: Iterable[EnrichedRow], values: Property) -> dict[str, int]:
    """Value -> rows, in the order in which the property `name` is shown."""
    counts = Counter(value for row in rows for value in values(row))
    return {value: counts[value] for value in sorted(counts, key=lambda value: _place(name, value, counts[value]))}


def dimensions(rows: Sequence[EnrichedRow], facts: Facts) -> str:
    """A CSV table, one line for each value of each property; the share is of the rows to which the property applies."""
    lines = []
    for name, values in properties(facts).items():
        applies = sum(bool(list(values(row))) for row in rows)
        lines += [(name, value, count, round(count / applies, 4)) for value, count in counted(name, rows, values).items()]
    return _csv(DIMENSION_COLUMNS, lines)


def composition_metrics(rows: Sequence[EnrichedRow], facts: Facts) -> dict[str, Any]:
    """Rows by the properties of COMPACT, and the length of instruction and answer together."""
    named = properties(facts)
    return {"by": {name: counted(name, rows, named[name]) for name in COMPACT}, "length": facts.lengths.summary()}


def composition(rows: Iterable[EnrichedRow]) -> str:
    """A CSV table, one line for each combination that has rows. Several sources or licences of a row are joined by ` + `."""
    counts = Counter(
        (row.family, " + ".join(sorted(set(row.sources))), " + ".join(sorted(set(row.licences))), type_of(row)) for row in rows
    )
    return _csv(COLUMNS, ((*key, count) for key, count in sorted(counts.items())))


def _place(name: str, value: str, count: int) -> tuple[Any, ...]:
    if name == "length":
        return (int(value.removeprefix("over ").partition("-")[0]) + value.startswith("over"),)
    return (value,) if name in SCALES else (-count, value)


def _csv(columns: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue()
