"""Records from any JSONL, JSON, CSV, TSV or Parquet file, for people who bring their own data."""

import csv
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stages.errors import InputError

Record = dict[str, Any]
BEYOND = "(beyond the last column)"
_NAME_WORDS = 12  # of a column's name; a longer one is the first record of a file without names
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
FORMATS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")


def read_records(path: Path) -> list[Record]:
    """All records of `path`, by its ending. Raises InputError that names the file, and the line where there is one."""
    readers = {".jsonl": _jsonl, ".ndjson": _jsonl, ".json": _json, ".csv": _separated, ".tsv": _separated, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path} has the ending `{path.suffix}`.", allowed=", ".join(FORMATS), remedy="Convert or rename the file."
        )
    try:
        return list(reader(path))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.", remedy="Name an existing file.") from None
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}", remedy="Name a readable UTF-8 file.") from error


def strings(value: Any) -> Iterator[str]:
    """Every string inside `value`: chat messages, lists of options, nested records; also messages as a string of JSON, and UTF-8 bytes."""
    if isinstance(value, bytes):
        yield from strings(_decoded(value))
    elif isinstance(value, str):
        inner = packed(value)
        yield from [value] if inner is None else strings(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


def packed(text: str) -> list[Any] | None:
    """The chat messages or options that a string of JSON holds, as a column of CSV has them; None if it is plain text."""
    if text[:1] != "[" or text[-1:] != "]":
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    texts = all(isinstance(inner, str) for inner in value)
    messages = all(isinstance(inner, dict) and inner.keys() & {"content", "value"} for inner in value)
    return _whole(value) if value and (texts or messages) else None


def require_fields(path: Path, records: Sequence[Record], fields: Sequence[str]) -> None:
    """Raise InputError if no record has one of the named fields."""
    known = sorted({name for record in records for name in record})
    missing = [name for name in fields if name not in known]
    if missing:
        raise InputError(f"{path} has no field {', '.join(missing)}.", allowed=", ".join(known), remedy="Name other fields.")


def _jsonl(path: Path) -> Iterator[Record]:
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _record(path, f"line {number}", _parse(path, f"line {number}", line))


def _json(path: Path) -> Iterator[Record]:
    value = _parse(path, "the file", path.read_text(encoding="utf-8-sig"))
    if isinstance(value, dict):
        value = _records_of(value)
    if not isinstance(value, list):
        raise InputError(f"{path} holds no records.", allowed="a list of objects", remedy="Convert the file to JSONL.")
    for number, inner in enumerate(value, 1):
        yield _record(path, f"record {number}", inner)


def _records_of(value: Record) -> list[Any]:
    """The lists of records within `value` (CyberMetric's `questions`, several splits), its columns as records, or records by id."""
    lists = [inner for inner in value.values() if isinstance(inner, list) and inner]
    if records := [record for inner in lists if isinstance(inner[0], dict) for record in inner]:
        return records
    if len(lists) == len(value) and len({len(inner) for inner in lists}) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]
    by_id = [{"id": key, **inner} for key, inner in value.items() if isinstance(inner, dict)]
    if len(by_id) == len(value) == 1:
        return _records_of(next(iter(value.values())))
    return by_id if len(by_id) > 1 else [value]


def _separated(path: Path) -> Iterator[Record]:
    """Rows of CSV (also with `;`) or TSV. What quotes would swallow is never lost: TSV is then read without them, CSV refused."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with open(path, encoding="utf-8-sig", newline="") as file:
        separator = _separator(path, file.readline())
    try:
        yield from _table_rows(path, delimiter=separator, strict=True)
    except csv.Error as error:
        if separator == "\t" and _same_width(path):
            yield from _table_rows(path, delimiter=separator, quoting=csv.QUOTE_NONE)
            return
        raise InputError(f"{path} is not readable as a table: {error}", remedy="Close or double the quotes there.") from error


def _table_rows(path: Path, **dialect: Any) -> list[Record]:
    """All rows; a csv.Error names the line where the broken row began."""
    rows: list[Record] = []
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader, last = csv.reader(file, **dialect), 0
        try:
            header = _checked_header(path, next(reader, []))
            last = reader.line_num
            for cells in reader:
                last = reader.line_num
                if cells:
                    row: Record = dict(zip(header, [*cells, *[None] * (len(header) - len(cells))], strict=False))
                    rows.append(row | {BEYOND: cells[len(header) :]} if len(cells) > len(header) else row)
        except csv.Error as error:
            raise csv.Error(f"the row that begins at line {last + 1}: {error}") from error
    return rows


def _checked_header(path: Path, header: list[str]) -> list[str]:
    """Names of the columns; one without a name is named by its place."""
    names = [name if name.strip() else f"(column {place})" for place, name in enumerate(header, 1)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{path}, line 1: the column {', '.join(twice)} stands there twice.", remedy="Rename one of them.")
    if long := next((name for name in names if len(name.split()) > _NAME_WORDS), ""):
        raise InputError(
            f"{path}, line 1: `{long[:60]}...` is no name of a column.", remedy="Put a line with the columns' names first."
        )
    return names


def _separator(path: Path, header: str) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    return next((one for one in ",;\t" if one in header), ",")


def _same_width(path: Path) -> bool:
    """Whether every line has as many tabs as the first: then quotes are only text."""
    with open(path, encoding="utf-8-sig") as file:
        return len({line.count("\t") for line in file if line.strip()}) == 1


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        yield from pq.read_table(path).to_pylist()
    except pa.ArrowException as error:
        raise InputError(f"{path} is not a readable Parquet file: {error}", remedy="Check the file.") from error


def _parse(path: Path, place: str, text: str) -> Any:
    try:
        value = json.loads(text)
        return _whole(value) if _SURROGATE.search(text) else value
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(
            f"{path}, {place}: not JSON ({error}).", remedy="Mend the line, or give the file its right ending."
        ) from error


def _whole(value: Any) -> Any:
    """`value` in which halves of surrogate pairs, which no file can hold, become U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return {_whole(name): _whole(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return ""


def _record(path: Path, place: str, value: Any) -> Record:
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"text": value}
    raise InputError(f"{path}, {place}: a {type(value).__name__}.", allowed="an object", remedy="Convert the file to JSONL.")
