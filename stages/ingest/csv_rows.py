"""CSV of strangers: rows by column name; a row that is broken is a reject and the rest is read."""

import csv
import io
from collections.abc import Iterator
from itertools import dropwhile

from stages.errors import InputError
from stages.ingest.records import Records, SourceFiles


def csv_rows(files: SourceFiles, role: str, records: Records, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """(number of the record, its values by column) of the CSV file `role`. Lines before the header that start with `#` are comments.

    Raises InputError if the file has none of the `columns` in its first line. Rejects rows that are not UTF-8 or have
    fewer values than columns.
    """
    content = io.TextIOWrapper(io.BytesIO(files.read(role)), encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = _rows(csv.reader(dropwhile(lambda line: line.startswith("#"), content)), files.where(role), records)
    header = [name.strip() for name in next((row for _, row in rows), [])]
    missing = [name for name in columns if name not in header]
    if missing:
        raise InputError(
            f"{files.where(role)} has no column {', '.join(missing)}; its first line is {','.join(header)[:200]!r}.",
            allowed=f"a CSV file with the columns {', '.join(columns)}",
            remedy="Pin the file that the reader knows, or extend the reader.",
        )
    for number, row in rows:
        if not row:
            continue
        reason = _reason_to_drop(row, header)
        if reason:
            records.reject(f"{files.where(role)}, record {number}", reason, ascii(row[0])[:80])
        else:
            yield number, dict(zip(header, row, strict=False))


def _rows(reader: Iterator[list[str]], where: str, records: Records) -> Iterator[tuple[int, list[str]]]:
    """Rows with their numbers. What the parser refuses (an endless field) is a reject: it goes on after it."""
    number = 0
    while True:
        number += 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            records.reject(f"{where}, record {number}", "broken-record", str(error))


def _reason_to_drop(row: list[str], header: list[str]) -> str:
    try:
        "".join(row).encode()
    except UnicodeEncodeError:  # what was no UTF-8 was read as lone surrogates
        return "not-utf8"
    return "broken-record" if len(row) < len(header) else ""
