"""One text instead of a row's passages, made for the steps of its format: it adds nothing and does not answer.

What code can see of that is checked: a summary that names what no passage names stands for none of them.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.control_tokens import has_control_tokens
from stages.formats.schema import Format
from stages.ground.gaps import shown
from stages.ground.params import GroundParams
from stages.ground.queries import numbered
from stages.ground.schema import Evidence
from stages.ground.text import cut, tokens, words
from stages.ground.trail import Trail
from stages.llm.asking import Shape
from stages.llm.client import Request
from stages.llm.fence import leaks_fence
from stages.llm.prompts import fill, load_prompt
from stages.tasks.schema import InstructionRow

PROMPT = Path(__file__).parent / "prompts" / "summary.txt"
WORDS_PER_TOKEN = 0.7  # English prose
LEAST_SHARED = 0.5  # of a summary's longer words that question and passages have: below it, it speaks of something else
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
_TERM = re.compile(r"[a-z0-9]+(?:[-.:][a-z0-9]+)*")
_ITSELF = re.compile(r"\b(?:(?:the|these|this) passages?|summary|summari[sz]ed?|rewritten|rephrased?)\b", re.IGNORECASE)
_ANSWERS = re.compile(r"\bfinal answer\b|\b(?:correct|right) (?:answer|option|choice)\b|\bthe answer is\b", re.IGNORECASE)


class Summary(msgspec.Struct):
    """The reply of a server that is bound to a schema."""

    summary: str


async def summarise(row: InstructionRow, form: Format, evidence: Sequence[Evidence], params: GroundParams, trail: Trail) -> str:
    """A summary of `evidence` within `summary_tokens`; empty, and counted, if none can stand for it. Raises CallFailed.

    Passages that are as short as a summary may be are not summarised.
    """
    if not params.summary_tokens or sum(tokens(one.text) for one in evidence) <= params.summary_tokens:
        return ""

    def read(text: str) -> str | None:
        made = tidy(text, params.summary_tokens)
        return None if why_refused(made, row, evidence) else made

    request = summary_request(row, form, evidence, params)
    answer = await trail.ask(request, read, Shape(Summary, lambda said: read(said.summary)))
    if answer.value is not None:
        trail.counts["summary"] += 1
        return answer.value
    reason = why_refused(tidy(answer.reply.text, params.summary_tokens), row, evidence)
    trail.counts[f"summary-refused:{reason}"] += 1
    return ""


def summary_request(row: InstructionRow, form: Format, evidence: Sequence[Evidence], params: GroundParams) -> Request:
    """The summariser sees question, format steps and passages, and no draft answer: it has nothing to conclude with."""
    prompt = load_prompt(PROMPT)
    most = str(max(20, int(params.summary_tokens * WORDS_PER_TOKEN)))
    messages = fill(prompt, instruction=row.instruction, steps=numbered(form.steps), evidence=shown(evidence), words=most)
    return Request(purpose="ground.summary", messages=messages, temperature=0.0, allow_truncated=True, repair=prompt.repair)


def tidy(text: str, limit: int) -> str:
    """One paragraph with plain hyphens, cut after a sentence within `limit` tokens."""
    return cut(" ".join(text.translate(_DASHES).split()), limit)


def why_refused(summary: str, row: InstructionRow, evidence: Sequence[Evidence]) -> str:
    """Why `summary` may not stand for `evidence`, or an empty text."""
    source = " ".join(f"{one.text} {one.entity_id.partition(':')[2]}" for one in evidence)
    reasons = {
        "empty": len(summary.split()) < 5,
        "control-tokens": has_control_tokens(summary) or not summary.isprintable(),
        "fence": leaks_fence(summary),
        "invented": bool(named_terms(summary) - named_terms(source)),
        "off-topic": shared_words(summary, f"{row.instruction} {source}") < LEAST_SHARED,
        "mentions-itself": _brings_in(_ITSELF, summary, source),
        "answers": _brings_in(_ANSWERS, summary, source),
        "longer": len(summary) >= sum(len(one.text) for one in evidence),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _brings_in(phrase: re.Pattern[str], summary: str, source: str) -> bool:
    return phrase.search(summary) is not None and not phrase.search(source)


def shared_words(summary: str, source: str) -> float:
    """Share of the words of five letters or more in `summary` whose first four begin one of `source`; 1 if there are none."""
    known = {word[:4] for word in words(source)}
    longer = [word[:4] for word in words(summary) if len(word) >= 5]
    return sum(word in known for word in longer) / len(longer) if longer else 1.0


def named_terms(text: str) -> set[str]:
    """Identifiers, versions and numbers of two digits or more: what a summary may not bring in."""
    terms = _TERM.findall(text.translate(_DASHES).casefold())
    return {term for term in terms if len(term) > 1 and any(character.isdigit() for character in term)}
