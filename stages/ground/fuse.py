"""Reciprocal rank fusion (Cormack, Clarke, Buettcher 2009): hits of the build and of the web as one list."""

from collections.abc import Sequence

from stages.ground.retrieve import Hit
from stages.ingest.schema import Passage

DIGITS = 12  # of a sum of reciprocals, so that the order of the engines does not show


def fuse(rankings: Sequence[Sequence[Hit]], rrf: int, hits: int) -> list[Hit]:
    """At most `hits` passages by the sum of 1 / (rrf + place) over the rankings, ties by passage id; places count from 1.

    A hit keeps the scores that the engines gave it.
    """
    sums: dict[str, float] = {}
    scores: dict[str, dict[str, float]] = {}
    passages: dict[str, Passage] = {}
    for hit in (hit for ranking in rankings for hit in ranking):
        passage_id = hit.passage.id
        passages[passage_id] = hit.passage
        sums[passage_id] = sums.get(passage_id, 0.0) + 1 / (rrf + hit.rank + 1)
        scores.setdefault(passage_id, {}).update(hit.scores)
    sums = {passage_id: round(total, DIGITS) for passage_id, total in sums.items()}
    order = sorted(sums, key=lambda passage_id: (-sums[passage_id], passage_id))[:hits]
    return [Hit(passages[one], rank, sums[one], scores[one]) for rank, one in enumerate(order)]
