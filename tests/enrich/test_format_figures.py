"""Figures of a format: whatever happened to a row is counted, nothing is averaged over rows that have no rewrite."""

import math
import random
from typing import Any

import msgspec
import pytest

from stages.enrich.core import as_enriched
from stages.enrich.format_figures import Tried, figures, tallied, tried_of
from stages.llm.schema import StoredResponse
from stages.runtime import Price
from tests.toy_rows import make_format, make_row

ROW = make_row("Which weakness?", "The page echoes input.\nFinal answer: CWE-79")


def tried(number: int = 0, **changed: Any) -> Tried:
    values: dict[str, Any] = {
        "row_id": f"r{number}", "task": "cve-to-cwe", "format_sha256": "0", "kept": True, "reasons": [], "readability": "rewritten",
        "factuality": 9, "steps_found": 3, "steps": 3, "words": 20, "template_words": 10, "prompt_tokens": 100,
        "completion_tokens": 50, "usd": None,
    }  # fmt: skip
    return Tried(**{**values, **changed})


def response(key: str, model: str = "m") -> StoredResponse:
    return StoredResponse(
        key=key, namespace="n", model=model, text="t", finish_reason="stop", prompt_tokens=1000, completion_tokens=200
    )


def test_a_record_says_what_came_of_one_row_and_what_it_cost() -> None:
    row = as_enriched(
        ROW, answer=ROW.answer, rewrite="### 1. A heading\nThe page echoes what it is given.", sources=[], licences=[],
        decision="template", reasons=["key-changed"], readability="tie", factuality=4, format_sha256="f", steps_followed=1,
        evidence_ids=[], request_hashes=["a", "b", "elsewhere"],
    )  # fmt: skip
    stored = {key: response(key) for key in "abc"}
    found = tried_of(row, make_format(), stored, {"m": Price(input=1.0, output=5.0)})
    assert (found.steps_found, found.steps, found.words, found.template_words) == (1, 3, 7, 7)
    assert (found.prompt_tokens, found.completion_tokens, found.usd) == (2000, 400, pytest.approx(0.004))
    assert (found.kept, found.reasons, found.readability, found.factuality) == (False, ["key-changed"], "tie", 4)
    assert tried_of(row, make_format(), stored).usd is None
    assert tried_of(row, make_format(), {**stored, "b": response("b", "unpriced")}, {"m": Price(input=1.0)}).usd is None


def test_every_outcome_is_counted_once() -> None:
    rows = [
        tried(1),
        tried(2, kept=False, readability="original", factuality=5, reasons=["less-readable", "not-factual"]),
        tried(3, kept=False, readability="inconsistent", factuality=None, steps_found=1, words=40, reasons=["judge-unparsed"]),
        tried(4, kept=True, readability="tie", factuality=10),
        tried(5, kept=False, readability="", factuality=None, words=0, steps_found=0, reasons=["call-failed:timeout"]),
    ]
    found = figures(rows)
    assert (found.n, found.kept, found.wins, found.ties, found.losses, found.inconsistent, found.unjudged) == (
        5,
        2,
        1,
        1,
        1,
        1,
        1,
    )
    assert found.mean_factuality == 8.0 and found.words == 25.0 and found.length_ratio == 2.5 and found.tokens == 150.0
    assert found.steps_followed == pytest.approx(10 / 12, abs=1e-4) and found.usd is None
    assert found.reasons == {"call-failed:timeout": 1, "judge-unparsed": 1, "less-readable": 1, "not-factual": 1}


def test_one_row_says_next_to_nothing_and_the_interval_shows_it() -> None:
    found = figures([tried()]).acceptance
    assert found is not None and (found.value, found.high) == (1.0, 1.0) and found.low == pytest.approx(0.2065, abs=1e-3)
    nothing = figures([])
    assert nothing.n == 0 and nothing.acceptance is None and nothing.words is None and nothing.usd is None


def test_no_figure_is_nan_and_the_order_of_rows_changes_no_byte() -> None:
    rows = [tried(number, factuality=number % 10 + 1, words=number, usd=number / 7e5) for number in range(40)]
    shuffled = random.Random(3).sample(rows, len(rows))
    assert msgspec.json.encode(figures(rows)) == msgspec.json.encode(figures(shuffled))
    values = msgspec.to_builtins(figures([tried(words=0, steps=0, steps_found=0, template_words=0, factuality=None)]))
    assert not [value for value in values.values() if isinstance(value, float) and math.isnan(value)]


def test_tasks_are_kept_apart() -> None:
    every, found = tallied([tried(1, task="b"), tried(2, task="a", kept=False), tried(3, task="b")])
    assert list(found) == ["a", "b"] and (found["a"].kept, found["b"].n) == (0, 2) and (every.n, every.kept) == (3, 2)
