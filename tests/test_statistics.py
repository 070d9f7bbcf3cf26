import math

import numpy as np
import pytest

from stages.statistics import (
    centred_on_chance,
    discordant,
    mcnemar_exact,
    paired_difference,
    percentile,
    retention,
    wilson_interval,
)

SETTINGS = {"confidence": 0.95, "resamples": 10_000, "seed": 17}


def outcomes(both: int, first: int, second: int, none: int) -> tuple[list[bool], list[bool]]:
    ours = [True] * (both + first) + [False] * (second + none)
    theirs = [True] * both + [False] * first + [True] * second + [False] * none
    return ours, theirs


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (15, 148, 0.0624, 0.1605),
        (81, 263, 0.2553, 0.3662),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],  # Newcombe 1998, table I
)
def test_wilson_interval_against_published_values(successes: int, n: int, low: float, high: float) -> None:
    interval = wilson_interval(successes, n)
    assert interval.value == successes / n
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_wilson_interval_of_nothing_says_nothing() -> None:
    interval = wilson_interval(0, 0)
    assert math.isnan(interval.value) and (interval.low, interval.high) == (0.0, 1.0)


def test_mcnemar_exact_against_the_binomial_test() -> None:
    assert mcnemar_exact(*outcomes(50, 12, 2, 36)) == pytest.approx(0.012939453125)  # 2 * P(X <= 2), X ~ B(14, 1/2)
    assert mcnemar_exact(*outcomes(50, 5, 5, 40)) == 1.0
    assert mcnemar_exact(*outcomes(10, 0, 0, 10)) == 1.0
    assert 0 <= mcnemar_exact(*outcomes(0, 4000, 100, 0)) < 1e-300


def test_paired_difference_agrees_with_resampling_items() -> None:
    ours, theirs = outcomes(30, 25, 10, 55)
    interval = paired_difference(ours, theirs, **SETTINGS)
    differences = np.array(ours, dtype=float) - np.array(theirs, dtype=float)
    draws = differences[np.random.default_rng(1).integers(0, 120, (10_000, 120))].mean(axis=1)
    assert interval.value == pytest.approx(0.125)
    assert [interval.low, interval.high] == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.009)


def test_paired_difference_is_the_same_in_two_runs_and_zero_against_itself() -> None:
    ours, theirs = outcomes(30, 25, 10, 55)
    assert paired_difference(ours, theirs, **SETTINGS) == paired_difference(ours, theirs, **SETTINGS)
    same = paired_difference(ours, ours, **SETTINGS)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_paired_difference_needs_the_same_items() -> None:
    with pytest.raises(ValueError):
        discordant([True], [True, False])


def test_retention_is_a_ratio_with_an_interval_around_it() -> None:
    interval = retention(*outcomes(45, 3, 5, 47), **SETTINGS)
    assert interval.value == pytest.approx(48 / 50)
    assert interval.low < 0.96 < interval.high


def test_retention_of_nothing_is_undefined() -> None:
    assert math.isnan(retention(*outcomes(0, 3, 0, 47), **SETTINGS).value)
    assert retention(*outcomes(20, 0, 0, 0), **SETTINGS).low == 1.0


def test_centred_on_chance() -> None:
    assert centred_on_chance(0.25, 0.25) == 0
    assert centred_on_chance(1.0, 0.25) == 1
    assert centred_on_chance(0.1, 0.25) == pytest.approx(-0.2)


def test_percentile_interpolates() -> None:
    assert percentile([4, 1, 3, 2], 0.5) == 2.5
    assert percentile([5.0], 0.95) == 5.0
    assert math.isnan(percentile([], 0.5))
