"""Two people read the same rewrite; their agreement is counted, and no reading is lost, doubled or torn."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
import pytest

from stages.errors import InputError
from stages.formats.readings import Reading, agreement, append_reading, load_readings


def make_reading(
    row: str = "r1", reader: str = "ann", place: str = "first", verdict: str = "accept", task: str = "a-b"
) -> Reading:
    return Reading(
        task=task, format_sha256="f", row_id=row, rewrite_sha256=f"w{row}", reader=reader, place=place, verdict=verdict, note="", date="",
    )  # fmt: skip


def read_twice(table: str, task: str = "a-b") -> list[Reading]:
    """Readings from words like `aa ar rr`: first and second verdict of one row each."""
    words = {"a": "accept", "r": "reject"}
    return [
        make_reading(f"r{number}", reader, place, words[letter], task)
        for number, pair in enumerate(table.split())
        for reader, place, letter in (("ann", "first", pair[0]), ("bob", "second", pair[1]))
    ]


def test_agreement_is_that_of_the_textbook() -> None:
    readings = read_twice("aa " * 20 + "ar " * 5 + "ra " * 10 + "rr " * 15)  # share 0.7, by chance 0.5
    found = agreement(readings)["tasks"]["a-b"]
    assert found == {"pairs": 50, "agreed": 35, "share": 0.7, "kappa": 0.4}


def test_kappa_is_undefined_where_chance_explains_everything() -> None:
    assert agreement(read_twice("aa aa"))["all"] == {"pairs": 2, "agreed": 2, "share": 1.0, "kappa": None}
    assert agreement([])["all"] == {"pairs": 0, "agreed": 0, "share": None, "kappa": None}
    assert agreement(read_twice("ar ra"))["all"]["kappa"] == -1.0


def test_only_two_readings_of_the_same_rewrite_by_two_people_are_a_pair() -> None:
    other = msgspec.structs.replace(make_reading("r9", "bob", "second"), rewrite_sha256="another")
    alone = [make_reading("r9"), other, make_reading("r8"), make_reading("r8", "ann", "second")]
    found = agreement([*alone, *read_twice("aa"), *read_twice("ar", "c")])
    assert found["all"]["pairs"] == 2 and {task: one["agreed"] for task, one in found["tasks"].items()} == {"a-b": 1, "c": 0}


def test_the_order_of_the_readings_changes_nothing() -> None:
    readings = read_twice("aa ar ra rr aa")
    assert agreement(readings) == agreement(readings[::-1])


def test_readings_are_kept_by_task_and_come_back(tmp_path: Path) -> None:
    readings = [*read_twice("ar rr"), *read_twice("aa", "c")]
    for reading in readings:
        append_reading(tmp_path / "readings", reading)
    assert load_readings(tmp_path / "readings") == readings and load_readings(tmp_path / "none") == []
    assert sorted(path.name for path in (tmp_path / "readings").iterdir()) == ["a-b.jsonl", "c.jsonl"]


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        (make_reading(place="second"), "ann has read this rewrite of row r1 already"),
        (make_reading("r1", " Ann ", "second"), "has read this rewrite"),
        (make_reading(reader="bob"), "no first reading to give"),
        (make_reading("r2", "bob", "second"), "the place that is due is first"),
        (make_reading("r2", " "), "reader's name"),
        (make_reading(task="../a"), "no task name"),
    ],
)
def test_nobody_reads_twice_and_no_place_is_taken_twice(tmp_path: Path, reading: Reading, says: str) -> None:
    append_reading(tmp_path, make_reading())
    with pytest.raises(InputError) as raised:
        append_reading(tmp_path, reading)
    assert says in str(raised.value) and load_readings(tmp_path) == [make_reading()]


def test_a_third_reader_is_told_that_two_have_read_it(tmp_path: Path) -> None:
    for reading in read_twice("ar"):
        append_reading(tmp_path, reading)
    with pytest.raises(InputError, match="read twice"):
        append_reading(tmp_path, make_reading("r0", "cy", "second"))


def test_a_last_line_without_its_end_swallows_no_reading(tmp_path: Path) -> None:
    (tmp_path / "a-b.jsonl").write_bytes(msgspec.json.encode(make_reading()))
    append_reading(tmp_path, make_reading("r2"))
    assert [reading.row_id for reading in load_readings(tmp_path)] == ["r1", "r2"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "line 2 is no reading"),
        (b"\xff", "line 2 is no reading"),
        (msgspec.json.encode(make_reading()).replace(b"accept", b"maybe"), "maybe"),
        (msgspec.json.encode(make_reading()).replace(b'"note"', b'"text"'), "text"),
        (msgspec.json.encode(make_reading(task="other")), "the file is that of `a-b`"),
    ],
)
def test_a_damaged_file_names_file_and_line(tmp_path: Path, line: bytes, says: str) -> None:
    (tmp_path / "a-b.jsonl").write_bytes(msgspec.json.encode(make_reading()) + b"\n" + line + b"\n")
    with pytest.raises(InputError) as raised:
        load_readings(tmp_path)
    assert "a-b.jsonl, line 2" in str(raised.value) and says in str(raised.value)


def append_row(folder: Path, number: int) -> None:
    append_reading(folder, make_reading(f"row{number}"))


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(append_row, [tmp_path] * 40, range(40)))
    assert {reading.row_id for reading in load_readings(tmp_path)} == {f"row{number}" for number in range(40)}
