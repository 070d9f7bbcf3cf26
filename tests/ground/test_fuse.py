"""Reciprocal rank fusion: the sums of the paper, any order of engines, ties by id."""

import itertools

import pytest

from stages.ground.fuse import fuse
from stages.ground.retrieve import Hit
from tests.toy_rows import make_passage

A, B, C, D = (make_passage(f"cwe:CWE-{number}", f"Text {number}.") for number in (1, 2, 3, 4))


def ranking(engine: str, *passages: object) -> list[Hit]:
    return [Hit(passage, rank, 9.0 - rank, {engine: 9.0 - rank}) for rank, passage in enumerate(passages)]  # type: ignore[arg-type]


def test_sums_of_reciprocal_places() -> None:
    found = fuse([ranking("x", A, B), ranking("y", B, C)], 60, 8)
    assert [hit.passage for hit in found] == [B, A, C] and [hit.rank for hit in found] == [0, 1, 2]
    assert found[0].score == pytest.approx(1 / 62 + 1 / 61) and found[1].score == pytest.approx(1 / 61)
    assert found[0].scores == {"x": 8.0, "y": 9.0} and found[1].scores == {"x": 9.0}


def test_a_small_constant_trusts_first_places_more() -> None:
    rankings = [ranking("x", A, B, C), ranking("y", C, B, D)]
    assert [hit.passage.id for hit in fuse(rankings, 60, 1)] == [C.id]
    assert [hit.passage.id for hit in fuse([ranking("x", A, C, B), ranking("y", D, C, B)], 1, 1)] == [C.id]
    assert [hit.passage.id for hit in fuse([ranking("x", A, D, C), ranking("y", B, D, C)], 0, 3)] == [A.id, B.id, D.id]


def test_the_order_of_the_engines_does_not_matter_and_ties_go_by_id() -> None:
    rankings = [ranking("x", A, B, C, D), ranking("y", D, C, B), ranking("z", C, A)]
    orders = [[hit.passage.id for hit in fuse(order, 60, 8)] for order in itertools.permutations(rankings)]
    assert all(order == orders[0] for order in orders)
    assert [hit.passage for hit in fuse([ranking("x", B), ranking("y", A)], 60, 8)] == [A, B]


def test_nothing_found_and_one_list_stay_as_they_are() -> None:
    assert fuse([], 60, 8) == [] and fuse([[], []], 60, 8) == []
    assert [hit.passage for hit in fuse([ranking("x", C, A), []], 60, 8)] == [C, A]
    assert [hit.passage for hit in fuse([ranking("x", C, A), []], 60, 1)] == [C]
