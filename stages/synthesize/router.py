"""Which method writes the next pair: Evol-Instruct first, Self-Instruct ever more often.

Evol-Instruct deepens what is there and, used alone, drifts into wrong answers; Self-Instruct brings new kinds. The
probability of Self-Instruct doubles every two iterations (arXiv 2408.09304).
"""

from typing import Literal

from stages.tables import content_id

Method = Literal["evolve", "self-instruct"]


def probability(first: float, iteration: int) -> float:
    """Probability of Self-Instruct in an iteration, counted from 0."""
    return min(1.0, first * 2 ** (iteration // 2))


def method_of(document: str, iteration: int, first: float, has_seed: bool) -> Method:
    """The method of one iteration on one document, drawn by content hash; without a pair there is nothing to evolve."""
    draw = int(content_id("synthesize", document, str(iteration)), 16) / 16**16
    return "self-instruct" if not has_seed or draw < probability(first, iteration) else "evolve"
