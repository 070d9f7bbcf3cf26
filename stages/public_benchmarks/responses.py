"""Responses that any model gave anywhere, one for each row of a benchmark file.

Three forms are read: text blocks, each after a line `#####n#####` (as CTI-Bench publishes its logs); a column of a TSV,
CSV or Parquet table; JSONL or JSON with a field for the response. Tables that name items by id are put in order by it.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.errors import InputError
from stages.public_benchmarks.items import Items
from stages.validate.loose_tables import FORMATS, Record, read_records

FIELDS = (
    "response", "responses", "output", "outputs", "model_output", "completion", "generation", "generated_text", "generated",
    "answer_text", "prediction", "predictions", "predicted", "model_answer", "llm_answer", "filtered_resps", "resps", "text", "content", "answer",
)  # fmt: skip
ID_FIELDS = ("item_id", "item", "question_id", "qid", "id")
_BLOCK = re.compile(r"^[ \t]*#{3,}[ \t]*(\d{1,7})[ \t]*#{3,}[ \t]*$")
_SHOWN = 10


def read_responses(path: Path, items: Items, field: str = "") -> list[str]:
    """One response per usable item, in the order of `items.items`.

    Raises InputError where responses and rows of the benchmark do not agree in number, or no field can be told.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist.", remedy="Name the file of responses.")
    if path.suffix.lower() in FORMATS and not _has_blocks(path):
        found = _from_table(path, items, field)
    else:
        if field:
            raise InputError(f"{path} is a text file, which has no field {field!r}.", allowed=", ".join(FORMATS))
        found = _from_text(path, items.rows)
    return [found[item.place - 1] for item in items.items]


def read_blocks(text: str) -> list[tuple[int, str]]:
    """Number and text of every block after a line `#####n#####`; what stands before the first is left out."""
    blocks: list[tuple[int, list[str]]] = []
    for line in text.splitlines():
        if match := _BLOCK.match(line):
            blocks.append((int(match[1]), []))
        elif blocks:
            blocks[-1][1].append(line)
    return [(number, "\n".join(lines).strip()) for number, lines in blocks]


def _has_blocks(path: Path) -> bool:
    if path.suffix.lower() == ".parquet":
        return False
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        return any(_BLOCK.match(line) for _, line in zip(range(3), file, strict=False))


def _from_text(path: Path, rows: int) -> list[str]:
    """Blocks by their numbers, from 1 or from 0; without blocks one response to a line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error}", remedy="Convert the file.") from error
    blocks = read_blocks(text)
    if not blocks:
        lines = text.splitlines()
        _check_count(path, "lines (it has no blocks `#####n#####`)", len(lines), rows)
        return lines
    numbers = [number for number, _ in blocks]
    first = 0 if 0 in numbers else 1
    twice = sorted(number for number, count in Counter(numbers).items() if count > 1)
    missing = sorted(set(range(first, first + rows)) - set(numbers))
    beyond = sorted(number for number in set(numbers) if number >= first + rows)
    if twice or missing or beyond:
        parts = [
            f"{what} {_some(which)}"
            for what, which in (("missing:", missing), ("twice:", twice), ("beyond the last item:", beyond))
            if which
        ]
        _refuse_count(path, "blocks", len(blocks), rows, "; ".join(parts))
    by_number = dict(blocks)
    return [by_number[number] for number in range(first, first + rows)]


def _from_table(path: Path, items: Items, field: str) -> list[str]:
    records = read_records(path)
    if not records:
        raise InputError(f"{path} holds no responses.", allowed=f"{items.rows:,} of them", remedy="Name a file with responses.")
    chosen = field or _guess(path, records)
    if chosen not in {name for record in records for name in record}:
        raise InputError(
            f"{path} has no field {chosen!r}.", allowed=", ".join(_names(records)), remedy="Name another one with --field."
        )
    by_id = _by_id(path, records, items)
    if by_id is not None:
        usable = {item.place: item.id for item in items.items}
        return [_text(by_id[usable[place]].get(chosen)) if place in usable else "" for place in range(1, items.rows + 1)]
    texts = [_text(record.get(chosen)) for record in records]
    if len(texts) == len(items.items) != items.rows:  # only the rows that can be used
        by_place = dict(zip((item.place for item in items.items), texts, strict=True))
        return [by_place.get(place, "") for place in range(1, items.rows + 1)]
    _check_count(path, "responses", len(records), items.rows)
    return texts


def _by_id(path: Path, records: Sequence[Record], items: Items) -> dict[str, Record] | None:
    """Records by item id where they name items; None where they only stand in order. Raises InputError for half a match."""
    wanted = {item.id for item in items.items}
    for name in ID_FIELDS:
        values = [str(record[name]) for record in records if record.get(name) is not None]
        known = set(values) & wanted
        in_order = values in ([str(number) for number in range(first, first + len(records))] for first in (0, 1))
        if not known or len(values) < len(records) or (in_order and len(records) == items.rows):
            continue
        twice = [value for value, count in Counter(values).items() if count > 1]
        missing = sorted(wanted - known)
        if twice or missing:
            said = [f"missing: {_some(missing)}"] if missing else []
            said += [f"twice: {_some(sorted(twice))}"] if twice else []
            _refuse_count(path, f"responses (by `{name}`)", len(records), len(wanted), "; ".join(said))
        return dict(zip(values, records, strict=True))
    return None


def _guess(path: Path, records: Sequence[Record]) -> str:
    """The field that holds the response, whatever its case; the only one that there is; else an InputError."""
    names = _names(records)
    by_case = {name.casefold(): name for name in reversed(names)}
    found = next((by_case[field] for field in FIELDS if field in by_case), None)
    left = [
        name
        for name in names
        if name.casefold() not in (*ID_FIELDS, "gt", "index", "url", "prompt", "question", "description", "key", "solution")
    ]
    if found is None and len(left) == 1:
        found = left[0]
    if found is None:
        raise InputError(
            f"{path}: cannot tell which field is the response.", allowed=", ".join(names), remedy="Name it with --field."
        )
    return found


def _names(records: Sequence[Record]) -> list[str]:
    return sorted({str(name) for record in records for name in record if name is not None})


def _text(value: Any) -> str:
    """The response as text: nothing is empty, a list (lm-evaluation-harness) is its first response, a chat message its content."""
    while isinstance(value, list | tuple):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("content") or value.get("text") or ""
    return "" if value is None else str(value)


def _check_count(path: Path, what: str, count: int, rows: int) -> None:
    if count != rows:
        _refuse_count(path, what, count, rows, "")


def _refuse_count(path: Path, what: str, count: int, rows: int, detail: str) -> None:
    raise InputError(
        f"{path} has {count:,} {what}, the benchmark file {rows:,} items{f' ({detail})' if detail else ''}.",
        allowed="one response for each item, an empty one where the model gave none",
        remedy="Give the responses of this benchmark file, in its order and with none left out; a table needs a header line.",
    )


def _some(values: Sequence[Any]) -> str:
    shown = ", ".join(map(str, values[:_SHOWN]))
    return f"{shown} and {len(values) - _SHOWN:,} more" if len(values) > _SHOWN else shown
