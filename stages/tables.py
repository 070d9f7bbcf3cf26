"""Parquet and JSON in and out: schema checked, written beside the target and renamed, never half a file.

A row type is a `msgspec.Struct`. `str`, `int`, `float`, `bool`, `X | None` and `list[...]` of these become
Parquet columns of that type; any other annotation (dicts, nested structs) is stored as a JSON string.
The same rows give the same bytes.
"""

import hashlib
import json
import os
import types
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from stages.errors import InputError

Row = TypeVar("Row", bound=msgspec.Struct)


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
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, packed = _schema(row_type)
    records = [_to_record(row, packed) for row in rows]
    table = pa.Table.from_pylist(records, schema=schema)
    with _replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return len(records)


def read_table(path: str | Path, row_type: type[Row]) -> list[Row]:
    """All rows of `path`. Raises InputError if it is missing, damaged or has other columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, packed = _schema(row_type)
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.", remedy="Run `dvc repro`, which makes it.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} is not a readable Parquet file: {error}", remedy="Delete it and run `dvc repro`.") from error
    if table.schema.names != schema.names:
        raise InputError(
            f"{path} has the columns {table.schema.names}.",
            allowed=f"{schema.names} ({row_type.__module__}.{row_type.__name__})",
            remedy="The file was made by another version: run `dvc repro`.",
        )
    records = table.to_pylist()
    try:
        for name in packed:
            for record in records:
                record[name] = msgspec.json.decode(record[name])
        return msgspec.convert(records, list[row_type])  # type: ignore[valid-type]
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


def _to_record(row: msgspec.Struct, packed: Sequence[str]) -> dict[str, Any]:
    record = msgspec.to_builtins(row)
    for name in packed:
        record[name] = json.dumps(record[name], sort_keys=True, ensure_ascii=False)
    return record
