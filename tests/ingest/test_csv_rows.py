"""CSV files of strangers: rows by column, broken ones named."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.csv_rows import csv_rows
from stages.ingest.params import File, Source
from stages.ingest.records import Records, SourceFiles


def read_rows(folder: Path, content: bytes, columns: tuple[str, ...] = ("id", "text")) -> tuple[list[dict[str, str]], Records]:
    path = folder / "rows.csv"
    path.write_bytes(content)
    source = Source(reader="toy", version="1", licence="CC0-1.0", files={"rows": File(pin="rows")})
    records = Records("toy", source, passage_chars=1200)
    return [row for _, row in csv_rows(SourceFiles("toy", source, {"rows": path}), "rows", records, columns)], records


def test_quotes_breaks_comments_and_a_mark_of_byte_order(tmp_path: Path) -> None:
    rows, records = read_rows(tmp_path, '\ufeffid,text\r\n1,"a, ""b""\r\n# c"\r\n\r\n2,d,more\r\n'.encode())
    assert rows == [{"id": "1", "text": 'a, "b"\r\n# c'}, {"id": "2", "text": "d"}] and not records.rejects
    assert read_rows(tmp_path, b"#made: today\nid,text\n1,#x\n")[0] == [{"id": "1", "text": "#x"}]


def test_broken_rows_are_rejects_with_their_number(tmp_path: Path) -> None:
    content = b"id,text\n1,\xff\n2\n3," + b"x" * 200_000 + b"\n4,whole\n"
    rows, records = read_rows(tmp_path, content)
    assert rows == [{"id": "4", "text": "whole"}]
    assert [(one.reason, one.record.rsplit(", ", 1)[1]) for one in records.rejects] == [
        ("not-utf8", "record 2"), ("broken-record", "record 3"), ("broken-record", "record 4"),
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"\n", b"name,text\n1,2\n", b"\x00\xff\xfe", b"#only a comment"])
def test_a_file_without_the_columns(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"rows\.csv has no column id"):
        read_rows(tmp_path, content)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60).filter(lambda content: b'"' not in content))  # a quote may take the next row into its own
def test_any_bytes_in_a_rows_place_leave_the_row_after_it(tmp_path: Path, content: bytes) -> None:
    rows, _ = read_rows(tmp_path, b"id,text\n" + content + b"\nlast,row\n")
    assert rows[-1] == {"id": "last", "text": "row"}
