from pathlib import Path

import pytest

from stages.errors import InputError
from stages.public_benchmarks.blocks import read_blocks, split_blocks
from stages.public_benchmarks.declarations import find_benchmark
from stages.public_benchmarks.items import Items, read_items
from tests.public_benchmarks.made import write_mcq

GIVEN = ["B", "Reasons,\n\nA", "C", "D"]
FILE = Path("r.txt")


@pytest.fixture
def items(tmp_path: Path) -> Items:
    return read_items(write_mcq(tmp_path / "mcq.tsv"), find_benchmark("cti-mcq"))


def before(numbers: list[int], texts: list[str]) -> str:
    return "".join(f"#####{number}#####\n{text}\n" for number, text in zip(numbers, texts, strict=True))


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4], [0, 1, 2, 3], [2, 4, 6, 8], [100, 101, 102, 103], [4, 2, 1, 3], [3, 0, 2, 1]])
def test_separators_before_the_texts(items: Items, numbers: list[int]) -> None:
    counting = sorted(numbers) in ([0, 1, 2, 3], [1, 2, 3, 4])
    texts = [GIVEN[number - min(numbers)] for number in numbers] if counting else GIVEN
    found = read_blocks(FILE, before(numbers, texts), items)
    assert found and found.texts == GIVEN and bool(found.notes) == (not counting)


@pytest.mark.parametrize("first", [0, 1])
def test_separators_after_or_between_the_texts(items: Items, first: int) -> None:
    after = "".join(f"{text}\n#####{number}#####\n" for number, text in enumerate(GIVEN, first))
    found = read_blocks(FILE, after, items)
    assert found and found.texts == GIVEN and "after the responses" in found.notes[0]
    between = after.rpartition("#####" + str(first + 3))[0]
    found = read_blocks(FILE, between, items)
    assert found and found.texts == GIVEN and "between the responses" in found.notes[0]


def test_an_empty_last_response_is_no_reason_to_shift(items: Items) -> None:
    found = read_blocks(FILE, before([1, 2, 3, 4], [*GIVEN[:3], ""]), items)
    assert found and found.texts == [*GIVEN[:3], ""] and not found.notes


def test_a_preamble_is_left_out_with_a_word(items: Items) -> None:
    found = read_blocks(FILE, "log of a run\n" + before([1, 2, 3, 4], GIVEN), items)
    assert found and found.texts == GIVEN and "12 characters before" in found.notes[0]


def test_headings_and_citations_within_a_response_part_nothing(items: Items) -> None:
    texts = [f"### {number} ###\nsee #####2##### there\n###{number}###\n{text}" for number, text in enumerate(GIVEN, 1)]
    found = read_blocks(FILE, before([1, 2, 3, 4], texts), items)
    assert found and found.texts == texts
    numbers, pieces = split_blocks("### 1 ###\na\n#### 2 ####\nb\n### 2 ###\nc")
    assert numbers == [1, 2] and pieces == ["", "a\n#### 2 ####\nb", "c"]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([1, 2, 4], r"3 blocks[\s\S]*missing: 3"),
        ([1, 2, 3, 4, 5], "beyond the last item: 5"),
        ([1, 2, 2, 3], "twice: 2"),
        ([2, 9, 4, 7], "missing: 1, 3"),
    ],
)
def test_numbers_that_fit_no_order_are_refused(items: Items, numbers: list[int], said: str) -> None:
    for preamble in ("", "log of a run\n"):
        with pytest.raises(InputError, match=said):
            read_blocks(FILE, preamble + before(numbers, ["B"] * len(numbers)), items)


def test_a_text_without_separators_has_no_blocks(items: Items) -> None:
    assert read_blocks(FILE, "B\n#A\n# 1\n##1##\n", items) is None
