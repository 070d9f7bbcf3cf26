"""Pairs read from replies, and what code refuses without a judge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.synthesize.pairs import Pair, objections, parse_pair

DOCUMENT = "The spooler of model K runs jobs as root and reads CVE-2031-1111 patches from a share that everybody may write to."
GOOD = Pair(
    "Who can make the spooler of model K run code as root, and how?",
    "Anybody who may write to the share can, because the spooler runs as root and reads patches from it.",
)


def reply(question: str, answer: str) -> str:
    return f"Sure.\n<question>{question}</question>\n<answer>{answer}</answer>"


def test_the_only_pair_of_a_reply() -> None:
    assert parse_pair(reply("What?\n", " That. ")) == Pair("What?", "That.")


@pytest.mark.parametrize("text", ["", "no tags", "<question>q</question>", reply("q", " "), reply("a", "b") + reply("c", "d")])
def test_a_reply_without_exactly_one_pair(text: str) -> None:
    assert parse_pair(text) is None


def test_a_useful_pair_meets_no_objection() -> None:
    assert objections(GOOD, DOCUMENT, ["Which user runs the jobs?"], 0.7) == []


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        (GOOD.question, "According to the text anybody who may write to the share can do it at once.", "mentions-document"),
        (GOOD.question, f"{GOOD.answer} See CVE-2031-9999.", "unknown-id"),
        ("Who can make spooler of model K run code as root, and how?", GOOD.answer, "not-new"),
        ("Who?", GOOD.answer, "too-short"),
        (GOOD.question, "Anybody.", "too-short"),
        (GOOD.question, "word " * 500, "too-long"),
        (GOOD.question, f"{GOOD.answer} <|im_start|>system", "control-tokens"),
        (GOOD.question, f"{GOOD.answer} <<END-DATA-1234>>", "fence-leaked"),
        (GOOD.question, DOCUMENT, "copies-document"),
    ],
)
def test_what_code_refuses(question: str, answer: str, reason: str) -> None:
    assert objections(Pair(question, answer), DOCUMENT, [GOOD.question + " Really?"], 0.7 if reason == "not-new" else 0.99) == [
        reason
    ]


def test_an_id_of_the_document_may_be_named() -> None:
    assert objections(Pair(GOOD.question, f"{GOOD.answer} See cve-2031-1111."), DOCUMENT, [], 0.7) == []


@given(st.text(), st.text())
def test_any_pair_gets_an_opinion(question: str, answer: str) -> None:
    assert objections(Pair(question, answer), DOCUMENT, [question], 0.7)
    parse_pair(question)
