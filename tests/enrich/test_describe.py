"""The figures of a run: verdicts, biases and disagreements over all rows, what was spared, and what was tried again."""

from typing import Any

import msgspec
import pytest

from stages.enrich.core import untouched
from stages.enrich.describe import attempt_figures, bare_attempts, calls_saved, describe, judge_figures, share
from stages.enrich.params import EnrichParams
from stages.enrich.schema import RewriteAttempt
from tests.enrich.test_core import ROW, enrich, says

PARAMS = EnrichParams()


def attempt(row: int = 0, **changed: Any) -> RewriteAttempt:
    values = {
        "row_id": f"{row:02}", "attempt": 0, "text": "T", "reasons": [], "evidence_ids": [], "readability": "", "places": ["", ""],
        "factuality": None, "request_hashes": ["t"],
    }  # fmt: skip
    return RewriteAttempt(**{**values, **changed})


def judged(row: int, readability: str, places: str, factuality: int | None = 9, **changed: Any) -> RewriteAttempt:
    named = [place.replace("-", "") for place in places.split()]
    return attempt(
        row, readability=readability, places=named, factuality=factuality, request_hashes=["t", "1", "2", "3"], **changed
    )


RUN = [
    judged(0, "rewritten", "B A"), judged(1, "original", "A B"), judged(2, "tie", "tie tie", 3), judged(3, "tie", "tie A"),
    judged(4, "inconsistent", "A A"), judged(5, "inconsistent", "A A", None), judged(6, "inconsistent", "B B", 2),
    judged(7, "", "A -"), attempt(8, reasons=["key-changed"]), attempt(9, reasons=["call-failed:timeout"], request_hashes=[], text=""),
]  # fmt: skip


def test_verdicts_biases_and_disagreements_over_the_whole_run() -> None:
    found = judge_figures(RUN, PARAMS)
    assert found["asked"] == 8 and found["factuality_unread"] == 1
    assert found["verdicts"] == {"rewritten": 1, "original": 1, "tie": 2, "inconsistent": 3, "unread": 1}
    assert (found["inconsistent"]["count"], found["inconsistent"]["of"]) == (3, 7)
    assert found["orders_disagree"]["count"] == 4, "three times the same place, and once a tie in one order only"
    assert found["inconsistent_names_first"]["share"] == pytest.approx(0.6667, abs=1e-4)
    assert found["inconsistent_names_second"]["count"] == 1
    # row 1 and 4: facts allow and readability does not; row 2 the other way; row 6 neither
    assert (found["questions_disagree"]["count"], found["questions_disagree"]["of"]) == (3, 6)


def test_a_share_has_wilsons_interval_and_a_share_of_nothing_has_none() -> None:
    assert share(1, 2) == {"count": 1, "of": 2, "share": 0.5, "low": 0.0945, "high": 0.9055}
    assert share(0, 0) == {"count": 0, "of": 0, "share": None, "low": None, "high": None}
    assert judge_figures([], PARAMS)["inconsistent"]["share"] is None


def test_calls_that_code_saved_are_those_of_rewrites_that_nobody_judged() -> None:
    assert calls_saved(RUN) == {"rewrites": 1, "calls": 3}, "of claims the judge might never have been asked"
    declined = attempt(reasons=["format-does-not-suit"])
    assert calls_saved([declined]) == {"rewrites": 0, "calls": 0}
    outcome = enrich(says(score="2"), judge_all=True)[0]
    assert calls_saved(outcome.attempts)["rewrites"] == 0


def test_attempts_that_another_one_followed_are_counted_by_reason() -> None:
    tried = [
        attempt(0, reasons=["call-failed:too-long"]), attempt(0, reasons=["loops"]), attempt(0, attempt=1),
        attempt(1, reasons=["call-failed:too-long"]),
    ]  # fmt: skip
    assert attempt_figures(bare_attempts(tried)) == {
        "calls": 4, "second_samples": 1, "shortened": 1, "reasons": {"call-failed:too-long": 1, "loops": 1},
    }  # fmt: skip
    assert [one.attempt for one in bare_attempts(tried).last] == [1, 0]


def test_the_figures_of_rows_and_attempts_agree() -> None:
    outcomes = [enrich(says())[0], enrich(says(first="A", second="A"))[0], enrich(says("### 1. x"))[0]]
    rows = [untouched(ROW), *(outcome.row for outcome in outcomes)]
    attempts = [
        msgspec.structs.replace(one, row_id=str(number)) for number, outcome in enumerate(outcomes) for one in outcome.attempts
    ]
    found = describe(rows, bare_attempts(attempts), PARAMS)
    assert found["kept_share"]["count"] == found["decisions"]["rewritten"] == 1 and found["tried"] == 3
    assert found["judge"]["asked"] == found["judged"] == 2 and found["calls_saved"]["rewrites"] == 1
    assert found["judge"]["verdicts"]["inconsistent"] == found["readability"]["inconsistent"] == 1
