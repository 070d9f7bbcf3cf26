import math

import pytest

from stages.public_benchmarks.bootstrap import mean_interval, micro_f1_interval
from stages.statistics import wilson_interval

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


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5, 2 / 3])
def test_items_that_are_all_alike_leave_a_doubt(value: float) -> None:
    interval = mean_interval([value] * 60, **SETTINGS)
    assert interval.value == pytest.approx(value) and 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.high - interval.low >= 0.06
    points = mean_interval([10 * value] * 60, top=10.0, **SETTINGS)
    assert (points.low, points.high) == pytest.approx((10 * interval.low, 10 * interval.high))


def test_the_bounds_of_all_right_and_all_wrong_are_those_of_wilson() -> None:
    right, wrong = wilson_interval(60, 60), wilson_interval(0, 60)
    assert right.low == pytest.approx(0.9398, abs=1e-4)
    for interval, wanted in (
        (mean_interval([1.0] * 60, **SETTINGS), right),
        (mean_interval([0.0] * 60, **SETTINGS), wrong),
        (micro_f1_interval([(2, 0, 0)] * 60, **SETTINGS), right),
    ):
        assert (interval.value, interval.low, interval.high) == pytest.approx((wanted.value, wanted.low, wanted.high))
    assert mean_interval([1.0], **SETTINGS).low < 0.3


def test_nothing_has_no_mean() -> None:
    assert math.isnan(mean_interval([], **SETTINGS).value)
