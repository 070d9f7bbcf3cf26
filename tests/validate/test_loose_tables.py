import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.errors import InputError
from stages.validate.loose_tables import read_records, strings

RECORDS = [{"id": "1", "question": "What, is\tit?"}, {"id": "2", "question": 'Say "so"'}]


def write(path: Path) -> Path:
    lines = [json.dumps(record) for record in RECORDS]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(RECORDS), path)
    elif path.suffix in (".csv", ".tsv"):
        separator = "\t" if path.suffix == ".tsv" else ","
        cells = ['"' + record["question"].replace('"', '""') + '"' for record in RECORDS]
        path.write_text(f"id{separator}question\n1{separator}{cells[0]}\n2{separator}{cells[1]}\n")
    else:
        path.write_text("\n".join(lines) if path.suffix == ".jsonl" else f"[{','.join(lines)}]")
    return path


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".tsv", ".parquet"])
def test_every_format_gives_the_same_records(tmp_path: Path, ending: str) -> None:
    assert read_records(write(tmp_path / f"data{ending}")) == RECORDS


def test_json_that_wraps_its_records(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"name": "x", "questions": RECORDS}))
    (tmp_path / "b.json").write_text(json.dumps({"q1": {"question": "one"}, "q2": {"question": "two"}}))
    assert read_records(tmp_path / "a.json") == RECORDS
    assert read_records(tmp_path / "b.json")[1] == {"id": "q2", "question": "two"}


def test_strings_inside_messages_are_found() -> None:
    assert list(strings({"messages": [{"role": "user", "content": "a"}], "n": 1})) == ["user", "a"]


def test_messages_packed_into_a_string_and_bytes_are_read() -> None:
    packed = json.dumps([{"role": "user", "content": "one\ntwo"}])
    assert list(strings({"messages": packed, "raw": b"three", "image": b"\xff\xd8"})) == ["user", "one\ntwo", "three", ""]
    assert list(strings('{"event": "x"}')) == ['{"event": "x"}']


def test_every_split_of_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"train": [{"text": "a"}] * 3, "info": ["x"], "test": [{"text": "b"}]}))
    assert [record["text"] for record in read_records(tmp_path / "a.json")] == ["a", "a", "a", "b"]


def test_quotes_swallow_no_record(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('question\tkey\n"Open is text\t1\n"So" is this\t2\nplain\t3\n')
    assert [record["question"] for record in read_records(tmp_path / "a.tsv")] == ['"Open is text', '"So" is this', "plain"]
    (tmp_path / "a.csv").write_text('question,key\na,1\n"open,2\nb,3\n')
    with pytest.raises(InputError, match=r"a\.csv.*the row that begins at line 3"):
        read_records(tmp_path / "a.csv")


def test_a_table_with_semicolons_and_columns_without_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("question;;\nWhat, is it?;a\n")
    assert read_records(tmp_path / "a.csv") == [{"question": "What, is it?", "(column 2)": "a", "(column 3)": None}]


def test_half_characters_become_replacements(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "\\uD800", "text": "\\ud83d\\ude00 \\udfff"}\n')
    assert read_records(tmp_path / "a.jsonl") == [{"id": "\ufffd", "text": "\U0001f600 \ufffd"}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"a": 1}\nnot json\n', "line 2"),
        ("a.jsonl", b"[1, 2]\n", "line 1: a list"),
        ("a.json", b"3", "no records"),
        ("a.json", b"[" * 100_000, "not JSON"),
        ("a.parquet", b"PAR1", "not a readable Parquet"),
        ("a.csv", b"text,text\nlost,kept\n", "line 1: the column text"),
        ("a.csv", b"One two three four five six seven eight nine ten eleven twelve thirteen,b\nx,y\n", "no name of a column"),
        ("a.tsv", b'question\tkey\n"open\t1\t2\nb\t2\n', "line 2"),
        ("a.csv", b"\xff\xfe\x00", "cannot be read"),
        ("a.xlsx", b"", "ending"),
    ],
)
def test_bad_files_are_named_with_a_remedy(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_records(tmp_path / name)
    assert name in str(error.value) and "Remedy" in str(error.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_records(tmp_path / "none.jsonl")
