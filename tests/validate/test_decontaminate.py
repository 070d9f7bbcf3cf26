import random

import pytest

from stages.validate.benchmark_index import Item, build_index, identifiers_in, own_items
from stages.validate.decontaminate import Contamination, Document, Match, find_contamination
from stages.validate.params import DecontaminationParams
from tests.validate.samples import item, sentence

PARAMS = DecontaminationParams()
QUESTION = sentence(50_000, 40)


def check(documents: list[Document], items: list[Item]) -> Contamination:
    return find_contamination(documents, build_index(items, PARAMS), PARAMS)


def document(text: str, level: str = "instruction", name: str = "row", subject: str = "cwe:CWE-1") -> Document:
    return Document(id=name, subject=subject, texts={"instruction": [""], "answer": [""], "evidence": []} | {level: [text]})


def external(text: str, number: int = 0, **changes: object) -> Item:
    values = {"id": f"item-{number}", "benchmark": "test", "subject": f"s{number}", "text": text, "identifiers": frozenset()}
    return Item(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("level", ["instruction", "answer", "evidence"])
@pytest.mark.parametrize(
    "leak",
    [
        QUESTION,
        QUESTION.upper(),
        QUESTION.replace(" ", "\n  "),
        f"Here is a report to read with care: {QUESTION}",
        " ".join(QUESTION.split()[:24]),
        QUESTION.replace(" ", " \u201c", 1).replace("e", "e\u200b"),
    ],
    ids=["verbatim", "re-cased", "re-wrapped", "prefixed", "truncated", "dressed"],
)
def test_an_item_is_found_at_every_level_in_every_dress(level: str, leak: str) -> None:
    (match,) = check([document(leak, level)], own_items([item(0)])).matches
    assert (match.row, match.item, match.rule, match.level) == ("row", "item-0", "13-gram", level)
    assert match.overlap >= 0.5
    assert match.evidence in " ".join(QUESTION.split())


@pytest.mark.parametrize("text", ["see CVE-2031-1000", "see cve-2031-1000.", "see CVE\u20112031\u20111000", "CVE 2031 1000"])
def test_the_cve_of_an_item_is_a_leak_by_itself(text: str) -> None:
    (match,) = check([document(text, "answer")], own_items([item(0)])).matches
    assert (match.rule, match.evidence, match.overlap) == ("identifier", "CVE-2031-1000", 1.0)


def test_a_technique_or_weakness_id_alone_is_no_leak() -> None:
    own = own_items([item(0, subject="attack:T1059.001", question=f"What is T1059.001 with CWE-79?\n{QUESTION}")])
    assert not check([document("T1059.001 and CWE-79 in one sentence")], own).matches
    assert identifiers_in("T1059.001 CWE-79 CAPEC-66 D3-NTA AC-2") == set()


def test_twelve_shared_words_are_no_leak() -> None:
    assert not check([document(" ".join(QUESTION.split()[5:17]))], own_items([item(0)])).matches
    assert check([document(" ".join(QUESTION.split()[5:18]))], own_items([item(0)])).matches


def test_short_items_are_matched_by_eight_words_and_shorter_ones_whole() -> None:
    short, tiny = "Which header stops a page from being framed by others?", "Archive extractor allows full path"
    items = [external(short, 0), external(tiny, 1), external("What is XSS?", 2)]
    rows = [
        document(f"Q: {short} Think."),
        document(f"Look:\n{tiny.upper()}!", name="two"),
        document("What is XSS?", name="three"),
    ]
    assert [(match.row, match.rule) for match in check(rows, items).matches] == [("row", "8-gram"), ("two", "whole-text")]
    assert build_index(items, PARAMS).unsearchable == [2]


def test_a_short_text_behind_a_shared_prompt_is_found_behind_another_prompt() -> None:
    """The prompt is longer than the text: only the words of its own tell the item."""
    reports = [" ".join(sentence(300 + number, 9).split()) for number in range(12)]
    prompt = "Which CWE weakness is behind this vulnerability? End with `Final answer: CWE-<number>`."
    for layout in (f"{prompt}\n{{}}", f"{prompt} {{}}", "Root cause?\n{}"):
        items = [external(layout.format(report), number) for number, report in enumerate(reports)]
        found = check(
            [document(f"Name the flaw.\n{reports[4]}"), document(f"{prompt}\nSomething else altogether.", name="clean")], items
        )
        assert [(match.row, match.item) for match in found.matches] == [("row", "item-4")], layout


def test_phrases_that_many_items_share_tear_no_item_apart() -> None:
    """Reports share stock phrases; each is still found, and the phrase alone is no leak."""
    stock = "allows remote attackers to execute arbitrary code or cause a denial of service by way of"
    texts = [f"{sentence(400 + number, 6)[:-1]} {stock} {sentence(500 + number, 6)}" for number in range(10)]
    items = [external(text, number) for number, text in enumerate(texts)]
    rows = [document(f"Note: {text}", name=f"row{number}", subject=f"r{number}") for number, text in enumerate(texts)]
    clean = document(f"The other product {stock} something else that nobody reported.", name="clean")
    found = check([*rows, clean], items)
    best = {match.row: match.item for match in reversed(found.matches)}
    assert best == {f"row{number}": f"item-{number}" for number in range(10)}
    assert build_index(items, PARAMS).unsearchable == []


def test_words_of_five_subject_documents_are_boilerplate_and_both_counts_are_reported() -> None:
    common = " ".join(QUESTION.split()[:20])
    rows = [document(f"{common} {sentence(number)}", name=f"row{number}", subject=f"cwe:CWE-{number}") for number in range(5)]
    found = check(rows, own_items([item(0)]))
    assert not found.matches
    assert found.rows_before_boilerplate["13-gram"] == 5
    assert found.rows_after_boilerplate["13-gram"] == 0
    assert found.boilerplate_grams == 8
    assert len(check(rows[:4], own_items([item(0)])).matches) == 4


def test_many_rows_about_one_subject_do_not_make_boilerplate() -> None:
    rows = [document(QUESTION, name=f"row{number}", subject="cve:CVE-2031-7") for number in range(9)]
    assert len(check(rows, own_items([item(0)])).matches) == 9


def test_many_copies_of_an_item_in_foreign_data_do_not_excuse_each_other() -> None:
    rows = [document(QUESTION, name=f"row{number}", subject="") for number in range(9)]
    assert len(check(rows, own_items([item(0)])).matches) == 9


def test_prompt_text_of_the_benchmark_is_no_leak() -> None:
    prompt = "Analyse the following description and map it to the single weakness that is its root cause, then justify."
    items = [external(f"{prompt} {sentence(700 + number, 30)}", number) for number in range(8)]
    found = check([document(f"{prompt} {sentence(5, 30)}"), document(items[3].text, name="leak")], items)
    assert {match.row for match in found.matches} == {"leak"}


def test_option_texts_are_no_leak() -> None:
    options = [sentence(800 + number, 20) for number in range(4)]
    lines = "\n".join(f"{letter}) {option}" for letter, option in zip("ABCD", options, strict=True))
    own = own_items([item(0, question=f"{QUESTION}\n{lines}", options=options, key=["A"], key_kind="letter")])
    assert not check([document(options[2], "answer")], own).matches
    assert check([document(QUESTION)], own).matches


def test_a_seeded_leak_is_found_among_many_clean_rows_and_nothing_else() -> None:
    chance = random.Random(3)
    own = own_items([item(number, question=sentence(60_000 + number, 45)) for number in range(200)])
    rows = [document(sentence(number, 80), name=f"clean{number}", subject=f"s{number}") for number in range(3000)]
    for number in range(0, 200, 4):
        parts = sentence(number, 60).split()
        parts[30:30] = own[number].text.split()[: chance.randint(27, 45)]
        rows.append(document(" ".join(parts), name=f"leak{number}", subject=f"l{number}"))
    found = check(rows, own)
    assert {match.row for match in found.matches} == {f"leak{number}" for number in range(0, 200, 4)}
    assert all(match.item == f"item-{match.row.removeprefix('leak')}" for match in found.matches)


def test_matches_do_not_depend_on_the_order_of_rows() -> None:
    rows = [document(f"{QUESTION} {number}", name=f"row{number}", subject=f"s{number}") for number in range(4)]
    own = own_items([item(0), item(1)])
    assert check(rows, own).matches == check(rows[::-1], own).matches
    assert all(isinstance(match, Match) for match in check(rows, own).matches)


def test_no_items_and_no_rows() -> None:
    assert check([document(QUESTION)], []).matches == []
    assert check([], own_items([item(0)])).matches == []
