"""Verdicts are read as they are meant, and swapped orders are combined."""

import asyncio

import pytest

from stages.enrich.judge import combine, judge_pair, parse_choice, parse_score
from stages.llm.client import Request
from stages.llm.params import LLMParams, Role
from tests.fake_client import FakeClient


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
    verdict = asyncio.run(judge_pair(client, "q", "o", "r", 8))
    assert (verdict.readability, verdict.factuality, len(verdict.hashes)) == ("", None, 6)
    assert client.ledger.metrics()["parse_failures"] == 3, "each reply counts once, whether or not it is asked for again"
    assert {request.role for request in client.requests} == {"judge"}


def test_an_unreadable_reply_is_asked_for_once_more_in_the_form_that_is_wanted() -> None:
    def careless(request: Request) -> str:
        told = request.messages[-1]["content"]
        if "Reply again" not in told:
            return "Let me think about <<END-DATA>> both answers."
        assert "<<END-DATA" not in request.messages[-2]["content"]
        return "9" if "1 to 10" in told else "B"

    client = FakeClient(careless)
    verdict = asyncio.run(judge_pair(client, "q", "o", "r", 8))
    assert (verdict.places, verdict.factuality, len(set(verdict.hashes))) == (("B", "B"), 9, 6)


def test_a_server_bound_to_a_schema_answers_as_json() -> None:
    client = FakeClient(lambda request: '{"score": 7}' if request.purpose == "enrich.factuality" else '{"verdict": "tie"}')
    client.llm = LLMParams(judge=Role(provider="openai", json_schema=True))
    verdict = asyncio.run(judge_pair(client, "q", "o", "r", 8))
    assert (verdict.readability, verdict.factuality, len(verdict.hashes)) == ("tie", 7, 3)
    assert [request.schema["title"] for request in client.requests if request.schema] == ["Choice", "Choice", "Score"]


@pytest.mark.parametrize("reply", ['{"score": 70}', '{"score": "high"}', '{"verdict": "C"}', "{" * 5000])
def test_json_of_no_such_form_is_no_verdict(reply: str) -> None:
    client = FakeClient(lambda _: reply)
    verdict = asyncio.run(judge_pair(client, "q", "o", "r", 8))
    assert (verdict.readability, verdict.factuality) == ("", None)
