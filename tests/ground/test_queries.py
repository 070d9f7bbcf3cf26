"""Phrases are read out of whatever dress a model gives them, must be about the question, and are made by code otherwise."""

import pytest

from stages.ground.params import GroundParams
from stages.ground.queries import content_words, is_new, key_terms, parse_queries, task_words
from stages.ground.retrieve import PassageIndex
from tests.toy_rows import make_passage, make_row, toy_corpus

PARAMS = GroundParams()
PASSAGES = [
    make_passage("cwe:CWE-79", "Script handler flaws let a browser run attacker code."),
    make_passage("cwe:CWE-120", "Buffer handler flaws overwrite memory of the router."),
    make_passage("cwe:CWE-89", "Query handler flaws change a statement of the forum."),
]


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("1. stored cross site scripting in gallery\n2. output encoding of user input", 2),
        ('- "stored cross site scripting"\n* output encoding missing here\n', 2),
        ("Here are the phrases:\nstored cross site scripting", 1),
        ("same words in here\nin here same words", 1),
        ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen", 1),
        ("a b\n\n:::\n1.", 0),
        ("", 0),
    ],
)
def test_phrases_in_any_dress(text: str, queries: int) -> None:
    found = parse_queries(text, PARAMS, set())
    assert len(found) == queries and all(3 <= len(query.split()) <= 12 for query in found)


@pytest.mark.parametrize(
    ("phrase", "kept"),
    [
        ("remove all existing malware from your network", False),
        ("a script in every house", False),
        ("scripts of a browser window", True),
    ],
)
def test_a_phrase_shares_two_content_words_with_the_question(phrase: str, kept: bool) -> None:
    assert bool(parse_queries(phrase, PARAMS, {"script", "handler", "browser"})) == kept
    assert parse_queries("the browser in every house", PARAMS, {"browser"})  # a question with one word asks for that one


def test_content_words_leave_out_the_wording_of_the_task() -> None:
    question = "Which weakness lets 2 handlers fail?"
    assert content_words(question, PassageIndex(PASSAGES), {"which", "weakness", "lets"}) == {"handlers", "fail"}
    assert "weakness" in content_words(question, PassageIndex(PASSAGES), {"which", "weakness", "lets", "handlers", "fail"})


def test_a_phrase_that_was_asked_in_other_order_is_not_asked_again() -> None:
    asked = ["script handler in a browser"]
    assert not is_new("The browsers: script handler", ["script handler the browser"]) and is_new("script of a browser", asked)
    assert parse_queries("a browser in script handler\nmemory of the router", PARAMS, set(), asked) == ["memory of the router"]


def test_key_terms_are_the_rows_own_rare_words_and_not_the_tasks_wording() -> None:
    rows = toy_corpus(60)
    index = PassageIndex(PASSAGES)
    row = make_row("Which weakness? Product router before 2.1 lets remote attackers abuse the buffer handler in memory.", "A.")
    common = task_words(rows)["cve-to-cwe"]
    assert {"which", "weakness", "remote", "attackers"} <= common
    assert sorted(" ".join(key_terms(row.instruction, index, common, PARAMS)).split()) == ["memory", "router"]
    assert key_terms(row.instruction, PassageIndex([]), set(), PARAMS) == []
