from pathlib import Path

import pytest

from stages.errors import InputError
from stages.public_benchmarks.declarations import find_benchmark
from stages.public_benchmarks.items import Items, read_items
from stages.public_benchmarks.responses import read_blocks, read_responses
from tests.public_benchmarks.made import write_blocks, write_jsonl, write_mcq

GIVEN = ["B", "Reasons,\nin two lines.\n\nA", "", "# no heading\n###D###"]


@pytest.fixture
def items(tmp_path: Path) -> Items:
    return read_items(write_mcq(tmp_path / "mcq.tsv"), find_benchmark("cti-mcq"))


@pytest.mark.parametrize("first", [0, 1])
def test_text_blocks(tmp_path: Path, items: Items, first: int) -> None:
    assert read_responses(write_blocks(tmp_path / "r.txt", GIVEN, first), items) == GIVEN


def test_blocks_are_told_by_their_number_not_by_their_place() -> None:
    text = "preamble\n#####2#####\nb\n  ##### 1 #####\na\n"
    assert read_blocks(text) == [(2, "b"), (1, "a")]


def test_jsonl_with_a_guessed_or_named_field(tmp_path: Path, items: Items) -> None:
    records = [{"n": 1, "Response": text, "other": "x"} for text in GIVEN]
    assert read_responses(write_jsonl(tmp_path / "a.jsonl", records), items) == GIVEN
    assert read_responses(tmp_path / "a.jsonl", items, "other") == ["x"] * 4
    lists = [{"doc_id": 1, "resps": [[text]]} for text in GIVEN]  # as lm-evaluation-harness writes samples
    assert read_responses(write_jsonl(tmp_path / "b.jsonl", lists), items) == GIVEN
    chats = [{"output": {"role": "assistant", "content": text}} for text in GIVEN]
    assert read_responses(write_jsonl(tmp_path / "c.jsonl", chats), items) == GIVEN


def test_records_that_name_their_item_may_come_in_any_order(tmp_path: Path, items: Items) -> None:
    records = [{"item_id": str(number), "output": text} for number, text in enumerate(GIVEN, 1)]
    assert read_responses(write_jsonl(tmp_path / "a.jsonl", records[::-1]), items) == GIVEN
    with pytest.raises(InputError, match="missing: 2"):
        read_responses(write_jsonl(tmp_path / "b.jsonl", [records[0], *records[2:]]), items)
    with pytest.raises(InputError, match="twice: 1"):
        read_responses(write_jsonl(tmp_path / "c.jsonl", [records[0], *records]), items)


def test_ids_that_only_count_are_places(tmp_path: Path, items: Items) -> None:
    records = [{"id": number, "output": text} for number, text in enumerate(GIVEN)]
    assert read_responses(write_jsonl(tmp_path / "a.jsonl", records), items) == GIVEN


def test_a_column_of_a_table(tmp_path: Path, items: Items) -> None:
    file = tmp_path / "r.tsv"
    file.write_text("GT\tModel-1\tModel-2\nB\tA\tB\nA\tA\tA\nC\tX\tC\nD\t\tD\n")
    assert read_responses(file, items, "Model-2") == list("BACD")
    assert read_responses(file, items, "Model-1") == ["A", "A", "X", ""]
    with pytest.raises(InputError, match=r"which field[\s\S]*GT, Model-1, Model-2[\s\S]*--field"):
        read_responses(file, items)
    with pytest.raises(InputError, match=r"no field 'Model-3'[\s\S]*Model-1"):
        read_responses(file, items, "Model-3")
    file.write_text("GT\tModel-1\nB\tA\nA\tA\nC\tX\nD\tD\n")
    assert read_responses(file, items) == list("AAXD")


def test_lines_of_a_plain_text(tmp_path: Path, items: Items) -> None:
    (tmp_path / "r.txt").write_text("B\nA\n\nD\n")
    assert read_responses(tmp_path / "r.txt", items) == ["B", "A", "", "D"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("r.txt", "#####1#####\nB\n#####3#####\nC\n", r"2 blocks[\s\S]*4 items[\s\S]*missing: 2, 4"),
        ("r.txt", "".join(f"#####{n}#####\nB\n" for n in (1, 2, 2, 3, 4)), "twice: 2"),
        ("r.txt", "".join(f"#####{n}#####\nB\n" for n in range(1, 6)), "beyond the last item: 5"),
        ("r.txt", "B\nA\n", r"2 lines[\s\S]*4 items"),
        ("r.jsonl", '{"output": "B"}\n' * 3, r"3 responses[\s\S]*4 items[\s\S]*Remedy"),
        ("r.jsonl", "", "no responses"),
        ("r.jsonl", "{", "line 1"),
        ("r.tsv", "response\nA\nB\nC\nD\nA\n", r"5 responses[\s\S]*4 items"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_numbers(tmp_path: Path, items: Items, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=said):
        read_responses(tmp_path / name, items)


def test_a_missing_file_is_named(tmp_path: Path, items: Items) -> None:
    with pytest.raises(InputError, match="gone.txt"):
        read_responses(tmp_path / "gone.txt", items)
