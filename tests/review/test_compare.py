"""Two versions on the same rows: numbers that are right, and words that do not promise more than the rows can tell."""

import msgspec
import pytest

from stages.review.compare import compare_results, mean_difference
from stages.review.schema import Comparison, RowResult, Version
from tests.review.made import make_result, make_version
from tests.review.sample import CHOSEN, sample_format


def version(name: str) -> Version:
    return make_version(name, sample_format(CHOSEN))


def results(kept: str, **changed: object) -> dict[str, RowResult]:
    """One row per letter: `k` for kept."""
    return {f"row{n}": make_result("run", f"row{n}", kept=letter == "k", **changed) for n, letter in enumerate(kept)}


def compared(a: Version, b: Version, results_a: dict[str, RowResult], results_b: dict[str, RowResult]) -> Comparison:
    """All rows are of one run."""
    return compare_results(a, b, results_a, results_b, {"run": "as always"})


def test_only_rows_of_both_count() -> None:
    found = compared(version("a"), version("b"), results("kkxx"), {**results("kk"), "other": make_result("run", "other")})
    assert found.rows == ["row0", "row1"] and found.acceptance and found.acceptance.n == 2


def test_without_common_rows_it_says_so() -> None:
    found = compared(version("a"), version("b"), results("k"), {})
    assert found.acceptance is None and found.p_value is None and "No row" in found.words[0]


def test_too_few_rows_are_called_too_few() -> None:
    found = compared(version("a"), version("b"), results("xxx"), results("kkk"))
    assert found.acceptance and found.acceptance.value == 1.0 and found.p_value == 0.25
    assert any("Too few rows to tell" in line for line in found.words)


def test_a_clear_difference_is_called_one() -> None:
    found = compared(version("a"), version("b"), results("x" * 20 + "k" * 5), results("k" * 25))
    assert found.only_b == [f"row{n}" for n in sorted(map(str, range(20)), key=lambda n: f"row{n}")] and not found.only_a
    assert found.p_value is not None and found.p_value < 0.001 and "Version B is kept more often" in found.words[2]


def test_a_difference_within_chance_is_called_one() -> None:
    few = compared(version("a"), version("b"), results("kkkkxxxxxx"), results("xxxkkkkkkk"))
    many = compared(version("a"), version("b"), results("kx" * 20), results("xk" * 20))
    assert "too few" in few.words[2] and many.words[2] == "The difference may be chance."


def test_means_are_paired_and_their_interval_holds_them() -> None:
    found = mean_difference([(5, 7), (6, 8), (7, 9), (8, 8)])
    assert found and (found.a, found.b, found.value) == (6.5, 8.0, 1.5) and 0.5 <= found.low < 1.5 < found.high == 2.0
    assert mean_difference([]) is None and found == mean_difference([(5, 7), (6, 8), (7, 9), (8, 8)])


def test_unscored_rows_are_left_out_of_factuality_only() -> None:
    found = compared(version("a"), version("b"), results("kk", factuality=None), results("kk", rewrite="one two three"))
    assert found.factuality is None and found.length and found.length.value == pytest.approx(2)


def test_rows_tried_under_other_conditions_are_told() -> None:
    other = {row: msgspec.structs.replace(result, run_id="later") for row, result in results("kk").items()}
    a, b = version("a"), version("b")
    told = compare_results(a, b, results("kk"), other, {"run": "small model", "later": "large model"}).words
    assert any("2 of these rows were tried under other conditions" in line for line in told)
    assert not any("CAUTION" in line for line in compare_results(a, b, results("kk"), other, {"run": 1, "later": 1}).words)
