"""What a terminal is told: every number once, in words, and no verdict where there is none."""

import pytest

from stages.enrich.checks import CheckResult
from stages.enrich.format_figures import Tried, figures
from stages.review import told
from stages.review.schema import BlindPair, Decision, TaskCard, Usage
from tests.review.made import make_result, make_run, make_version
from tests.review.sample import CHOSEN, sample_format
from tests.toy_rows import make_evidence, make_row


def test_a_row_tells_what_changed_and_why_it_is_not_kept() -> None:
    row = make_row("Which flaw?", "The copy is too long.\nFinal answer: CWE-787")
    checks = [CheckResult("loops", True), CheckResult("too-short", False, ["3 words"])]
    result = make_result(
        "run", "row", rewrite="A longer text.\nFinal answer: CWE-787", kept=False, reasons=["too-short"], checks=checks,
        evidence=[make_evidence(row, "text")], usage=Usage(calls=7, cached=2, prompt_tokens=1500, completion_tokens=100, usd=0.0016),
    )  # fmt: skip
    said = told.result(row, result)
    assert "=== row row: not kept: too-short" in said and "  1. cwe:CWE-79#text (CC-BY-4.0, https://example.org)" in said
    assert "-The copy is too long.\n+A longer text.\n Final answer: CWE-787" in said
    assert "checks: 1 of 2 passed\n  too-short: " in said and "«3 words»" in said and "loops: " not in said
    assert "7 calls (2 cached), 1,600 tokens, $0.0016; 0.1 s" in said


def test_a_row_without_a_rewrite_tells_its_error_and_no_verdict() -> None:
    row = make_row("Which flaw?", "The copy is too long.")
    said = told.result(row, make_result("run", "row", rewrite="", kept=False, error="ground: call-failed:empty"))
    assert "not tried: ground: call-failed:empty" in said and "judge" not in said and "checks" not in said


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"readability": "", "places": ["", ""], "factuality": None}, "judge: not asked"),
        (
            {"readability": "rewritten", "places": ["B", "A"], "factuality": 9},
            "both orders (original as A: B; rewrite as A: A); facts 9 of 10",
        ),
        ({"readability": "", "places": ["A", ""], "factuality": None}, "rewrite as A: unreadable); facts unreadable"),
    ],
)
def test_a_verdict_is_told_as_it_was_given(changed: dict[str, object], words: str) -> None:
    assert words in told.judged(make_result("run", "row", **changed))


def test_the_end_of_a_run_tells_error_and_examination() -> None:
    run = make_run(
        state="failed", done=1, total=3, error="No server.", calibration={"passed": False, "right": 9, "decisions": 16}
    )
    said = told.run_end(run, figures([]))
    assert "failed, 1 of 3 rows" in said and "No server." in said and "9 of 16 right, did not pass" in said
    assert "over 0 row(s)" not in said


def test_figures_are_told_with_their_interval() -> None:
    tried = [
        Tried(
            row_id=str(n), task="t", format_sha256="", kept=n < 13, reasons=[], readability="rewritten", factuality=9, steps_found=3,
            steps=3, words=10, template_words=10, prompt_tokens=1, completion_tokens=1, usd=None,
        )
        for n in range(20)
    ]  # fmt: skip
    assert told.acceptance(figures(tried)) == "65% (43%-82%)" and told.acceptance(figures([])) == "-"
    assert "over 20 row(s): 65% (43%-82%) kept; judge 20 won" in told.run_end(make_run(), figures(tried))


def test_lines_have_a_cell_for_every_head() -> None:
    version = make_version("one", sample_format(CHOSEN))
    card = TaskCard(
        family="", task=CHOSEN, kind="", status="", findings=2, rows=1234, keyed=True, versions=0, runs=0, last_run="", tried=0,
        problem="line 1", figures=None, agreement={"pairs": 4, "agreed": 3},
    )  # fmt: skip
    decision = Decision(task=CHOSEN, version_id="one", verdict="rejected", reviewer="Bob", note="why", created="now")
    lines = [told.card_line(card), told.version_line(version, figures([])), told.run_line(make_run(error="a\nb"))]
    heads = [told.CARD_HEAD, told.VERSION_HEAD, told.RUN_HEAD, told.DECISION_HEAD]
    assert [len(line) for line in [*lines, told.decision_line(decision)]] == [len(head) for head in heads]
    assert lines[0][3] == "unreadable, 2 finding(s)" and "1,234" in lines[0] and lines[0][-1] == "3 of 4 agreed"
    assert lines[2][-1] == "a", "of an error its first line"


def test_a_reader_is_told_the_pair_and_nothing_else() -> None:
    pair = BlindPair(run_id="secret-run", row_id="secret-row", task=CHOSEN, instruction="Q?", original="Old.", rewrite="New.")
    said = told.pair(pair)
    assert "Q?" in said and said.index("Old.") < said.index("New.") and "secret" not in said
