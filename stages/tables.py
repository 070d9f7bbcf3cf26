"""Parquet and JSON in and out: schema checked, written beside the target and renamed, never half a file.

A row type is a `msgspec.Struct`. `str`, `int`, `float`, `bool`, `X | None` and `list[...]` of these become
Parquet columns of that type; any other annotation (dicts, nested structs) is stored as a JSON string.
The same rows give the same bytes: they are written in groups of ROW_GROUP rows, so that a table that is made row by
row, or read row by row, never stands in memory whole.
"""

import hashlib
import itertools
import json
import os
import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from stages.errors import InputError

Row = TypeVar("Row", bound=msgspec.Struct)

ROW_GROUP = 10_000  # rows of a Parquet row group: 30 MB of the longest rows; part of every table's bytes
TOGETHER = 1_000  # rows that stand in memory as Python objects at once, on their way to or from Arrow


class Reject(msgspec.Struct, frozen=True):
    """A record that could not be used: nothing is dropped without one of these."""

    source: str  # the source or stage that rejected it
    record: str  # an id or the first words of the record
    reason: str  # a short stable key that is counted: "empty-text", "unresolved-id"
    detail: str = ""


def content_id(*parts: str) -> str:
    """16 hex digits that depend on nothing but `parts`: the same id on every machine."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def write_table(path: str | Path, rows: Iterable[Row], row_type: type[Row]) -> int:
    """Write `rows` to `path` atomically and return how many they were."""
    import pyarrow.parquet as pq

    schema, packed = _schema(row_type)
    count = 0
    with _replacing(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for group in _chunks(rows, ROW_GROUP):
            table = _arrow_table(group, schema, packed)
            writer.write_table(table, row_group_size=ROW_GROUP)
            count += len(table)
        if not count:
            writer.write_table(schema.empty_table())
    return count


def read_table(path: str | Path, row_type: type[Row]) -> list[Row]:
    """All rows of `path`. Raises InputError if it is missing, damaged or has other columns."""
    return list(read_rows(path, row_type))


def read_rows(path: str | Path, row_type: type[Row]) -> Iterator[Row]:
    """The rows of `path`, few of them in memory at once. Raises InputError as `read_table` does, when it meets the fault."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, packed = _schema(row_type)
    try:
        with pq.ParquetFile(path) as file:
            if file.schema_arrow.names != schema.names:
                raise InputError(
                    f"{path} has the columns {file.schema_arrow.names}.",
                    allowed=f"{schema.names} ({row_type.__module__}.{row_type.__name__})",
                    remedy="The file was made by another version: run `dvc repro`.",
                )
            for batch in file.iter_batches(TOGETHER):
                yield from _from_records(batch.to_pylist(), row_type, packed)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.", remedy="Run `dvc repro`, which makes it.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} is not a readable Parquet file: {error}", remedy="Delete it and run `dvc repro`.") from error
    except (msgspec.DecodeError, TypeError) as error:
        raise InputError(f"{path} holds a value of the wrong type: {error}", remedy="Delete it and run `dvc repro`.") from error


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` with sorted keys and a final newline, atomically: the same value gives the same bytes."""
    text = json.dumps(msgspec.to_builtins(value), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_text(path, text)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with _replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes as 64 hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _replacing:
    """Context: a temporary path beside `path` that takes its place only if the block succeeds."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")

    def __enter__(self) -> Path:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.temporary

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is None:
            os.replace(self.temporary, self.path)
        else:
            self.temporary.unlink(missing_ok=True)


def _schema(row_type: type[msgspec.Struct]) -> tuple[Any, list[str]]:
    """The Arrow schema of a row type, and the names of the columns stored as JSON strings."""
    import pyarrow as pa

    columns, packed = [], []
    for name, annotation in typing.get_type_hints(row_type).items():
        arrow_type = _arrow_type(annotation)
        if arrow_type is None:
            packed.append(name)
        columns.append(pa.field(name, arrow_type or pa.string()))
    return pa.schema(columns), packed


def _arrow_type(annotation: Any) -> Any:
    import pyarrow as pa

    scalars = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    if annotation in scalars:
        return scalars[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        inner = _arrow_type(arguments[0])
        return pa.list_(inner) if inner is not None else None
    if origin in (typing.Union, types.UnionType) and type(None) in arguments:
        return _arrow_type(next(argument for argument in arguments if argument is not type(None)))
    if origin is typing.Literal:
        return pa.string()
    return None


def _chunks(rows: Iterable[Row], size: int) -> Iterator[Iterator[Row]]:
    """`rows` in pieces of `size`; each must be used up before the next. No rows are no piece."""
    rest = iter(rows)
    for first in rest:
        yield itertools.chain((first,), itertools.islice(rest, size - 1))


def _arrow_table(rows: Iterable[Row], schema: Any, packed: Sequence[str]) -> Any:
    """`rows` as one Arrow table of whole columns: how they came is not seen in the bytes."""
    import pyarrow as pa

    batches = [
        pa.RecordBatch.from_pylist([_to_record(row, packed) for row in few], schema=schema) for few in _chunks(rows, TOGETHER)
    ]
    return pa.Table.from_batches(batches, schema).combine_chunks()


def _from_records(records: list[dict[str, Any]], row_type: type[Row], packed: Sequence[str]) -> list[Row]:
    for name in packed:
        for record in records:
            record[name] = msgspec.json.decode(record[name])
    return msgspec.convert(records, list[row_type])  # type: ignore[valid-type]


def _to_record(row: msgspec.Struct, packed: Sequence[str]) -> dict[str, Any]:
    record = msgspec.to_builtins(row)
    for name in packed:
        record[name] = json.dumps(record[name], sort_keys=True, ensure_ascii=False)
    return record
