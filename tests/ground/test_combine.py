"""Joining by score equals the definition, computed place by place; an engine that finds nothing still counts."""

import numpy as np
import pytest

from stages.ground.combine import combine
from stages.ground.order import DIGITS, Scores
from tests.toy_rows import make_passage

PASSAGES = [make_passage(f"cwe:CWE-{number}", ".") for number in range(700)]


def scores(values: "np.ndarray", noise: float = 0.0) -> Scores:
    """Exact values, and rough ones that differ from them by at most `noise`."""
    rough = values + np.random.default_rng(9).uniform(-noise, noise, len(values))
    return Scores(rough, values.__getitem__)


def by_definition(engines: dict[str, "np.ndarray"], hits: int) -> list[tuple[int, float]]:
    """(place, score), best first, ties by place."""
    means = {}
    for place in range(len(next(iter(engines.values())))):
        parts = [max(float(of[place]), 0.0) / float(of.max()) for of in engines.values() if of.max() > 0]
        means[place] = round(sum(parts) / len(engines), DIGITS)
    ranked = sorted((place for place, mean in means.items() if mean > 0), key=lambda place: (-means[place], place))
    return [(place, means[place]) for place in ranked[:hits]]


def found(engines: dict[str, "np.ndarray"], hits: int, noise: float = 0.0) -> list[tuple[int, float]]:
    passages = PASSAGES[: len(next(iter(engines.values())))]
    listed = combine(passages, {name: scores(values, noise) for name, values in engines.items()}, hits)
    assert [hit.rank for hit in listed] == list(range(len(listed)))
    return [(passages.index(hit.passage), hit.score) for hit in listed]


@pytest.mark.parametrize("size", [3, 64, 700])
@pytest.mark.parametrize("best", [20.0, 1.0, 1e-2, 3e-4])
@pytest.mark.parametrize("hits", [1, 8, 60])
def test_as_the_definition_says_however_small_the_best_is(size: int, best: float, hits: int) -> None:
    draw = np.random.default_rng(size)
    engines = {
        "a": draw.choice([0.0, 0.2, 0.5, 0.9], size) * draw.uniform(0.5, 1, size) * best,
        "b": draw.uniform(-0.5, 1, size),
    }
    assert found(engines, hits) == by_definition(engines, hits)
    assert all(score <= 1 for _, score in found(engines, hits))


def test_rough_scores_decide_nothing() -> None:
    draw = np.random.default_rng(3)
    engines = {"a": draw.uniform(0.99, 1, 700), "b": draw.uniform(0.99, 1, 700)}
    assert found(engines, 5, noise=4e-4) == by_definition(engines, 5)


def test_the_mean_is_over_all_engines_also_one_that_finds_nothing() -> None:
    nothing, some = np.zeros(3), np.array([2.0, 1.0, 0.0])
    assert found({"a": some, "b": nothing}, 8) == [(0, 0.5), (1, 0.25)]
    assert found({"a": nothing, "b": -some}, 8) == []


def test_a_hit_has_the_scores_of_the_engines_that_found_it() -> None:
    (first, second) = combine(PASSAGES[:2], {"a": scores(np.array([2.0, 1.0])), "b": scores(np.array([0.0, 0.3]))}, 8)
    assert (first.scores, first.score) == ({"a": 1.0, "b": 0.3}, 0.75)
    assert (second.scores, second.score) == ({"a": 2.0}, 0.5)
