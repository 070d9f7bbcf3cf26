"""How far the tables have moved from those of the committed `baseline.json`.

Per column the population stability index (Siddiqi 2006, Credit Risk Scorecards): the sum over the values of
(share now - share then) * ln(share now / share then). A shift is a warning: whether it was wanted, a person says, by
`python -m stages.validate baseline`, which writes the file anew. Git shows what changed.
"""

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from stages.errors import InputError
from stages.validate.frames import Frame

BASELINE = Path(__file__).with_name("baseline.json")
COLUMNS = {
    "entities": ("source", "type", "licence"),
    "links": ("source", "relation"),
    "passages": ("source", "licence", "text_length"),
    "items": ("benchmark", "letter"),
    "tasks": ("family", "task", "split", "key_kind", "letter", "instruction_length", "answer_length"),
    "rows": ("family", "decision", "answer_length"),
    "train": ("family", "task", "key_kind", "decision", "answer_length"),
}
_LEAST_ROWS = 200  # below, chance alone moves the index over any threshold
_FLOOR = 1e-4  # share of a value that is absent: the index of an infinite ratio says nothing
_SHOWN = 3


class Baseline(msgspec.Struct, frozen=True):
    """Counts of values by table and column."""

    tables: dict[str, dict[str, dict[str, int]]]


class TableCounts(NamedTuple):
    """The baseline of one build in the making, and the tables that are too small to be compared."""

    tables: dict[str, dict[str, dict[str, int]]]
    small: dict[str, int]  # table -> rows

    def add(self, table: str, frame: Frame) -> None:
        """Count the columns of COLUMNS; a table that is not named there is nothing to compare."""
        if table not in COLUMNS:
            return
        rows = len(frame[COLUMNS[table][0]])
        if rows < _LEAST_ROWS:
            self.small[table] = rows
        else:
            self.tables[table] = {column: _counts(frame[column]) for column in COLUMNS[table]}


class Shift(msgspec.Struct, frozen=True):
    """One column that moved further than allowed."""

    table: str
    column: str
    index: float
    values: list[str]  # the values that moved most: `cwe 22.0 % -> 2.1 %`


class Drift(msgspec.Struct, frozen=True):
    """The index of every column, and the shifts."""

    status: str  # compared, or why not
    index: dict[str, dict[str, float]]
    shifts: list[Shift]
    not_compared: dict[str, str]  # table -> why, where others were compared


def load_baseline(path: Path = BASELINE) -> Baseline:
    """The committed counts. Raises InputError if the file is missing or damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Baseline)
    except (OSError, msgspec.DecodeError) as error:
        remedy = "`python -m stages.validate baseline` writes it from the tables of a build."
        raise InputError(f"{path} cannot be read: {error}", remedy=remedy) from error


def compare(now: TableCounts, baseline: Baseline, threshold: float) -> Drift:
    """The index of every column that both have. A build from other sources is another data set: nothing is compared."""
    then_sources, now_sources = (set(one.get("entities", {}).get("source", {})) for one in (baseline.tables, now.tables))
    if then_sources != now_sources:
        return Drift("not compared: the sources are not those of the baseline", {}, [], {})
    index: dict[str, dict[str, float]] = {}
    shifts = []
    for table in sorted(now.tables.keys() & baseline.tables.keys()):
        for column, then in sorted(baseline.tables[table].items()):
            counts = now.tables[table].get(column, {})
            value = round(stability_index(then, counts), 4)
            index.setdefault(table, {})[column] = value
            if value > threshold:
                shifts.append(Shift(table, column, value, _moved(then, counts)))
    return Drift("compared", index, shifts, _left_out(now, baseline))


def stability_index(then: Mapping[str, int], now: Mapping[str, int]) -> float:
    """0 for equal shares; 0.1 to 0.25 is a moderate shift, more a major one."""
    shares = [(_share(then, value), _share(now, value)) for value in sorted({*then, *now})]
    return sum((after - before) * math.log(after / before) for before, after in shares)


def described(drift: Drift) -> list[str]:
    """One line per shift."""
    return [
        f"drift of {one.table}.{one.column}: index {one.index:.2f} against stages/validate/baseline.json ({'; '.join(one.values)}) - "
        "if this was wanted, run `python -m stages.validate baseline` and commit the file"
        for one in drift.shifts
    ]


def _left_out(now: TableCounts, baseline: Baseline) -> dict[str, str]:
    few = {table: f"{rows:,} rows; below {_LEAST_ROWS} chance alone moves the index" for table, rows in now.small.items()}
    new = {table: "the baseline has no such table" for table in now.tables.keys() - baseline.tables.keys()}
    gone = {table: "this build has no such table" for table in baseline.tables.keys() - now.tables.keys() - few.keys()}
    return dict(sorted((gone | new | few).items()))


def _share(counts: Mapping[str, int], value: str) -> float:
    return max(_FLOOR, counts.get(value, 0) / max(1, sum(counts.values())))


def _moved(then: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    furthest = sorted({*then, *now}, key=lambda value: (-abs(_share(now, value) - _share(then, value)), value))
    return [f"{value} {_percent(then, value)} -> {_percent(now, value)}" for value in furthest[:_SHOWN]]


def _percent(counts: Mapping[str, int], value: str) -> str:
    return f"{counts.get(value, 0) / max(1, sum(counts.values())):.1%}"


def _counts(values: list[Any]) -> dict[str, int]:
    return dict(sorted(Counter(str(value) for value in values if value is not None).items()))
