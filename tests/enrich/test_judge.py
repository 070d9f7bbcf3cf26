"""Verdicts are read as they are meant, swapped orders are combined, and the judge is examined before it decides."""

import asyncio
import json
from pathlib import Path

import pytest

from stages.enrich.calibration import calibrate, load_pairs, tail
from stages.enrich.judge import combine, judge_pair, parse_choice, parse_score
from stages.enrich.params import Calibration, EnrichParams
from stages.errors import InputError
from tests import fake_teacher
from tests.fake_client import Answer, FakeClient, by_behaviour


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("A", "A"), ("B.", "B"), ("**B**", "B"), ("Tie", "tie"), ("They are equal", "tie"), ("It is about the same.", "tie"),
        ("Comparing A with B, my verdict: B", "B"), ("Answer: A", "A"), ("Answer B", "B"), ("A is short.\nB has order.\n**B**", "B"),
        ("A is clearer than B", "A"), ("Answer B is clearer than A.", "B"), ("I choose B over A.", "B"),
        ("Answer A is easier to read because it has", "A"),
        ("Answer B is not clearer than A.", ""), ("B is harder to read than A", ""), ("I would not choose B over A", ""),
        ("Verdict: A\nVerdict: B", ""), ("A is better, or B", ""), ("a good answer", ""), ("", ""), ("Answer", ""),
    ],
)  # fmt: skip
def test_choices(text: str, choice: str) -> None:
    assert parse_choice(text) == choice


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("9", 9),
        ("10", 10),
        ("8/10", 8),
        ("Score: 7", 7),
        ("2 facts are missing: 4/10", 4),
        ("Score: 7 out of 10", 7),
        ("6 of 10", 6),
        ("5 on a scale of 1 to 10", 5),
        ("The score is 4. Two of 9 facts are kept", 4),
        ("On a scale from 1 to 10 I would give it a 8.", 8),
        ("**Score**: 9\nAll facts are kept.", 9),
        ("10: every fact is kept", 10),
        ("2 facts are missing", None),
        ("6 of 10 facts are kept", None),
        ("1. The port is named. 2. The protocol is", None),
        ("Score: 8. Score: 3", None),
        ("Two facts of 9 are kept, so 4", None),
        ("The score is not 7", None),
        ("Score: 7/8", None),
        ("0", None),
        ("100", None),
        ("7.5", None),
        ("x", None),
    ],
)
def test_scores(text: str, score: int | None) -> None:
    assert parse_score(text) == score


@pytest.mark.parametrize(
    ("original_first", "rewritten_first", "verdict"),
    [
        ("B", "A", "rewritten"), ("A", "B", "original"), ("A", "A", "inconsistent"), ("B", "B", "inconsistent"),
        ("tie", "tie", "tie"), ("tie", "B", "tie"), ("", "A", ""),
    ],
)  # fmt: skip
def test_swapped_orders(original_first: str, rewritten_first: str, verdict: str) -> None:
    assert combine(original_first, rewritten_first) == verdict


def test_an_unreadable_reply_is_no_verdict_and_is_counted() -> None:
    client = FakeClient(lambda _: "well")
    verdict = asyncio.run(judge_pair(client, "q", "o", "r", 8))  # type: ignore[arg-type]
    assert (verdict.readability, verdict.factuality, len(verdict.hashes)) == ("", None, 3)
    assert client.ledger.metrics()["parse_failures"] == 3
    assert {request.role for request in client.requests} == {"judge"}


def examined(answer: Answer, pairs: int = 0) -> dict:
    params = EnrichParams(calibration=Calibration(pairs=pairs))
    return asyncio.run(calibrate(FakeClient(answer), params, 4))  # type: ignore[arg-type]


@pytest.mark.parametrize("pairs", [8, 0])
def test_an_able_judge_passes(pairs: int) -> None:
    found = examined(by_behaviour(fake_teacher.behaviour), pairs)
    assert found["passed"] and found["accuracy"] == {"factuality": 1.0, "readability": 1.0} and found["position_bias"] == 0


def test_a_judge_that_always_says_the_same_is_at_chance_and_its_bias_shows() -> None:
    found = examined(lambda request: "10" if request.purpose == "enrich.factuality" else "A")
    assert not found["passed"] and found["accuracy"] == {"factuality": 0.5, "readability": 0.5} and found["position_bias"] == 0.5


@pytest.mark.parametrize("reply", ["", None, "no idea"])
def test_a_judge_that_says_nothing_fails(reply: str | None) -> None:
    assert not examined(lambda _: reply)["passed"]


def test_one_good_half_does_not_carry_the_other() -> None:
    found = examined(lambda request: "A" if request.purpose == "enrich.readability" else fake_teacher.behaviour(request.messages))
    assert found["accuracy"]["factuality"] == 1.0 and not found["passed"]


def test_chance_is_the_tail_of_a_coin() -> None:
    assert tail(10, 12) == pytest.approx(79 / 4096) and tail(0, 5) == 1.0


def test_half_of_the_pairs_examine_each_question_and_every_kind_comes_up() -> None:
    kinds = [pair.spoilt_by for pair in load_pairs(EnrichParams().calibration.pairs)]
    assert set(kinds) == {"lost-fact", "changed-fact", "flipped-verdict", "new-id", "unreadable"}
    assert kinds.count("unreadable") == 4 == len(kinds) // 2 and len(load_pairs(0)) == 14


def test_a_damaged_pair_names_its_line(tmp_path: Path) -> None:
    good = {"spoilt_by": "lost-fact", "instruction": "", "reference": "", "good": "", "spoilt": ""}
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(good) + "\n" + json.dumps({**good, "spoilt_by": "typo"}) + "\n")
    with pytest.raises(InputError, match=r"pairs.jsonl, line 2"):
        load_pairs(0, path)
