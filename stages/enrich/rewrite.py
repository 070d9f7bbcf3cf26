"""The rewrite request: the template answer is the truth, the format says how to tell it, the prompt file fences them all as data."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.formats.schema import Format
from stages.ground.schema import Evidence
from stages.llm.client import Request
from stages.llm.prompts import fill, load_prompt
from stages.tasks.schema import InstructionRow

PROMPTS = Path(__file__).parent / "prompts"
KEEP_ORIGINAL = PROMPTS / "keep_original.md"  # the rule that is added to the prompt, and no prompt of its own
CHARS_PER_TOKEN = 4
_DECLINED = re.compile(
    r"[\W_]{0,12}keep(?:ing)?[ _-](?:the[ _-])?original(?:[ _-]answer)?\b[ \t*_`\"'.:–—-]*([^\n]{0,400})(?:\s*\n\s*final answer[^\n]{0,100})?",
    re.IGNORECASE,
)
ANSWER_LINE = "Final answer: "
_ANSWER_LINE = re.compile(
    rf"{ANSWER_LINE}[\w.:/()-]{{1,44}}(?:, [\w.:/()-]{{1,44}}){{0,9}}"
)  # a CVSS vector; no room for a sentence of a source


class Shown(msgspec.Struct, frozen=True):
    """What a rewrite may rest on besides its row; where there is a summary, the teacher reads it and not the passages."""

    passages: list[Evidence]
    summary: str = ""


def rewrite_request(
    row: InstructionRow, form: Format, evidence: Sequence[Evidence], attempt: int, *, summary: str = "", adaptive: bool = False
) -> Request:
    """One call of the teacher; `attempt` above 0 is another sample. `adaptive`: it may answer that the format does not suit."""
    passages = "\n".join(f"- {' '.join(passage.text.split())}" for passage in evidence)
    choice = KEEP_ORIGINAL.read_text(encoding="utf-8").strip() if adaptive else ""
    messages = fill(
        load_prompt(PROMPTS / "rewrite.txt"),
        instruction=row.instruction,
        answer=row.answer,
        evidence=summary or passages or "(none)",
        introduction=form.introduction,
        steps="\n".join(f"{number}. {step}" for number, step in enumerate(form.steps, 1)),
        rules="\n".join(f"- {rule}" for rule in form.instructions),
        last_line="\n".join(filter(None, [last_line(row, form), choice])),
    )
    return Request(purpose="enrich.rewrite", messages=messages, attempt=attempt, allow_truncated=True)


def last_line(row: InstructionRow, form: Format) -> str:
    """The rule about the last line, with the row's key filled in where the format has such a line.

    It stands outside the fence, so a line of the answer is told only if it states values of the key and nothing else.
    """
    if not form.answer_line or not row.answer_key:
        return "- End when the last section is written."
    stated = [line.strip() for line in row.answer.splitlines() if line.strip().lower().startswith("final answer")]
    values = stated[-1].removeprefix(ANSWER_LINE).split(", ") if stated else row.answer_key
    line = f"{ANSWER_LINE}{', '.join(values)}"
    if set(values) <= set(row.answer_key) and _ANSWER_LINE.fullmatch(line):
        return f"- The last line is exactly: {line}"
    return "- The last line is that of the original answer."


def evidence_for(attempt: int, evidence: Sequence[Evidence], limit: int) -> list[Evidence]:
    """The best-ranked passages within `limit` tokens; half of that at a second attempt."""
    room, taken = limit // (attempt + 1), []
    for passage in sorted(evidence, key=lambda passage: passage.rank):
        room -= len(passage.text) // CHARS_PER_TOKEN + 1
        if room < 0:
            break
        taken.append(passage)
    return taken


def material(attempt: int, evidence: Sequence[Evidence], summary: str, limit: int) -> list[Shown]:
    """What to show at `attempt`, and what instead if the prompt is too long: without the last-ranked passage, with half, none."""
    if summary:
        return [Shown(list(evidence), summary), Shown([])]
    taken = evidence_for(attempt, evidence, limit)
    sizes = dict.fromkeys([len(taken), max(0, len(taken) - 1), len(taken) // 2, 0])
    return [Shown(taken[:size]) for size in sorted(sizes, reverse=True)]


def why_kept(text: str) -> str:
    """The teacher's reason for keeping the original, if that is all that it says; empty if it wrote a rewrite."""
    found = _DECLINED.fullmatch(text.strip())
    return (found[1].strip(" \t*_`\"'.") or "no reason given") if found else ""


def clean_rewrite(text: str) -> str:
    """The answer without a code fence around it and without space at line ends."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    if len(lines) > 2 and lines[0].startswith("```") and lines[-1] == "```":
        lines = lines[1:-1]
    return "\n".join(lines).strip()
