"""A drafter reads nothing that a model is examined on and nothing that gives an answer away."""

import pytest

from stages.formats.evidence import MAX_PASSAGE, gives_away, passages_for, usable_by_entity
from stages.graph.schema import Split
from tests.toy_rows import make_item, make_passage, make_row


def test_held_out_subjects_and_entities_of_benchmark_items_are_barred() -> None:
    passages = [
        make_passage(entity, "Text.") for entity in ("cwe:CWE-1", "cwe:CWE-2", "cve:CVE-2021-9999", "cwe:CWE-4", "cwe:CWE-5")
    ]
    splits = [Split(entity_id="cwe:CWE-2", split="heldout"), Split(entity_id="cwe:CWE-1", split="dev")]
    items = [make_item("Which?", entity_ids=["cve:CVE-2021-9999", "cwe:CWE-4"])]
    assert sorted(usable_by_entity(passages, splits, items)) == ["cwe:CWE-1", "cwe:CWE-5"]
    assert usable_by_entity([make_passage("cwe:CWE-1", " ")], [], []) == {}


def test_rows_take_turns_and_long_passages_are_cut() -> None:
    by_entity = {
        name: [make_passage(name, f"{name} part {part}. " + "x" * 900, id=f"{name}{part}") for part in (1, 2)] for name in "ab"
    }
    rows = [make_row(name, "Yes.", document_ids=[name], key_kind="none", answer_key=[]) for name in "ab"]
    found = passages_for(rows, by_entity, 3)
    assert [text[:11] for text in found] == ["a: a part 1", "b: b part 1", "a: a part 2"] and len(found[0]) == MAX_PASSAGE


def test_without_documents_it_is_the_subject_and_never_the_entities_of_the_answer() -> None:
    by_entity = {
        "cve:CVE-2020-0001": [make_passage("cve:CVE-2020-0001", "Is bad.")],
        "cwe:CWE-79": [make_passage("cwe:CWE-79", "Flaw.")],
    }
    assert passages_for([make_row("Q?", "A.")], by_entity, 5) == ["cve:CVE-2020-0001: Is bad."]


@pytest.mark.parametrize(
    ("text", "away"),
    [
        ("It writes user input to the page unchanged.", True),  # six words in a row of the answer
        ("See CWE-79 too.", True),  # the key
        ("Asked: which flaw lets the page run scripts here?", False),  # words of the question
        ("User input is written.", False),
    ],
)
def test_what_gives_an_answer_away(text: str, away: bool) -> None:
    row = make_row("Which flaw lets the page run scripts here?", "It writes user input to the page.\nFinal answer: CWE-79")
    assert gives_away(make_passage("cwe:CWE-1", text), row) is away
