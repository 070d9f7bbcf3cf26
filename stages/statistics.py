"""Statistics of proportions over items (benchmark questions, tried rewrites): intervals, paired comparisons, retention.

All of them are functions of counts, so a bootstrap of n items is drawn as multinomial counts of the few
possible outcomes of an item: the same distribution as resampling items with replacement, at any n.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import msgspec


class Interval(msgspec.Struct, frozen=True):
    """A point estimate with its bounds; NaN where it is not defined."""

    value: float
    low: float
    high: float


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Proportion with Wilson's score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    Unlike the normal approximation it stays inside [0, 1] and has width at 0 of n, which small models do score.
    """
    if n == 0:
        return Interval(math.nan, 0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return Interval(share, max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def centred_on_chance(accuracy: float, chance: float) -> float:
    """0 at chance, 1 if everything is right, negative below chance."""
    return (accuracy - chance) / (1 - chance) if chance < 1 else math.nan


def paired_difference(ours: Sequence[bool], theirs: Sequence[bool], *, confidence: float, resamples: int, seed: int) -> Interval:
    """Accuracy of `ours` minus `theirs` on the same items, with a percentile bootstrap interval over items."""
    import numpy as np

    wins, losses = discordant(ours, theirs)
    n = len(ours)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan)
    counts = np.random.default_rng(seed).multinomial(n, [wins / n, losses / n, (n - wins - losses) / n], size=resamples)
    return _interval((wins - losses) / n, (counts[:, 0] - counts[:, 1]) / n, confidence)


def retention(variant: Sequence[bool], reference: Sequence[bool], *, confidence: float, resamples: int, seed: int) -> Interval:
    """Accuracy of `variant` as a share of `reference`'s on the same items, with a percentile bootstrap interval.

    Resamples in which the reference has nothing right have no ratio and are left out; NaN if it never has.
    """
    import numpy as np

    n, (gained, lost) = len(variant), discordant(variant, reference)
    both = sum(one and other for one, other in zip(variant, reference, strict=True))
    if both + lost == 0:
        return Interval(math.nan, math.nan, math.nan)
    shares = [both / n, gained / n, lost / n, (n - both - gained - lost) / n]
    counts = np.random.default_rng(seed).multinomial(n, shares, size=resamples)
    below = counts[:, 0] + counts[:, 2]
    ratios = (counts[:, 0] + counts[:, 1])[below > 0] / below[below > 0]
    return _interval((both + gained) / (both + lost), ratios, confidence)


def mcnemar_exact(ours: Sequence[bool], theirs: Sequence[bool]) -> float:
    """Two-sided exact p-value of McNemar's test: a binomial test of the items on which the two differ."""
    wins, losses = discordant(ours, theirs)
    differing = wins + losses
    tail = sum(math.comb(differing, count) for count in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / 2**differing)


def discordant(ours: Sequence[bool], theirs: Sequence[bool]) -> tuple[int, int]:
    """How many items only `ours` has right, and how many only `theirs`. Raises ValueError for unequal lengths."""
    pairs = list(zip(ours, theirs, strict=True))
    return sum(one and not other for one, other in pairs), sum(other and not one for one, other in pairs)


def percentile(values: Sequence[float], share: float) -> float:
    """Linearly interpolated percentile, `share` in [0, 1]; NaN of nothing."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _interval(value: float, draws: Sequence[float], confidence: float) -> Interval:
    import numpy as np

    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high))
