"""What tells a judge from a coin."""

from collections.abc import Sequence
from math import comb

CHANCE = 0.05  # a coin that does as well as the judge more often than this is not told apart from it


def tail(right: int, decisions: int) -> float:
    """Probability of at least `right` heads in `decisions` tosses of a coin."""
    return sum(comb(decisions, heads) for heads in range(right, decisions + 1)) / 2**decisions


def share_of(values: Sequence[bool]) -> float | None:
    """Share of true ones; None if there are none."""
    return round(sum(values) / len(values), 3) if values else None
