"""Percentile bootstrap over items, for figures that are no shares of right answers: mean deviation, macro and micro F1.

Resamples are drawn as multinomial counts of the items, some at a time, so that memory stays small at any number of items.
Where all resamples agree (60 of 60 items right), the bootstrap says nothing of what another sample would give: the bounds are
then Wilson's of a share of that size, which are wide enough for any figure within the same limits.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from stages.statistics import Interval, wilson_interval

if TYPE_CHECKING:
    import numpy.typing as npt

_ROUNDING = 1e-9
_TOGETHER = 2_000_000  # counts that stand in memory at once


def mean_interval(values: Sequence[float], *, confidence: float, resamples: int, seed: int, top: float = 1.0) -> Interval:
    """Mean of `values`, which lie between 0 and `top`, with its interval; NaN of nothing."""
    found = _interval(
        [[value / top for value in values]],
        lambda sums, counts: sums[:, 0] / counts,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )
    return Interval(found.value * top, found.low * top, found.high * top)


def micro_f1_interval(counts: Sequence[tuple[int, int, int]], *, confidence: float, resamples: int, seed: int) -> Interval:
    """Micro F1 of items' true positives, false positives and false negatives, with its interval; NaN where nothing is counted."""
    columns = [list(column) for column in zip(*counts, strict=True)]
    return _interval(columns, _micro_f1, confidence=confidence, resamples=resamples, seed=seed)


def _micro_f1(sums: "npt.NDArray", counts: "npt.NDArray") -> "npt.NDArray":
    import numpy as np

    found, wrong, missed = sums[:, 0], sums[:, 1], sums[:, 2]
    whole = 2 * found + wrong + missed
    return np.divide(2 * found, whole, out=np.zeros(len(sums)), where=whole > 0)


def _interval(
    columns: Sequence[Sequence[float]],
    figure: Callable[["npt.NDArray", "npt.NDArray"], "npt.NDArray"],
    *,
    confidence: float,
    resamples: int,
    seed: int,
) -> Interval:
    """`figure` of the columns' sums (resamples x columns) and the numbers of items, with percentile bounds."""
    import numpy as np

    n = len(columns[0]) if columns else 0
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    values, random = np.array(columns, float).T, np.random.default_rng(seed)
    point = float(figure(values.sum(axis=0, keepdims=True), np.array([n]))[0])
    draws, step = [], max(1, _TOGETHER // n)
    for start in range(0, resamples, step):
        weights = random.multinomial(n, np.full(n, 1 / n), size=min(step, resamples - start))
        draws.append(figure(weights @ values, weights.sum(axis=1)))
    low, high = np.quantile(np.concatenate(draws), [(1 - confidence) / 2, (1 + confidence) / 2])
    if high - low < _ROUNDING:
        return _widened(point, n, confidence)
    return Interval(point, float(low), float(high))


def _widened(point: float, n: int, confidence: float) -> Interval:
    """Wilson's bounds of a share of `n` items, of the next whole number of items below and above."""
    right = point * n
    low = wilson_interval(math.floor(right + _ROUNDING), n, confidence).low
    high = wilson_interval(math.ceil(right - _ROUNDING), n, confidence).high
    return Interval(point, min(low, point), max(high, point))
