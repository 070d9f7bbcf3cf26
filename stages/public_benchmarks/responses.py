"""Responses that any model gave anywhere, one for each item of a benchmark file.

Three forms are read: text blocks with a line `#####n#####` each; a column of a TSV, CSV or Parquet table; JSONL or JSON with
a field for the response. Tables that name or number items are put in order by that. A plain text has one response to a line.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from stages.errors import InputError
from stages.public_benchmarks.blocks import begins_with_block, read_blocks
from stages.public_benchmarks.declarations import Declaration
from stages.public_benchmarks.fields import choose_field, field_names, text_of
from stages.public_benchmarks.items import Items
from stages.public_benchmarks.placing import fits, for_items, place_records, refuse_count, some
from stages.tables import file_sha256
from stages.validate.loose_tables import BEYOND, FORMATS, Record, read_records


class Responses(NamedTuple):
    """What a file of responses holds, and how it was read."""

    texts: list[str]  # one for each usable item
    field: str  # of a table; empty for a text
    ordered_by: str  # the field that names or numbers items; empty: they stand in order
    notes: list[str]  # what a reader of the scores should know


def read_responses(path: Path, items: Items, benchmark: Declaration, *, asked: Path | None = None, field: str = "") -> Responses:
    """The response to every usable item, in the order of `items.items`. `asked` is the benchmark file.

    Raises InputError where responses and items do not agree in number, no field can be told, or `path` is the benchmark itself.
    """
    if not path.is_file():
        found = "is no file" if path.exists() else "does not exist"
        raise InputError(f"{path} {found}.", remedy="Name the file of responses.")
    if asked is not None and file_sha256(path) == file_sha256(asked) and not _is_further(field, benchmark):
        raise InputError(
            f"{path} is the benchmark file itself: its columns are questions and keys.",
            remedy="Name the file of responses; if both are one table, name the column of responses with --field.",
        )
    if path.suffix.lower() == ".parquet" or (path.suffix.lower() in FORMATS and not begins_with_block(path)):
        return _from_records(path, _by_key(read_records(path), items), items, benchmark, field)
    return _from_text(path, items, benchmark, field)


def _is_further(field: str, benchmark: Declaration) -> bool:
    """Whether a field is named that is none of the benchmark's."""
    columns = benchmark.columns
    return bool(field) and field not in (columns.question, columns.answer, columns.prompt, columns.system, *columns.options)


def _by_key(records: Sequence[Record], items: Items) -> Sequence[Record]:
    """The records of a JSON file `{"1": "response", ...}`, which is read as one."""
    whole = records[0] if len(records) == 1 else {}
    if len(whole) > 1 and fits(len(whole), items) and all(isinstance(value, str) for value in whole.values()):
        return [{"id": name, "response": value} for name, value in whole.items()]
    return records


def _from_text(path: Path, items: Items, benchmark: Declaration, field: str) -> Responses:
    """Blocks; without any, JSONL of another ending; else one response to a line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error}", remedy="Convert the file.") from error
    blocks = read_blocks(path, text, items)
    if blocks is None and (records := _json_lines(text)):
        found = _from_records(path, records, items, benchmark, field)
        return found._replace(notes=[f"{path.name} is read as JSONL, whatever its ending", *found.notes])
    if field:
        raise InputError(f"{path} is a text file, which has no field {field!r}.", allowed=", ".join(FORMATS))
    if blocks is not None:
        return Responses(for_items(blocks.texts, items), "", "", blocks.notes)
    lines = text.removesuffix("\n").split("\n") if text else []
    while len(lines) > items.rows and not lines[-1].strip():
        lines.pop()
    if not fits(len(lines), items):
        refuse_count(path, "lines (it has no blocks `#####n#####`)", len(lines), items)
    return Responses(for_items(lines, items), "", "", [])


def _json_lines(text: str) -> list[Record]:
    """The objects of a text that holds one on every line that is not empty; else nothing."""
    records = []
    for line in filter(str.strip, text.split("\n")):
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            return []
        if not isinstance(records[-1], dict):
            return []
    return records


def _from_records(path: Path, records: Sequence[Record], items: Items, benchmark: Declaration, field: str) -> Responses:
    if not records:
        raise InputError(f"{path} holds no responses.", allowed=f"{items.rows:,} of them", remedy="Name a file with responses.")
    chosen = field or choose_field(path, records, benchmark.columns)
    if chosen not in field_names(records):
        raise InputError(
            f"{path} has no field {chosen!r}.", allowed=", ".join(field_names(records)), remedy="Name another one with --field."
        )
    notes = _joined(path, records, chosen)
    texts, more = _texts(path, records, chosen)
    placed, by, unknown = place_records(
        path, [{**record, chosen: text} for record, text in zip(records, texts, strict=True)], items
    )
    return Responses(for_items([str(record[chosen]) for record in placed], items), chosen, by, [*notes, *more, *unknown])


def _joined(path: Path, records: Sequence[Record], chosen: str) -> list[str]:
    """Put back what a separator within a response has cut off its end: only the last column can be mended so."""
    cut = [number for number, record in enumerate(records, 1) if BEYOND in record]
    if not cut:
        return []
    columns = [name for name in records[cut[0] - 1] if name != BEYOND]
    if chosen != columns[-1]:
        raise InputError(
            f"{path}: {len(cut):,} rows have more columns than the header (rows {some(cut)}).",
            allowed=", ".join(columns),
            remedy="Quote cells that hold the separator, or give JSONL.",
        )
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    for number in cut:
        record = records[number - 1]
        record[chosen] = separator.join([record[chosen], *record[BEYOND]])
    return [f"{len(cut):,} rows have more columns than the header: read as one response each (rows {some(cut)})"]


def _texts(path: Path, records: Sequence[Record], chosen: str) -> tuple[list[str], list[str]]:
    """The response of each record, and which have none. Raises InputError if none has one that can be read."""
    texts = [text_of(record.get(chosen)) for record in records]
    unread = [number for number, text in enumerate(texts, 1) if text is None]
    absent = [number for number, record in enumerate(records, 1) if record.get(chosen) is None]
    if len(unread) + len(absent) == len(records) and unread:
        raise InputError(
            f"{path}: no response of the field {chosen!r} can be read (objects without a text).",
            remedy="Name another field with --field, or write each response as a string.",
        )
    notes = [f"{len(rows):,} of {len(records):,} records {what} `{chosen}`: counted as empty (records {some(rows)})"
             for what, rows in (("have nothing in", absent), ("hold no text in", unread)) if rows]  # fmt: skip
    return [text or "" for text in texts], notes
