import math

import pytest

from stages.public_benchmarks.bootstrap import mean_interval, micro_f1_interval

SETTINGS = {"confidence": 0.95, "resamples": 4000, "seed": 17}


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = [0.0, 1.0] * 200
    interval = mean_interval(values, **SETTINGS)
    assert interval.value == 0.5
    assert interval.low == pytest.approx(0.5 - 1.96 * 0.5 / 20, abs=0.006) and interval.high == pytest.approx(
        0.5 + 1.96 * 0.5 / 20, abs=0.006
    )
    assert mean_interval(values, **SETTINGS) == interval


def test_micro_f1_pools_the_counts_of_all_items() -> None:
    interval = micro_f1_interval([(3, 1, 0), (1, 0, 3)], **SETTINGS)
    assert interval.value == pytest.approx(2 * 4 / (2 * 4 + 1 + 3))
    assert interval.low == pytest.approx(2 / 5) and interval.high == pytest.approx(6 / 7)  # one item drawn twice
    assert micro_f1_interval([(0, 0, 0)], **SETTINGS).value == 0.0


def test_nothing_has_no_mean() -> None:
    assert math.isnan(mean_interval([], **SETTINGS).value)
