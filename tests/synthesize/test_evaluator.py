"""Verdicts, and the examination that an evaluator must pass."""

import asyncio
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.llm.client import Request
from stages.synthesize.evaluator import CASES, Case, examine, judge, load_cases, parse_verdict
from stages.synthesize.pairs import Pair
from stages.synthesize.params import SynthesizeParams
from tests.fake_client import FakeClient


@pytest.mark.parametrize(
    ("text", "missed"),
    [
        ("1: yes\n2: yes\n3: yes", []),
        ("1. No\n2) yes\n**3**: no.", ["not-harder-or-new", "not-grounded"]),
        ("1: yes\n2: yes", None),
        ("1: yes\n1: no\n2: yes\n3: yes", None),
        ("yes yes yes", None),
        ("", None),
    ],
)
def test_three_lines_are_a_verdict_and_nothing_else(text: str, missed: list[str] | None) -> None:
    assert parse_verdict(text) == missed


def of(cases: list[Case], request: Request) -> Case:
    return next(case for case in cases if case.answer in request.messages[-1]["content"])


def test_one_that_tells_them_apart_passes_and_one_that_says_yes_to_all_does_not() -> None:
    cases = load_cases(0)
    assert {case.good for case in cases} == {True, False}
    told = FakeClient(lambda request: f"1: yes\n2: yes\n3: {'yes' if of(cases, request).good else 'no'}")
    assert asyncio.run(examine(told, SynthesizeParams(), 4))["passed"]
    polite = asyncio.run(examine(FakeClient(lambda request: "1: yes\n2: yes\n3: yes"), SynthesizeParams(), 4))
    assert not polite["passed"] and polite["accuracy"] == {"good": 1.0, "bad": 0.0}


@pytest.mark.parametrize("reply", [None, "I think it is fine."])
def test_one_that_fails_or_rambles_does_not_pass(reply: str | None) -> None:
    found = asyncio.run(examine(FakeClient(lambda request: reply), SynthesizeParams(), 4))
    assert not found["passed"] and found["right"] == 0


def test_every_bad_case_has_a_good_twin_on_the_same_text() -> None:
    cases = load_cases(0)
    assert [case.good for case in cases] == [True, False] * (len(cases) // 2)
    assert all(one.document == other.document for one, other in zip(cases[::2], cases[1::2], strict=True))
    assert load_cases(2) == cases[:2]


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(CASES.read_text().splitlines()[0] + "\n{}\n")
    with pytest.raises(InputError, match=r"cases.jsonl, line 2"):
        load_cases(0, path)


@pytest.mark.parametrize("second", ["1: yes\n2: yes\n3: no", '{"harder_or_new": true, "answerable": true, "grounded": false}'])
def test_an_unreadable_verdict_is_asked_for_once_more(second: str) -> None:
    replies = ["It looks fine to me.", second]
    client = FakeClient(lambda request: replies[len(client.requests) - 1])
    said = asyncio.run(judge(client, "text", [], Pair("q", "a"), 16))
    assert said.missed == ["not-grounded"] and len(said.keys) == 2
