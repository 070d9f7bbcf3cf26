"""The best places of a row of scores, the same on every machine and for every number of threads."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

DIGITS = 4  # of a score that count; what is equal to them is a tie
GROUP = 64  # scores whose maximum is looked at first
MARGIN = 1e-3  # of a score: more than rough ones differ between machines, block sizes and threads


class Scores(NamedTuple):
    """One engine's scores for one query."""

    rough: "np.ndarray"  # float of (passages,)
    exact: "Callable[[np.ndarray], np.ndarray]"  # places -> their scores, the same on every machine


def candidates(scores: "np.ndarray", wanted: int, margin: float = 10**-DIGITS) -> "np.ndarray":
    """Places that can be among the `wanted` best of a float row, ties included; none with a score of 0 or less.

    The `wanted`-th best of the maxima of groups is a lower bound of the `wanted`-th best score, and comparing with a
    bound is ten times faster than `numpy.partition` over everything.
    """
    import numpy as np

    whole = len(scores) // GROUP * GROUP
    tops = scores[:whole].reshape(-1, GROUP).max(axis=1) if whole else scores[:0]
    bound = np.partition(tops, -wanted)[-wanted] - margin if 0 < wanted <= len(tops) else 0.0
    return np.flatnonzero(scores > max(bound, 0.0))


def best_first(places: "np.ndarray", scores: "np.ndarray", wanted: int) -> list[tuple[int, float]]:
    """At most `wanted` of `places` with their `scores`, rounded; ties go by place."""
    import numpy as np

    rounded = np.round(scores, DIGITS)
    order = np.lexsort((places, -rounded))[:wanted]
    return [(int(places[at]), float(rounded[at])) for at in order if rounded[at] > 0]
