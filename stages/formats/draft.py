"""Drafting a format by LLM for a task without one: three parts, one repair round, then the lint decides."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from stages.formats.evidence import passages_for
from stages.formats.lint import ANSWER_LINE, Finding, lint, standing_rules
from stages.formats.params import FormatsParams
from stages.formats.parse import parse_draft
from stages.formats.schema import Format
from stages.formats.sentences import forbids_evidence, keeps_conclusion
from stages.ingest.schema import Passage
from stages.llm.client import CallFailed, Client, Reply, Request, map_rows
from stages.llm.prompts import fill, load_prompt
from stages.tables import Reject, content_id
from stages.tasks.schema import InstructionRow

PROMPTS = Path(__file__).parent / "prompts"
MAX_EXAMPLE = 500  # characters of one sampled instruction
MAX_DRAFT = 2_000  # characters of an unusable draft that the repair sees, and of what is wrong with it


class TaskSummary(msgspec.Struct, frozen=True):
    """What the drafter may know of a task: no answers."""

    task: str
    family: str
    keyed: bool  # its answers end with a `Final answer:` line
    documented: bool  # its rows name grounding documents
    examples: list[str]  # sampled instructions
    evidence: list[str] = []  # passages about what they ask


def summarise_tasks(
    rows: Sequence[InstructionRow], examples: int, by_entity: Mapping[str, Sequence[Passage]] | None = None, evidence: int = 0
) -> list[TaskSummary]:
    """One summary per task, sorted by name; examples are drawn by content hash from the training rows.

    `by_entity` holds passages that nobody is examined on; at most `evidence` of them, about the rows drawn, are shown.
    """
    by_task: dict[str, list[InstructionRow]] = {}
    for row in rows:
        by_task.setdefault(row.task, []).append(row)
    return [_summary(task, by_task[task], examples, by_entity or {}, evidence) for task in sorted(by_task)]


def _summary(
    task: str, rows: Sequence[InstructionRow], examples: int, by_entity: Mapping[str, Sequence[Passage]], evidence: int
) -> TaskSummary:
    train = sorted((row for row in rows if row.split == "train"), key=lambda row: content_id("format-example", row.id))
    return TaskSummary(
        task=task,
        family=rows[0].family,
        keyed=any(row.key_kind != "none" for row in rows),
        documented=any(row.document_ids for row in rows),
        examples=[row.instruction[:MAX_EXAMPLE] for row in train[:examples]],
        evidence=passages_for(train[: max(examples, evidence)], by_entity, evidence) if evidence else [],
    )


async def draft_format(client: Client, summary: TaskSummary, author: str, params: FormatsParams) -> Format | Reject:
    """A draft that passes the lint, or the reason why there is none.

    One repair round; after it the standing rules do for a draft without rules of its own, also for the first one,
    which a weak model may have spoiled by mending it.
    """
    model = client.llm.teacher.model
    try:
        reply = await client.chat(_request("draft", params, _values(summary)))
        form = _as_format(summary, reply, author, model)
        findings = _findings(form, summary)
        if not findings:
            return form
        mended = await client.chat(_request("repair", params, _flaws(summary, findings, reply.text)))
    except CallFailed as failure:
        return Reject("formats", summary.task, f"call-failed:{failure.reason}", failure.detail)
    last = [_with_rules(_as_format(summary, one, author, model), summary) for one in (mended, reply)]
    usable = next((form for form in last if not _findings(form, summary)), None)
    reasons = ", ".join(sorted({finding.reason for finding in _findings(last[0], summary)}))
    return usable or Reject("formats", summary.task, "draft-unusable", reasons)


def _findings(form: Format, summary: TaskSummary) -> list[Finding]:
    """The lint's findings, and one for each step that a weak model copied from the prompt's illustration."""
    shown = {
        step for role, turn in load_prompt(PROMPTS / "draft.txt").turns if role == "assistant" for step in parse_draft(turn).steps
    }
    copied = [step for step in form.steps if step in shown]
    messages = (
        f"The step “{step}” is that of the illustration, which is about another task. Write a step of this task."
        for step in copied
    )
    return [*lint(form, keyed=summary.keyed), *(Finding("copied-step", message) for message in messages)]


def _request(name: str, params: FormatsParams, values: Mapping[str, str]) -> Request:
    messages = fill(load_prompt(PROMPTS / f"{name}.txt"), **values)
    return Request(purpose=f"formats.{name}", messages=messages, max_tokens=params.draft_tokens or None, allow_truncated=True)


def _values(summary: TaskSummary) -> dict[str, str]:
    rule = (
        "Answers end with the line `Final answer: <key>`, which must not change." if summary.keyed else "Answers are free text."
    )
    return {
        "task": summary.task,
        "family": summary.family,
        "answer_rule": rule,
        "examples": "\n---\n".join(summary.examples) or "(none)",
        "evidence": "\n---\n".join(summary.evidence) or "(none)",
    }


def _flaws(summary: TaskSummary, findings: Sequence[Finding], draft: str) -> dict[str, str]:
    problems = "\n".join(f"- {finding.message}" for finding in findings)
    return {"task": summary.task, "problems": problems[:MAX_DRAFT], "draft": draft[:MAX_DRAFT]}


def _as_format(summary: TaskSummary, reply: Reply, author: str, model: str) -> Format:
    """What code knows better than a model (answer line, standing rules, where evidence comes from) is set by code."""
    draft = parse_draft(reply.text)
    form = Format(
        task=summary.task,
        status="draft",
        introduction=draft.introduction,
        steps=draft.steps,
        instructions=draft.rules,
        answer_line=ANSWER_LINE if summary.keyed else "",
        search=not summary.documented,
        document=summary.documented,
        rewrite=True,
        author=author,
        reviewer="",
        date="",
        version=0,
        sha256=reply.key,
        drafted_with=model,
        prompt_sha256=reply.key,
    )
    return _with_rules(form, summary) if draft.rules else form


def _with_rules(form: Format, summary: TaskSummary) -> Format:
    """`form` with the standing rules that it lacks."""
    rules = form.instructions
    missing = {
        "no-conclusion-rule": summary.keyed and not any(map(keeps_conclusion, rules)),
        "no-evidence-rule": not any(map(forbids_evidence, rules)),
    }
    standing = [standing_rules()[reason] for reason, is_so in missing.items() if is_so]
    return msgspec.structs.replace(form, instructions=[*rules, *standing])


async def draft_formats(
    summaries: list[TaskSummary], client: Client, author: str, params: FormatsParams, concurrency: int
) -> list[Format | Reject]:
    """One outcome per summary, in order."""

    async def work(summary: TaskSummary) -> Format | Reject:
        return await draft_format(client, summary, author, params)

    return await map_rows(summaries, work, concurrency=concurrency, label="drafting formats")
