"""BM25 over 50,000 passages and 1,000 queries, beside bare bm25s with the same words and weights: the same top ten."""

from typing import Any

import Stemmer

from stages.ground.retrieve import K1, STOP_WORDS, B, Hit, PassageIndex, by_id, passage_text
from stages.ingest.schema import Passage
from tests.timings.clock import Line, measure, show
from tests.timings.passages import make_anchors, make_passages, make_queries

PASSAGES, SENTENCES, QUERIES, TOP = 50_000, 25_000, 1_000, 10
BUILD_LIMIT, SEARCH_LIMIT = 15.0, 1.0  # seconds
TIE = 1e-3  # of a score: bm25s adds in float32


def main() -> None:
    """Print seconds for index and queries. Raises AssertionError where the top tens differ."""
    passages, queries = make_passages(PASSAGES), make_queries(QUERIES)
    theirs = measure(lambda: build_peer(passages))
    ours = measure(lambda: PassageIndex(passages))
    anchored = measure(lambda: PassageIndex(passages, make_anchors(passages, SENTENCES)))
    found = measure(lambda: ours.result.search_many(queries, TOP))
    peer_found = measure(lambda: search_peer(theirs.result, queries))
    one_by_one = measure(lambda: [ours.result.search(query, TOP) for query in queries])
    lines = [
        Line(f"index of {PASSAGES:,} passages", ours, BUILD_LIMIT, {"bm25s": theirs}),
        Line(f"the same with {SENTENCES:,} sentences of links", anchored, BUILD_LIMIT),
        Line(f"{QUERIES:,} queries", found, SEARCH_LIMIT, {"bm25s": peer_found}),
        Line(f"{QUERIES:,} queries one by one", one_by_one, SEARCH_LIMIT),
    ]
    show("bm25", lines)
    places = {passage.id: place for place, passage in enumerate(by_id(passages))}
    same = sum(
        same_top(hits, places, *peer) for hits, peer in zip(found.result, zip(*peer_found.result, strict=True), strict=True)
    )
    print(f"same top ten: {same:,} of {QUERIES:,}; {QUERIES / found.wall:,.0f} queries/s, bm25s {QUERIES / peer_found.wall:,.0f}")
    assert same == QUERIES and one_by_one.result == found.result


def same_top(hits: list[Hit], places: dict[str, int], peer_places: Any, peer_scores: Any) -> bool:
    """Equal scores place by place, and equal passages above the last one's tie."""
    scores = [float(score) for score in peer_scores if score > 0]
    close = len(scores) == len(hits) and all(abs(hit.score - score) < TIE for hit, score in zip(hits, scores, strict=True))
    edge = min(scores, default=0.0) + TIE
    above = {int(place) for place, score in zip(peer_places, peer_scores, strict=True) if score > edge}
    return close and above == {places[hit.passage.id] for hit in hits if hit.score > edge}


def build_peer(passages: list[Passage]) -> Any:
    """bm25s as its documentation uses it, with this project's stop words, stemmer and weights."""
    import bm25s

    engine = bm25s.BM25(k1=K1, b=B)
    engine.index(_tokens([passage_text(passage) for passage in by_id(passages)]), show_progress=False)
    return engine


def search_peer(engine: Any, queries: list[str]) -> Any:
    """(places, scores), each of (queries, 10)."""
    return engine.retrieve(_tokens(queries), k=TOP, show_progress=False)


def _tokens(texts: list[str]) -> Any:
    import bm25s

    return bm25s.tokenize(texts, stopwords=STOP_WORDS, stemmer=Stemmer.Stemmer("english"), show_progress=False)


if __name__ == "__main__":
    main()
