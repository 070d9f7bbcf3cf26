"""Tables keep every value, refuse foreign columns, never leave half a file and are byte-equal for equal rows."""

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.tables import content_id, file_sha256, read_rows, read_table, write_json, write_table, write_text


class Thing(msgspec.Struct, frozen=True):
    id: str
    count: int
    share: float
    seen: bool
    names: list[str]
    extra: dict[str, Any]
    score: int | None = None


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
things = st.builds(
    Thing,
    id=texts,
    count=st.integers(-(2**62), 2**62),
    share=st.floats(allow_nan=False),
    seen=st.booleans(),
    names=st.lists(texts, max_size=3),
    extra=st.dictionaries(texts, st.lists(texts, max_size=2), max_size=3),
    score=st.none() | st.integers(1, 10),
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(things, max_size=5))
def test_every_value_survives(tmp_path_factory: pytest.TempPathFactory, rows: list[Thing]) -> None:
    path = tmp_path_factory.mktemp("tables") / "things.parquet"
    assert write_table(path, rows, Thing) == len(rows)
    assert read_table(path, Thing) == rows


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    first = Thing("a", 1, 0.5, True, ["x"], {"b": 1, "a": 2})
    second = Thing("a", 1, 0.5, True, ["x"], {"a": 2, "b": 1})
    write_table(tmp_path / "1.parquet", [first], Thing)
    write_table(tmp_path / "2.parquet", [second], Thing)
    assert file_sha256(tmp_path / "1.parquet") == file_sha256(tmp_path / "2.parquet")


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    good = Thing("a", 1, 0.5, True, [], {})
    write_table(path, [good], Thing)
    with pytest.raises(Exception, match="Could not convert|not a int|tried to convert"):
        write_table(path, [msgspec.structs.replace(good, count="many")], Thing)
    assert read_table(path, Thing) == [good]
    assert [file.name for file in tmp_path.iterdir()] == ["things.parquet"]


def test_foreign_columns_are_refused_with_both_lists(tmp_path: Path) -> None:
    class Other(msgspec.Struct):
        id: str

    write_table(tmp_path / "other.parquet", [Other("a")], Other)
    with pytest.raises(InputError, match=r"(?s)other\.parquet has the columns.*count.*Remedy"):
        read_table(tmp_path / "other.parquet", Thing)


def test_missing_and_truncated_tables_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dvc repro"):
        read_table(tmp_path / "none.parquet", Thing)
    path = tmp_path / "cut.parquet"
    write_table(path, [Thing("a", 1, 0.5, True, [], {})], Thing)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"cut\.parquet is not a readable Parquet file"):
        read_table(path, Thing)


def test_json_is_sorted_and_ends_with_a_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "a": "é",\n  "b": 1\n}\n'


def test_text_goes_where_no_folder_was(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.md", "text")
    assert (tmp_path / "new" / "a.md").read_text(encoding="utf-8") == "text"


def test_content_ids_keep_their_parts_apart() -> None:
    assert content_id("ab", "c") != content_id("a", "bc")
    assert content_id("ab", "c") == content_id("ab", "c")


def test_a_value_of_the_wrong_type_names_the_file(tmp_path: Path) -> None:
    class Loose(msgspec.Struct):
        id: str | None
        count: int
        share: float
        seen: bool
        names: list[str]
        extra: dict[str, Any]
        score: int | None = None

    write_table(tmp_path / "loose.parquet", [Loose(None, 1, 0.5, True, [], {})], Loose)
    with pytest.raises(InputError, match=r"loose\.parquet holds a value of the wrong type"):
        read_table(tmp_path / "loose.parquet", Thing)


def test_a_small_table_has_the_bytes_that_pyarrow_writes_at_once(tmp_path: Path) -> None:
    rows = [Thing(f"id {n}", n, n / 7, n % 2 == 0, ["x"] * (n % 3), {"n": n}, n % 10 or None) for n in range(2_500)]
    write_table(tmp_path / "ours.parquet", rows, Thing)
    records = [msgspec.to_builtins(row) | {"extra": msgspec.json.encode(row.extra).decode().replace(":", ": ")} for row in rows]
    types = [pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.list_(pa.string()), pa.string(), pa.int64()]
    schema = pa.schema(zip(Thing.__struct_fields__, types, strict=True))
    pq.write_table(pa.Table.from_pylist(records, schema=schema), tmp_path / "theirs.parquet", compression="zstd")
    assert file_sha256(tmp_path / "ours.parquet") == file_sha256(tmp_path / "theirs.parquet")
    assert write_table(tmp_path / "none.parquet", [], Thing) == 0
    pq.write_table(schema.empty_table(), tmp_path / "empty.parquet", compression="zstd")
    assert file_sha256(tmp_path / "none.parquet") == file_sha256(tmp_path / "empty.parquet")


def test_a_table_of_several_row_groups_is_made_and_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.tables.ROW_GROUP", 25)
    monkeypatch.setattr("stages.tables.TOGETHER", 10)
    rows = [Thing(str(n), n, 0.5, True, [], {}) for n in range(60)]
    made: list[int] = []
    assert write_table(tmp_path / "stream.parquet", (made.append(row.count) or row for row in rows), Thing) == 60
    assert pq.ParquetFile(tmp_path / "stream.parquet").num_row_groups == 3
    found = read_rows(tmp_path / "stream.parquet", Thing)
    assert next(found) == rows[0]
    assert [rows[0], *found] == rows
