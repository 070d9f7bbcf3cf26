"""Evidence gaps: after a search the model says which fact is still missing, and writes new queries for it."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.formats.schema import Format
from stages.ground.choose import one_fact
from stages.ground.params import GroundParams
from stages.ground.queries import content_words, is_new, key_terms, numbered, parse_queries, phrases_shape
from stages.ground.retrieve import PassageIndex
from stages.ground.schema import Evidence
from stages.ground.trail import Trail
from stages.llm.asking import Shape
from stages.llm.client import Request
from stages.llm.prompts import fill, load_prompt
from stages.tasks.schema import InstructionRow

PROMPTS = Path(__file__).parent / "prompts"
MOST_FACTS = 2  # of one assessment: a second round is two queries
_ENOUGH = re.compile(
    r"^\W{0,6}(?:(?:there|that|this|it) is )?(?:enough|nothing(?: is| else)?(?: is)? missing)\b[*_\"'` ]{0,4}(?:$|[.,;:!])",
    re.IGNORECASE | re.MULTILINE,
)  # as the whole of a line or its first words: `enough` within a sentence is as often denied
_FACT = re.compile(r"^\W{0,4}(?:\d{1,2}[.):]\s*)?missing\b[^:\n]{0,20}:(.*)$", re.IGNORECASE | re.MULTILINE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.):])\s+(\S.*)$", re.MULTILINE)


class Assessment(msgspec.Struct):
    """The reply of a server that is bound to a schema."""

    enough: bool
    missing: list[str]


async def missing_facts(
    row: InstructionRow, form: Format, evidence: Sequence[Evidence], params: GroundParams, trail: Trail
) -> list[str] | None:
    """The facts that the format asks for and neither draft nor evidence has; none if all is there. Raises CallFailed.

    None, and counted, if the reply says neither.
    """
    answer = await trail.ask(gaps_request(row, form, evidence, params), parse_gaps, Shape(Assessment, _of_json))
    trail.counts["gap-unparsed"] += answer.value is None
    return answer.value


def gaps_request(row: InstructionRow, form: Format, evidence: Sequence[Evidence], params: GroundParams) -> Request:
    """The assessor sees question, draft answer, format steps and the evidence found so far; temperature 0."""
    prompt = load_prompt(PROMPTS / "gaps.txt")
    messages = fill(prompt, instruction=row.instruction, answer=row.answer, steps=numbered(form.steps), evidence=shown(evidence))
    return Request(
        purpose="ground.gaps",
        messages=messages,
        max_tokens=params.gap_tokens or None,
        temperature=0.0,
        allow_truncated=True,
        repair=prompt.repair,
    )


def parse_gaps(text: str) -> list[str] | None:
    """The missing facts that a reply names, `[]` where it says that there is enough; None where it says neither."""
    named = [*_FACT.findall(text)]
    if named and not any(part.strip() for part in named):  # a heading over a list
        named = _BULLET.findall(text)
    facts = list(dict.fromkeys(fact for fact in map(one_fact, named) if fact))
    if facts:
        return facts[:MOST_FACTS]
    return [] if _ENOUGH.search(text) or named else None


async def gap_queries(
    row: InstructionRow,
    facts: Sequence[str],
    asked: Sequence[str],
    index: PassageIndex,
    common: set[str],
    params: GroundParams,
    trail: Trail,
) -> list[str]:
    """At most K phrases that look for `facts`, none of the words of one in `asked`; made by code if the reply has none.

    Raises CallFailed.
    """
    content = content_words(" ".join([row.instruction, *facts]), index, common)

    def read(text: str) -> list[str] | None:
        return parse_queries(text, params, content, asked) or None

    answer = await trail.ask(gap_queries_request(row, facts, asked, params), read, phrases_shape(read))
    if answer.value is not None:
        return answer.value
    trail.counts["gap-query-fallback"] += 1
    return [query for query in key_terms(" ".join(facts), index, common, params) if is_new(query, asked)]


def gap_queries_request(row: InstructionRow, facts: Sequence[str], asked: Sequence[str], params: GroundParams) -> Request:
    """The builder of the second round sees the question, what is missing, and what was asked already."""
    prompt = load_prompt(PROMPTS / "gap_queries.txt")
    messages = fill(
        prompt, instruction=row.instruction, missing=numbered(facts), asked=numbered(asked), count=str(params.queries)
    )
    limit = params.query_tokens or None
    return Request(purpose="ground.gap_queries", messages=messages, max_tokens=limit, allow_truncated=True, repair=prompt.repair)


def shown(evidence: Sequence[Evidence]) -> str:
    """Evidence as a prompt shows it, one passage a line."""
    return "\n".join(f"- {' '.join(one.text.split())}" for one in evidence) or "(none)"


def _of_json(said: Assessment) -> list[str] | None:
    facts = list(dict.fromkeys(fact for fact in map(one_fact, said.missing) if fact))
    return [] if said.enough else facts[:MOST_FACTS] or None
