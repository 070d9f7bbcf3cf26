"""Which response belongs to which item: by the numbers or ids that stand beside responses, else by their order."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from stages.errors import InputError
from stages.public_benchmarks.items import Items
from stages.validate.loose_tables import Record

ID_FIELDS = ("item_id", "item", "question_id", "qid", "doc_id", "id", "custom_id", "sample_id", "task_id")  # name one item
PLACE_FIELDS = ("index", "idx", "item_index", "sample_index", "number", "no", "row")  # may also count something else
_NUMBERED = re.compile(r"(.*?)(\d{1,9})", re.DOTALL)
_SHOWN = 10


def in_order(numbers: Sequence[int]) -> list[int] | None:
    """Where the entry of each place stands: numbers are all from 0 or from 1 in any order, or only grow; else None."""
    if sorted(numbers) in (list(range(len(numbers))), list(range(1, len(numbers) + 1))):
        return sorted(range(len(numbers)), key=lambda entry: numbers[entry])
    grows = all(one < other for one, other in itertools.pairwise(numbers))
    return list(range(len(numbers))) if grows else None


def for_items(texts: Sequence[str], items: Items) -> list[str]:
    """One text per usable item, of one for every row of the benchmark file or one for every usable item."""
    return list(texts) if len(texts) == len(items.items) else [texts[item.place - 1] for item in items.items]


def fits(count: int, items: Items) -> bool:
    """Whether there is a response for every row, or for every row that can be used."""
    return count in (items.rows, len(items.items))


def place_records(path: Path, records: Sequence[Record], items: Items) -> tuple[list[Record], str, list[str]]:
    """Records in the order of the items, the field that says so (empty: as they stand), and notes.

    One record for every row or for every usable item. Raises InputError where ids match in part, or numbers disagree.
    """
    fields = {str(name).casefold(): name for record in reversed(records) for name in record}
    notes = []
    for name in [fields[one] for one in (*ID_FIELDS, *PLACE_FIELDS) if one in fields]:
        values = [_written(record.get(name)) for record in records]
        if not all(values):
            notes += [f"`{name}` stands in some records only: it does not order them"] if any(values) else []
            continue
        placed = _by_id(path, name, records, values, items) or _by_number(records, values, items)
        if placed is not None:
            return placed, name, []  # what other fields do not order is of no interest then
        if len(set(values)) > 1:
            _check_unknown(path, name, values, items)
            notes.append(f"`{name}` names no items of the benchmark: responses are taken in their order")
    if not fits(len(records), items):
        refuse_count(path, "responses", len(records), items)
    return list(records), "", notes


def refuse_count(path: Path, what: str, count: int, items: Items, detail: str = "") -> NoReturn:
    """Raise the InputError of responses that are not as many as the items."""
    raise InputError(
        f"{path} has {count:,} {what}, the benchmark file {items.rows:,} items{f' ({detail})' if detail else ''}.",
        allowed="one response for each item, an empty one where the model gave none",
        remedy="Give the responses of this benchmark file, in its order and with none left out; "
        "a table needs a header line and the ending .tsv, .csv or .jsonl.",
    )


def disagreement(numbers: Sequence[int], rows: int) -> str:
    """What is wrong with numbers that should count `rows` items from 0 or from 1."""
    first = 0 if 0 in numbers else 1
    found = {
        "missing": sorted(set(range(first, first + rows)) - set(numbers)),
        "twice": sorted(number for number, count in Counter(numbers).items() if count > 1),
        "beyond the last item": sorted(number for number in set(numbers) if number >= first + rows),
    }
    return "; ".join(f"{what}: {some(which)}" for what, which in found.items() if which) or "their numbers neither count nor grow"


def some(values: Sequence[Any]) -> str:
    """The first of them, and how many more there are."""
    shown = ", ".join(map(str, values[:_SHOWN]))
    return f"{shown} and {len(values) - _SHOWN:,} more" if len(values) > _SHOWN else shown


def _by_id(
    path: Path, name: str, records: Sequence[Record], values: Sequence[str], items: Items
) -> list[Record] | None:  # fmt: skip
    """Records by item id, of benchmarks that have ids of their own; records of other items are left out."""
    wanted = [item.id for item in items.items]
    if wanted == [str(item.place) for item in items.items] or not set(values) & set(wanted):
        return None
    missing = sorted(set(wanted) - set(values))
    twice = sorted(value for value, count in Counter(values).items() if count > 1 and value in set(wanted))
    if missing and not twice and fits(len(values), items) and in_order(_numbers(values) or [1, 0]) is not None:
        return None  # numbers that count the rows, some of which are ids as well
    if missing or twice:
        parts = [f"{what}: {some(which)}" for what, which in (("missing", missing), ("twice", twice)) if which]
        refuse_count(path, f"responses (by `{name}`)", len(records), items, "; ".join(parts))
    by_id = dict(zip(values, records, strict=True))
    return [by_id[one] for one in wanted]


def _by_number(records: Sequence[Record], values: Sequence[str], items: Items) -> list[Record] | None:
    """Records by numbers, bare or after the same letters (`request-7`), that count the items from 0 or from 1 or only grow."""
    numbers = _numbers(values)
    order = in_order(numbers) if numbers and fits(len(numbers), items) else None
    return None if order is None else [records[entry] for entry in order]


def _check_unknown(path: Path, name: str, values: Sequence[str], items: Items) -> None:
    """Refuse numbers that are meant to tell the order and do not; other ids may be anything."""
    numbers = _numbers(values)
    counts = numbers and name.casefold() in ID_FIELDS and set(numbers) & set(range(items.rows + 1))
    if counts and len(numbers) * 2 > items.rows:
        refuse_count(path, f"responses (by `{name}`)", len(values), items, disagreement(numbers, items.rows))


def _numbers(values: Sequence[str]) -> list[int] | None:
    matches = [_NUMBERED.fullmatch(value) for value in values]
    if not all(matches) or len({match[1] for match in matches if match}) > 1:
        return None
    return [int(match[2]) for match in matches if match]


def _written(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)
