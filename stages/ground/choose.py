"""The filter: which phrases are worth a search, and the one fact that the draft lacks and no phrase would find."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.formats.schema import Format
from stages.ground.params import GroundParams
from stages.ground.queries import numbered
from stages.ground.trail import Trail
from stages.llm.asking import Shape
from stages.llm.client import Request
from stages.llm.prompts import fill, load_prompt
from stages.tasks.schema import InstructionRow

PROMPT = Path(__file__).parent / "prompts" / "filter.txt"
LONGEST_FACT = 200  # characters of a missing fact that is looked at: it is a hint, not a text
_NONE = re.compile(r"\bnone\b", re.IGNORECASE)
_MISSING = re.compile(r"\bmissing\b[*_\"' \t]{0,4}:(.*)", re.IGNORECASE | re.DOTALL)
_NOTHING = re.compile(r"\W*(?:none|nothing|no|n/?a|no (?:missing )?facts?)?\W*", re.IGNORECASE)


class Choice(msgspec.Struct, frozen=True):
    """Positions of the kept phrases, and the missing fact or an empty text."""

    kept: list[int]
    missing: str = ""


class Chosen(msgspec.Struct):
    """The reply of a server that is bound to a schema."""

    numbers: list[int]
    missing: str


async def choose_queries(row: InstructionRow, form: Format, queries: Sequence[str], params: GroundParams, trail: Trail) -> Choice:
    """What the filter keeps of `queries`; all of them if its reply says nothing that can be read. Raises CallFailed."""

    def read(text: str) -> Choice | None:
        return parse_filter(text, len(queries))

    def of_json(said: Chosen) -> Choice | None:
        return read(f"{said.numbers or 'none'} missing: {said.missing}")

    answer = await trail.ask(filter_request(row, form, queries, params), read, Shape(Chosen, of_json))
    if answer.value is None:
        trail.counts["filter-unparsed"] += 1
        return Choice(list(range(len(queries))))
    trail.counts["filter-kept-none"] += not answer.value.kept
    is_cut = answer.reply.finish_reason == "length"  # half a fact is none
    return Choice(answer.value.kept, "" if is_cut else answer.value.missing)


def filter_request(row: InstructionRow, form: Format, queries: Sequence[str], params: GroundParams) -> Request:
    """The filter sees question, draft answer, format steps and the phrases; temperature 0, it only chooses."""
    prompt = load_prompt(PROMPT)
    messages = fill(prompt, instruction=row.instruction, answer=row.answer, steps=numbered(form.steps), queries=numbered(queries))
    return Request(
        purpose="ground.filter",
        messages=messages,
        max_tokens=params.filter_tokens or None,
        temperature=0.0,
        allow_truncated=True,
        repair=prompt.repair,
    )


def parse_filter(text: str, count: int) -> Choice | None:
    """The choice that a reply states; None if it says neither numbers nor `none`."""
    named = _MISSING.search(text)
    said, missing = (text[: named.start()], one_fact(named[1])) if named else (text, "")
    numbers = sorted({int(number) - 1 for number in re.findall(r"\b\d{1,2}\b", said) if 1 <= int(number) <= count})
    if numbers or _NONE.search(said):
        return Choice(numbers, missing)
    return Choice([], missing) if missing and not said.strip() else None


def one_fact(text: str) -> str:
    """The first line of `text` that says something, bounded; empty where it says that nothing is missing."""
    lines = (" ".join(line.split()).strip(" \"'`*-") for line in text.splitlines())
    first = next((line for line in lines if line), "")[:LONGEST_FACT]
    return "" if _NOTHING.fullmatch(first) else first
