"""Records from any JSONL, JSON, CSV, TSV or Parquet file, for people who bring their own data."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stages.errors import InputError

Record = dict[str, Any]
BEYOND = "(beyond the last column)"
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
    except (UnicodeDecodeError, IsADirectoryError, PermissionError) as error:
        raise InputError(f"{path} cannot be read: {error}", remedy="Name a readable UTF-8 file.") from error


def strings(value: Any) -> Iterator[str]:
    """Every string inside `value`: chat messages, lists of options, nested records."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


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
    """A list of records within `value` (as CyberMetric's `questions`), its columns as records, or records by id."""
    lists = [inner for inner in value.values() if isinstance(inner, list) and inner]
    if records := [inner for inner in lists if isinstance(inner[0], dict)]:
        return max(records, key=len)
    if len(lists) == len(value) and len({len(inner) for inner in lists}) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]
    by_id = [{"id": key, **inner} for key, inner in value.items() if isinstance(inner, dict)]
    if len(by_id) == len(value) == 1:
        return _records_of(next(iter(value.values())))
    return by_id if len(by_id) > 1 else [value]


def _separated(path: Path) -> Iterator[Record]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with open(path, encoding="utf-8-sig", newline="") as file:
        try:
            yield from csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", restkey=BEYOND)
        except csv.Error as error:
            raise InputError(f"{path} is not readable as a table: {error}", remedy="Check quotes and separators.") from error


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        yield from pq.read_table(path).to_pylist()
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is not a readable Parquet file: {error}", remedy="Check the file.") from error


def _parse(path: Path, place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(
            f"{path}, {place}: not JSON ({error}).", remedy="Mend the line, or give the file its right ending."
        ) from error


def _record(path: Path, place: str, value: Any) -> Record:
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"text": value}
    raise InputError(f"{path}, {place}: a {type(value).__name__}.", allowed="an object", remedy="Convert the file to JSONL.")
