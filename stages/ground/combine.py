"""Several engines' scores of all passages as one list of hits: their mean, each divided by the engine's best score.

On the questions of `stages.ground.recall` that finds more than reciprocal ranks do, which do not tell a clear winner from the
first of many like ones; Bruch, Gai, Ingber, "An analysis of fusion functions for hybrid retrieval" (2023), found so in general.
"""

from collections.abc import Mapping, Sequence

from stages.ground.order import DIGITS, MARGIN, Scores, best_first, candidates
from stages.ground.retrieve import Hit
from stages.ingest.schema import Passage


def combine(passages: Sequence[Passage], scored: Mapping[str, Scores], hits: int) -> list[Hit]:
    """At most `hits` of `passages` with a positive score, best first, ties by place. A hit has the scores of every engine."""
    import numpy as np

    best = {name: _best(scores) for name, scores in sorted(scored.items())}
    best = {name: top for name, top in best.items() if top > 0}
    if not best:
        return []
    rough = sum(np.maximum(scored[name].rough, 0) / top for name, top in best.items()) / len(scored)
    places = candidates(rough, hits, MARGIN * max(1.0, *(1 / top for top in best.values())))
    exact = {name: np.maximum(scored[name].exact(places), 0) for name in best}
    mean = sum(exact[name] / top for name, top in best.items()) / len(scored)
    exact = {name: np.round(scores, DIGITS) for name, scores in exact.items()}
    at = {int(place): number for number, place in enumerate(places)}
    found = best_first(places, mean, hits)
    return [
        Hit(passages[place], rank, score, {name: float(exact[name][at[place]]) for name in best if exact[name][at[place]] > 0})
        for rank, (place, score) in enumerate(found)
    ]


def _best(scores: Scores) -> float:
    places = candidates(scores.rough, 1, MARGIN)
    return max((float(score) for score in scores.exact(places)), default=0.0)
