"""Recall@k and mean reciprocal rank of engines on questions with known answers: counts and intervals, nothing else."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from stages.ground.recall.schema import Question
from stages.ground.retrieve import Hit
from stages.statistics import wilson_interval

KS = (1, 4, 8, 20)
DIGITS = 4
HAND = ("field", "plain")  # wordings of the questions written by hand


class Searcher(Protocol):
    """A Retriever, or one engine of it."""

    def search_many(self, queries: Sequence[str], hits: int) -> list[list[Hit]]:
        """Hits of each query, best first."""


def measure(questions: Sequence[Question], engines: Mapping[str, Searcher], ks: Sequence[int] = KS) -> dict[str, Any]:
    """Figures by set and wording and by kind; each of engine -> n, recall@k with 95 % Wilson intervals, MRR@max(ks)."""
    ranks = {name: ranks_of(questions, engine, max(ks)) for name, engine in engines.items()}
    return {
        "sets": {name: _figures(ranks, places, ks) for name, places in _groups(questions, _sets_of).items()},
        "kinds": {name: _figures(ranks, places, ks) for name, places in _groups(questions, _kinds_of).items()},
    }


def ranks_of(questions: Sequence[Question], engine: Searcher, depth: int) -> list[int | None]:
    """Place of each question's first answer among `depth` hits, 0 is best; None if there is none."""
    found = engine.search_many([question.question for question in questions], depth)
    return [rank_of(question, hits) for question, hits in zip(questions, found, strict=True)]


def rank_of(question: Question, hits: Sequence[Hit]) -> int | None:
    """Place of the first hit whose passage or whose entity is an answer."""
    answers = set(question.answers)
    places = (place for place, hit in enumerate(hits) if {hit.passage.id, hit.passage.entity_id} & answers)
    return next(places, None)


def figures(ranks: Sequence[int | None], ks: Sequence[int] = KS) -> dict[str, Any]:
    """n, recall@k as [share, low, high] and the mean of 1 / (place + 1), where a question without a hit counts 0.

    Raises ValueError of no ranks.
    """
    if not ranks:
        raise ValueError("no question, no figures")
    recalls = {f"recall@{k}": _share(sum(rank is not None and rank < k for rank in ranks), len(ranks)) for k in ks}
    reciprocal = sum(1 / (rank + 1) for rank in ranks if rank is not None and rank < max(ks)) / len(ranks)
    return {"n": len(ranks), **recalls, f"mrr@{max(ks)}": round(reciprocal, DIGITS)}


def _share(found: int, n: int) -> dict[str, float]:
    interval = wilson_interval(found, n)
    return {"share": round(interval.value, DIGITS), "low": round(interval.low, DIGITS), "high": round(interval.high, DIGITS)}


def _figures(ranks: Mapping[str, Sequence[int | None]], places: Sequence[int], ks: Sequence[int]) -> dict[str, Any]:
    return {name: figures([of_engine[place] for place in places], ks) for name, of_engine in ranks.items()}


def _groups(questions: Sequence[Question], names_of: Callable[[Question], Sequence[str]]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        for name in names_of(question):
            groups.setdefault(name, []).append(place)
    return dict(sorted(groups.items()))


def _sets_of(question: Question) -> list[str]:
    name = set_of(question)
    return [name, f"{name}-{question.wording}"]


def _kinds_of(question: Question) -> list[str]:
    return [f"{set_of(question)}-{question.kind}"]


def set_of(question: Question) -> str:
    """`hand` or `known` (made by code)."""
    return "hand" if question.wording in HAND else "known"
