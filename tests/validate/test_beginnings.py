import pytest

from stages.validate.beginnings import RULE
from stages.validate.decontaminate import Match, find_contamination
from stages.validate.overlap import Document
from tests.validate.test_decontaminate import PARAMS, build_index, document, external

ITEMS = [
    external("Which of the listed headers keeps a page from being framed?", 0),
    external("Which of the listed headers hides the name of the server?", 1),
    external("Name the tool whose driver Basil Weevil loads first?", 2),
    external("What does the flag fast in the shell of Quince Server switch off, and for whom?", 3),
]


def check(*rows: Document) -> list[Match]:
    return find_contamination(list(rows), build_index(ITEMS, PARAMS), PARAMS).matches


@pytest.mark.parametrize(
    "text",
    [
        "Name the tool whose driver",
        "name the TOOL whose\n  driver",
        "Comment on this. Name the tool whose driver ...",
        "Question: Name the tool whose driver Ba",
        "### Question\nName the tool whose driver Basil\n\n### Answer\nI do not know.",
    ],
    ids=["alone", "dressed", "after a prompt", "within a word", "a line"],
)
def test_an_item_that_was_cut_off_is_found(text: str) -> None:
    (match,) = check(document(text))
    assert (match.rule, match.item, match.overlap >= 0.5) == (RULE, "item-2", True)
    assert match.evidence.startswith("name the tool whose driver")


@pytest.mark.parametrize(
    "text",
    [
        "Name the tool whose",  # four words
        "He asked them to name the tool whose driver it was that night",  # part of another sentence
        "Name the tool whose driver was signed. It is loaded first.",  # goes on in other words
        "What does the flag fast in",  # less than half
    ],
)
def test_the_same_words_elsewhere_are_no_leak(text: str) -> None:
    assert check(document(text)) == []


def test_words_with_which_five_items_begin_tell_none_of_them() -> None:
    items = [external(f"Which of these is the best {word}", number) for number, word in enumerate(("a", "b", "c", "d", "e"))]
    row = document("Which of these is the best")
    assert find_contamination([row], build_index(items, PARAMS), PARAMS).matches == []
    assert len(find_contamination([row], build_index(items[:4], PARAMS), PARAMS).matches) == 4


def test_what_five_subjects_say_is_common_and_copies_of_one_leak_are_not() -> None:
    leak = "Name the tool whose driver Basil"
    known = [document(leak, name=f"row{number}", subject=f"s{number}") for number in range(5)]
    copies = [document(leak, name=f"row{number}", subject="") for number in range(9)]
    assert check(*known) == []
    assert len(check(*known[:4])) == 4
    assert len(check(*copies)) == 9
