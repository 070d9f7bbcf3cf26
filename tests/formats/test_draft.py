"""Drafting: tolerant reading, one repair, the lint decides; no answer of a row ever reaches the drafter."""

import asyncio

import pytest

from stages.formats.draft import draft_format, summarise_tasks
from stages.formats.parse import parse_draft
from stages.formats.schema import Format
from stages.tables import Reject
from tests import fake_teacher
from tests.fake_client import FakeClient, by_behaviour
from tests.toy_rows import make_row, toy_corpus

GOOD = "<introduction>What.</introduction><steps>\n1. First.\n2. Second.\n</steps><rules>\n- Short.\n</rules>"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "<introduction>What.\n<steps>1. First. 2. Second.\n<rules>* Short.",
        "**Introduction:** What.\n\n**Steps:**\n1) First.\nStep 2: Second.\n\n## Rules:\n• Short.",
        "Sure!\n<INTRODUCTION>\nWhat.\n</INTRODUCTION>\n<Steps>\n(1) First.\n(2) Second.</Steps>\n<rules>Short.</rules> Done.",
    ],
)
def test_three_parts_are_found_in_any_dress(text: str) -> None:
    draft = parse_draft(text)
    assert (draft.introduction, draft.steps, draft.rules) == ("What.", ["First.", "Second."], ["Short."])


@pytest.mark.parametrize("text", ["", "I cannot help.", "</steps></rules>", "<steps>" * 500])
def test_prose_has_no_parts(text: str) -> None:
    assert not parse_draft(text).introduction


def draft(replies: list[str | None]) -> tuple[Format | Reject, FakeClient]:
    remaining = iter(replies)
    client = FakeClient(lambda _: next(remaining))
    (summary,) = summarise_tasks([make_row("Question?", "SECRET\nFinal answer: CWE-79", document_ids=["cwe:CWE-79"])], 3)
    return asyncio.run(draft_format(client, summary, "teacher", 100)), client  # type: ignore[arg-type]


def test_a_draft_is_unreviewed_and_code_sets_what_code_knows() -> None:
    form, client = draft([GOOD])
    assert isinstance(form, Format)
    assert (form.status, form.reviewer, form.author, form.answer_line) == ("draft", "", "teacher", "Final answer: {key}")
    assert (form.document, form.search) == (True, False)
    assert "Question?" in str(client.requests) and "SECRET" not in str(client.requests)


def test_a_bad_draft_is_repaired_once_and_then_rejected_with_its_flaws() -> None:
    form, client = draft(["nothing useful", GOOD])
    assert isinstance(form, Format) and client.requests[1].purpose == "formats.repair"
    reject, client = draft(["nothing useful", "again nothing"])
    assert isinstance(reject, Reject) and reject.reason == "draft-unusable" and "too-few-steps" in reject.detail
    assert len(client.requests) == 2


def test_a_failed_call_is_a_reject_with_its_reason() -> None:
    reject, _ = draft([None])
    assert isinstance(reject, Reject) and reject.reason == "call-failed:server-error"


def test_summaries_are_the_same_for_rows_in_any_order() -> None:
    rows = toy_corpus()
    assert summarise_tasks(rows, 4) == summarise_tasks(rows[::-1], 4)
    assert [len(summary.examples) for summary in summarise_tasks(rows, 4)] == [4, 4, 4]


def test_every_task_gets_a_format_from_the_fake_teacher() -> None:
    client = FakeClient(by_behaviour(fake_teacher.behaviour))
    drafts = [asyncio.run(draft_format(client, summary, "t", 100)) for summary in summarise_tasks(toy_corpus(), 3)]  # type: ignore[arg-type]
    assert all(isinstance(form, Format) for form in drafts)
