"""Drafting a format by LLM for a task without one: three parts, one repair round, then the lint decides."""

from pathlib import Path

import msgspec

from stages.formats.lint import lint_format
from stages.formats.params import FormatsParams
from stages.formats.parse import parse_draft
from stages.formats.schema import Format
from stages.llm.client import CallFailed, Client, Reply, Request, map_rows
from stages.llm.prompts import Prompt, fill, load_prompt
from stages.tables import Reject, content_id
from stages.tasks.schema import InstructionRow

PROMPTS = Path(__file__).parent / "prompts"
MAX_EXAMPLE = 500  # characters of one sampled instruction


class TaskSummary(msgspec.Struct, frozen=True):
    """What the drafter may know of a task: no answers."""

    task: str
    family: str
    keyed: bool  # its answers end with a `Final answer:` line
    documented: bool  # its rows name grounding documents
    examples: list[str]  # sampled instructions


def summarise_tasks(rows: list[InstructionRow], examples: int) -> list[TaskSummary]:
    """One summary per task, sorted by name; examples are drawn by content hash from the training rows."""
    by_task: dict[str, list[InstructionRow]] = {}
    for row in rows:
        by_task.setdefault(row.task, []).append(row)
    return [_summary(task, by_task[task], examples) for task in sorted(by_task)]


def _summary(task: str, rows: list[InstructionRow], examples: int) -> TaskSummary:
    train = sorted((row for row in rows if row.split == "train"), key=lambda row: content_id("format-example", row.id))
    return TaskSummary(
        task=task,
        family=rows[0].family,
        keyed=any(row.key_kind != "none" for row in rows),
        documented=any(row.document_ids for row in rows),
        examples=[row.instruction[:MAX_EXAMPLE] for row in train[:examples]],
    )


async def draft_format(client: Client, summary: TaskSummary, author: str, tokens: int) -> Format | Reject:
    """A draft that passes the lint, or the reason why there is none."""
    try:
        reply = await client.chat(_request("formats.draft", tokens, load_prompt(PROMPTS / "draft.txt"), **_values(summary)))
        form = _as_format(summary, reply, author)
        problems = lint_format(form)
        if problems:
            values = {"task": summary.task, "problems": ", ".join(problems), "draft": reply.text[:2000]}
            reply = await client.chat(_request("formats.repair", tokens, load_prompt(PROMPTS / "repair.txt"), **values))
            form = _as_format(summary, reply, author)
            problems = lint_format(form)
    except CallFailed as failure:
        return Reject("formats", summary.task, f"call-failed:{failure.reason}", failure.detail)
    if problems:
        return Reject("formats", summary.task, "draft-unusable", ", ".join(problems))
    return form


def _request(purpose: str, tokens: int, prompt: Prompt, **values: str) -> Request:
    return Request(purpose=purpose, messages=fill(prompt, **values), max_tokens=tokens or None, allow_truncated=True)


def _values(summary: TaskSummary) -> dict[str, str]:
    rule = (
        "Answers end with the line `Final answer: <key>`, which must not change." if summary.keyed else "Answers are free text."
    )
    return {
        "task": summary.task,
        "family": summary.family,
        "answer_rule": rule,
        "examples": "\n---\n".join(summary.examples) or "(none)",
    }


def _as_format(summary: TaskSummary, reply: Reply, author: str) -> Format:
    """What code knows better than a model (the answer line, where evidence comes from) is set by code."""
    draft = parse_draft(reply.text)
    return Format(
        task=summary.task,
        status="draft",
        introduction=draft.introduction,
        steps=draft.steps,
        instructions=draft.rules,
        answer_line="Final answer: {key}" if summary.keyed else "",
        search=not summary.documented,
        document=summary.documented,
        rewrite=True,
        author=author,
        reviewer="",
        date="",
        version=0,
        sha256=reply.key,
    )


async def draft_formats(
    summaries: list[TaskSummary], client: Client, author: str, params: FormatsParams, concurrency: int
) -> list[Format | Reject]:
    """One outcome per summary, in order."""

    async def work(summary: TaskSummary) -> Format | Reject:
        return await draft_format(client, summary, author, params.draft_tokens)

    return await map_rows(summaries, work, concurrency=concurrency, label="drafting formats")
