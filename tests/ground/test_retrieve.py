"""BM25 hits are right, ranked the same for passages in any order, and empty rather than wrong."""

import pytest

from stages.ground.anchors import Anchors
from stages.ground.rank import as_evidence, documents_of, rank_hits
from stages.ground.retrieve import Hit, PassageIndex
from stages.ground.text import cut
from tests.toy_rows import make_passage, make_row

TEXTS = {
    "cwe:CWE-79": "Cross-site scripting places a script into a web page.",
    "cwe:CWE-89": "Injection of a query into the database statement.",
    "cwe:CWE-120": "A buffer copy without a bounds check overflows the buffer.",
    "cwe:CWE-121": "A buffer copy without a bounds check overflows the buffer.",
}
PASSAGES = [make_passage(entity_id, text) for entity_id, text in TEXTS.items()]


def found(passages: list, query: str, hits: int = 8) -> list[str]:
    return [hit.passage.entity_id for hit in PassageIndex(passages).search(query, hits)]


def test_the_best_passage_comes_first_and_ties_go_by_id() -> None:
    assert found(PASSAGES, "script placed in a page") == ["cwe:CWE-79"]
    assert found(PASSAGES, "buffer overflows") == ["cwe:CWE-120", "cwe:CWE-121"] == found(PASSAGES[::-1], "buffer overflows")
    assert found(PASSAGES, "buffer overflows", hits=1) == ["cwe:CWE-120"] == found(PASSAGES[::-1], "buffer overflows", hits=1)


@pytest.mark.parametrize("query", ["", "the of and", "zebra", "{{instruction}} % ] [", "\x00\ud83d"])
def test_unknown_words_find_nothing(query: str) -> None:
    assert found(PASSAGES, query) == []


def test_a_word_is_found_in_every_form_and_counted_as_one() -> None:
    assert found(PASSAGES, "overflowing buffers copied") == ["cwe:CWE-120", "cwe:CWE-121"]
    index = PassageIndex(PASSAGES)
    assert index.rarity("overflowed") == index.rarity("overflows") == 2 and index.rarity("over") == 0
    assert index.query_words("Overflowing Buffers of the page") == ["overflowing", "buffers", "page"]  # a phrase stays readable


def test_sentences_of_links_find_a_passage_by_their_weight_and_count_as_no_passage() -> None:
    said = {"cwe:CWE-121#text": ["A zebra crossed the stack of the printer."], "cwe:CWE-404#text": ["An unknown zebra."]}
    plain, full, half = (
        PassageIndex(PASSAGES),
        PassageIndex(PASSAGES, Anchors(said, 1.0)),
        PassageIndex(PASSAGES, Anchors(said, 0.5)),
    )
    (one,), (other,) = full.search("zebra", 8), half.search("zebra", 8)
    assert plain.search("zebra", 8) == [] and one.passage is PASSAGES[3] is other.passage
    assert other.score == pytest.approx(one.score / 2, abs=1e-3)
    assert [hit.passage.entity_id for hit in half.search("buffer of the printer", 8)] == ["cwe:CWE-121", "cwe:CWE-120"]
    assert half.rarity("zebra") == 0 and half.rarity("printer") == 0 and half.rarity("overflows") == 2
    scores = [row.rough for row in half.score_many(["buffer printer", "nothing known"])]
    assert scores[0].shape == (4,) and (scores[0] > 0).tolist() == [True, True, False, False] and not scores[1].any()


def test_an_empty_corpus_finds_nothing() -> None:
    assert found([], "buffer") == []


def test_found_by_more_queries_comes_first_and_each_query_keeps_its_share() -> None:
    a, b, c, d = PASSAGES
    hits = {"one": [Hit(a, 0, 9.0), Hit(b, 1, 8.0), Hit(c, 2, 7.0)], "two": [Hit(d, 0, 9.0), Hit(c, 1, 5.0)]}
    assert rank_hits(hits, 2) == [("two", c), ("two", d), ("one", a)]
    assert len(rank_hits(hits, 1)) == 1  # the shared passage is the best of both
    assert rank_hits({}, 2) == []


def test_far_below_the_best_of_every_engine_that_found_it_is_a_stray_word() -> None:
    a, b, c, d = PASSAGES
    one = [Hit(a, 0, 1.0, {"bm25": 9.0, "static": 0.4}), Hit(b, 1, 0.9, {"bm25": 4.0}), Hit(c, 2, 0.8, {"static": 0.79})]
    two = [Hit(d, 0, 1.0, {"bm25": 4.4, "static": 0.8}), Hit(b, 1, 1.0, {"static": 0.5})]
    kept = {passage.entity_id for _, passage in rank_hits({"one": one, "two": two}, 4, 0.5, 0.8)}
    assert kept == {a.entity_id, c.entity_id, d.entity_id}, "b is below 0.5 of 9 for one query and below 0.8 of 0.8 for the other"
    assert len(rank_hits({"one": one, "two": two}, 4)) == 4
    assert rank_hits({"web": [Hit(a, 0, 0.0)]}, 4, 0.5, 0.8) == [("web", a)], "a page of the web has no score of an engine"


def test_evidence_keeps_its_provenance_and_is_cut_at_a_sentence() -> None:
    row = make_row("Q?", "A.")
    passage = make_passage("cwe:CWE-79", "First sentence here. " + "Second sentence is longer than the rest. " * 5, licence="L")
    (evidence,) = as_evidence(row, [("query", passage)], 3, 10)
    assert (evidence.text, evidence.rank, evidence.query, evidence.licence) == ("First sentence here.", 3, "query", "L")
    assert evidence.uri == passage.uri and evidence.row_id == row.id
    assert len(cut("word " * 100, 5)) <= 20


def test_documents_share_one_budget_and_have_no_query() -> None:
    row = make_row("Q?", "A.", document_ids=["cwe:CWE-1", "cwe:CWE-404", "cwe:CWE-2"])
    texts = {
        entity_id: [make_passage(entity_id, "A sentence of seven or eight words here. " * 10)]
        for entity_id in ("cwe:CWE-1", "cwe:CWE-2")
    }
    documents = documents_of(row, texts, 130)
    assert [document.entity_id for document in documents] == ["cwe:CWE-1", "cwe:CWE-2"]
    assert sum(len(document.text) for document in documents) <= 130 * 4 and all(document.query == "" for document in documents)
