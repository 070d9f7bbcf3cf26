"""The rewrite request: the template answer is the truth, the format says how to tell it, the prompt file fences them all as data."""

import re
from collections.abc import Sequence
from pathlib import Path

from stages.formats.schema import Format
from stages.ground.schema import Evidence
from stages.llm.client import Request
from stages.llm.prompts import fill, load_prompt
from stages.tasks.schema import InstructionRow

PROMPTS = Path(__file__).parent / "prompts"
CHARS_PER_TOKEN = 4
_ANSWER_LINE = re.compile(
    r"Final answer: [\w.:/()-]{1,44}(?:, [\w.:/()-]{1,44}){0,9}"
)  # a CVSS vector; no room for a sentence of a source


def rewrite_request(row: InstructionRow, form: Format, evidence: Sequence[Evidence], attempt: int) -> Request:
    """One call of the teacher; `attempt` above 0 is another sample."""
    messages = fill(
        load_prompt(PROMPTS / "rewrite.txt"),
        instruction=row.instruction,
        answer=row.answer,
        evidence="\n".join(f"- {' '.join(passage.text.split())}" for passage in evidence) or "(none)",
        introduction=form.introduction,
        steps="\n".join(f"{number}. {step}" for number, step in enumerate(form.steps, 1)),
        rules="\n".join(f"- {rule}" for rule in form.instructions),
        last_line=last_line(row, form),
    )
    return Request(purpose="enrich.rewrite", messages=messages, attempt=attempt, allow_truncated=True)


def last_line(row: InstructionRow, form: Format) -> str:
    """The rule about the last line, with the row's key filled in where the format has such a line."""
    if not form.answer_line or not row.answer_key:
        return "- End when the last section is written."
    stated = [line for line in row.answer.splitlines() if line.strip().lower().startswith("final answer")]
    line = stated[-1].strip() if stated else form.answer_line.replace("{key}", ", ".join(row.answer_key))
    return (
        f"- The last line is exactly: {line}"
        if _ANSWER_LINE.fullmatch(line)
        else "- The last line is that of the original answer."
    )


def evidence_for(attempt: int, evidence: Sequence[Evidence], limit: int) -> list[Evidence]:
    """The best-ranked passages within `limit` tokens; half of that at a second attempt."""
    room, taken = limit // (attempt + 1), []
    for passage in sorted(evidence, key=lambda passage: passage.rank):
        room -= len(passage.text) // CHARS_PER_TOKEN + 1
        if room < 0:
            break
        taken.append(passage)
    return taken


def clean_rewrite(text: str) -> str:
    """The answer without a code fence around it and without space at line ends."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    if len(lines) > 2 and lines[0].startswith("```") and lines[-1] == "```":
        lines = lines[1:-1]
    return "\n".join(lines).strip()
