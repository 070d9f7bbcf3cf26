import math

import pytest

from stages.graph.schema import Split
from stages.validate.frames import entity_frame, item_frame, key_consistent, link_frame, row_frame, split_frame
from tests.validate.samples import entity, item, link, mapping_row, row


@pytest.mark.parametrize(
    ("answer", "kind", "key", "right"),
    [
        ("Because.\nFinal answer: CWE-79", "cwe", ["CWE-79"], True),
        ("Because.\nFinal answer: CWE-79, CWE-20", "cwe", ["CWE-20", "CWE-79"], True),
        ("Because.\nFinal answer: CWE-79", "cwe", ["CWE-79", "CWE-20"], False),
        ("Final answer: B\nAnd more.", "letter", ["B"], False),
        ("Because.\nFinal answer: C", "letter", ["B"], False),
        ("Because.", "yes-no", ["Yes"], False),
        ("Because.", "none", [], True),
        ("Because.\nFinal answer: CWE-79", "none", [], False),
    ],
)
def test_the_last_line_is_held_against_the_key(answer: str, kind: str, key: list[str], right: bool) -> None:
    assert key_consistent(answer, kind, key) is right


def test_ids_are_looked_up_in_the_graph() -> None:
    known = {"cwe:CWE-1", "cwe:CWE-2"}
    links = link_frame([link("cwe:CWE-1", "cwe:CWE-2"), link("cwe:CWE-1", "cwe:CWE-9"), link("cwe:CWE-1", "cwe:CWE-1")], known)
    assert links["is_object_known"] == [True, False, True]
    assert links["is_not_loop"] == [True, True, False]
    assert split_frame([Split(entity_id="cwe:CWE-9", split="train")], known)["is_known"] == [False]
    frame = row_frame([row(1), row(2, entity_ids=["cwe:CWE-2", "attack:T1"])], known, {})
    assert frame["is_entities_known"] == [True, False]
    assert frame["entities"][1] == "attack:T1"


def test_held_out_subjects_and_wrong_splits_are_seen() -> None:
    split_of = {"cwe:CWE-1": "train", "cwe:CWE-2": "heldout", "cwe:CWE-3": "dev"}
    frame = row_frame([row(1), row(2), row(3)], {}, split_of)
    assert frame["is_not_heldout"] == [True, False, True]
    assert frame["is_split_of_subject"] == [True, False, False]
    assert item_frame([item(0)], {item(0).subject: "train"})["is_heldout"] == [False]


def test_letters_are_balanced_within_a_task() -> None:
    def letter_rows(letters: str) -> list[float]:
        rows = [mapping_row(number, letter, key_kind="letter") for number, letter in enumerate(letters)]
        return row_frame(rows, {}, {})["letter_excess"]

    assert max(letter_rows("ABCD" * 12)) == 0.0
    assert max(letter_rows("A" * 30 + "BCD" * 6)) == pytest.approx(30 / 48 - 0.25)
    assert all(map(math.isnan, letter_rows("AAAAB")))


def test_a_letter_must_be_offered_and_markup_is_seen() -> None:
    frame = item_frame([item(0, key=["C"], key_kind="letter", options=["one", "two"])], {})
    assert frame["is_key_offered"] == [False]
    assert entity_frame([entity("cwe:CWE-1", text="Seen (Citation: Report)")])["is_clean"] == [False]


def test_the_final_answer_is_template_or_rewrite() -> None:
    rows = [row(1), row(2, answer="else", template_answer="this"), row(3, decision="rewritten", rewrite="new", answer="new")]
    assert row_frame(rows, {}, {})["is_rewrite_consistent"] == [True, False, True]
