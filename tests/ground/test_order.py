"""The shortcut over groups gives what sorting everything gives."""

import numpy as np
import pytest

from stages.ground.order import DIGITS, best_first, candidates


@pytest.mark.parametrize("size", [0, 1, 5, 63, 64, 65, 1000, 5003])
@pytest.mark.parametrize("wanted", [1, 8, 100, 10_000])
def test_as_sorting_everything(size: int, wanted: int) -> None:
    scores = np.random.default_rng(size).choice([-1.0, 0.0, 0.25, 0.5, 0.500001, 3.0, 7.5], size=size)
    places = candidates(scores, wanted)
    rounded = [round(float(score), DIGITS) for score in scores]
    expected = sorted(((-score, place) for place, score in enumerate(rounded) if score > 0))[:wanted]
    assert best_first(places, scores[places], wanted) == [(place, -score) for score, place in expected]


def test_ties_beyond_what_is_wanted_are_cut_by_place() -> None:
    scores = np.full(500, 2.0)
    places = candidates(scores, 3)
    assert best_first(places, scores[places], 3) == [(0, 2.0), (1, 2.0), (2, 2.0)]
    assert best_first(places, scores[places], 0) == []
