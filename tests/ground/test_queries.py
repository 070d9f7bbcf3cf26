"""Replies of a small model are read tolerantly; what cannot be read is replaced by code and counted."""

import asyncio

import pytest

from stages.ground.core import Grounding, Library, ground_row, group_by_entity
from stages.ground.params import GroundParams
from stages.ground.queries import content_words, key_terms, parse_filter, parse_queries, task_words
from stages.ground.retrieve import PassageIndex
from stages.ground.retriever import Retriever
from stages.tables import Reject
from tests.fake_client import FakeClient
from tests.toy_rows import make_format, make_passage, make_row, toy_corpus

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
    row = make_row("Which weakness lets 2 handlers fail?", "A.")
    assert content_words(row, PassageIndex(PASSAGES), {"which", "weakness", "lets"}) == {"handlers", "fail"}
    assert "weakness" in content_words(row, PassageIndex(PASSAGES), {"which", "weakness", "lets", "handlers", "fail"})


@pytest.mark.parametrize(
    ("text", "kept"),
    [("1, 2", [0, 1]), ("2.", [1]), ("Keep 1", [0]), ("none", []), ("None of them", []), ("7", None), ("well", None), ("", None)],
)
def test_filter_replies(text: str, kept: list[int] | None) -> None:
    assert parse_filter(text, 2) == kept


def test_key_terms_are_the_rows_own_rare_words_and_not_the_tasks_wording() -> None:
    rows = toy_corpus(60)
    index = PassageIndex(PASSAGES)
    row = make_row("Which weakness? Product router before 2.1 lets remote attackers abuse the buffer handler in memory.", "A.")
    common = task_words(rows)["cve-to-cwe"]
    assert {"which", "weakness", "remote", "attackers"} <= common
    assert sorted(" ".join(key_terms(row, index, common, PARAMS)).split()) == ["memory", "router"]
    assert key_terms(row, PassageIndex([]), set(), PARAMS) == []


def ground(reply: str | None, choice: str | None, document: bool = False) -> tuple[Grounding | Reject, FakeClient]:
    client = FakeClient(lambda request: reply if request.purpose == "ground.queries" else choice)
    row = make_row("What can a script handler do in a browser?", "SECRET ANSWER", document_ids=["cwe:CWE-89"])
    library = Library(Retriever(PassageIndex(PASSAGES)), group_by_entity(PASSAGES), {})
    return asyncio.run(ground_row(row, make_format(document=document), client, library, PARAMS)), client  # type: ignore[arg-type]


def test_the_builder_sees_no_answer_and_the_filter_does() -> None:
    found, client = ground("1. script handler in browser\n2. buffer handler script router", "2")
    assert "SECRET" not in str(client.requests[0]) and "SECRET" in str(client.requests[1])
    assert isinstance(found, Grounding) and found.row.kept_queries == ["buffer handler script router"]
    assert found.evidence[0].entity_id == "cwe:CWE-120" and len(found.row.request_hashes) == 2


def test_unreadable_queries_are_counted_and_replaced_by_code_so_that_grounding_is_real() -> None:
    found, client = ground("Sorry.", None)
    assert isinstance(found, Grounding) and found.counts["query-fallback"] == 1 and len(client.requests) == 1
    assert found.row.queries == found.row.kept_queries != [] and found.evidence[0].entity_id == "cwe:CWE-79"
    assert client.ledger.metrics()["by_purpose"]["ground.queries"]["parse_failures"] == 1


def test_the_filter_may_keep_none() -> None:
    found, _ = ground("1. script handler in browser", "none")
    assert isinstance(found, Grounding) and found.evidence == [] and found.row.queries and not found.row.kept_queries


def test_a_document_is_evidence_and_is_not_retrieved_again() -> None:
    found, _ = ground("1. query statement of the forum", "1", document=True)
    assert isinstance(found, Grounding) and found.row.document_ids == ["cwe:CWE-89"]
    assert [evidence.entity_id for evidence in found.evidence].count("cwe:CWE-89") == 1 and found.evidence[0].query == ""


def test_a_call_that_failed_for_good_is_a_reject() -> None:
    found, _ = ground(None, None)
    assert isinstance(found, Reject) and found.reason == "call-failed:server-error"


def test_without_evidence_a_row_goes_on_with_nothing_and_nobody_is_asked() -> None:
    client = FakeClient(lambda _: "1. script handler in browser")
    row = make_row("What can a script handler do in a browser?", "A.", document_ids=["cwe:CWE-89"])
    library = Library(Retriever(PassageIndex([])), group_by_entity(PASSAGES), {})
    found = asyncio.run(ground_row(row, make_format(document=True), client, library, GroundParams(evidence=False)))  # type: ignore[arg-type]
    assert isinstance(found, Grounding) and not client.requests and not found.evidence
    assert found.row.row_id == row.id and not found.row.queries and not found.row.document_ids and not found.row.request_hashes
