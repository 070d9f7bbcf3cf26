"""Sentences of a rewrite that rest on none of its sources, as the judge sees them. What code can look up is in `stated.py`."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from stages.enrich.judge import ask_judge
from stages.llm.asking import Chat, Shape

_LONGEST = 2000  # characters of a reply that is read: MOST numbers, each with a few words
_EDGES = " \t*_`\"'.,:;#>-()[]"  # around a line that rules
MOST = 60  # sentences that are numbered; the last one holds what comes after
_SPLIT = re.compile(r"(?<=[.!?])[\"”)]?\s+(?=[\"“(`*]?[A-Z0-9])")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s+(.+)|\*\*([^*\n]{2,80})\*\*:?)\s*$")
_MARK = re.compile(r"^\s*(?:[-*+]\s+|\d{1,3}[.)]\s+)+")
_NONE = re.compile(
    r"none|nothing|no(?:ne of the)? sentences?(?: (?:is|are) (?:unsupported|not supported))?"
    r"|(?:all|every)(?: (?:of the )?sentences?)? (?:is|are) supported",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"(?:(?:the )?(?:not supported|unsupported)? ?(?:sentences?|numbers?|answer|verdict)?(?: are| is)?[\s:=*(\[]{0,5})"
    r"(\d{1,3}(?:[\s,;&]{1,4}(?:and\s)?\d{1,3}){0,80})(?: (?:is|are) (?:unsupported|not supported))?",
    re.IGNORECASE,
)
_LINE = re.compile(r"(?:sentence )?(\d{1,3})[\s:.)*-]{1,5}(?:(?:is|are) )?(not supported|unsupported|supported)", re.IGNORECASE)


class Unsupported(msgspec.Struct):
    """The reply of a server that is bound to a schema."""

    unsupported: list[int]


class Sources(msgspec.Struct, frozen=True):
    """All that a rewrite may state."""

    instruction: str
    answer: str
    evidence: list[str]  # passages shown to the teacher, and their summary


class Claims(msgspec.Struct, frozen=True):
    """Sentences that the judge found unsupported (None: its reply cannot be read), and the requests' keys."""

    unsupported: list[str] | None
    hashes: list[str]


NO_CLAIMS = Claims([], [])  # nobody was asked


async def judge_claims(client: Chat, sources: Sources, told: Sequence[str], tokens: int) -> Claims:
    """One question about the sentences `told`, of at most `tokens` output tokens (0: the judge's maximum). Raises CallFailed."""
    if not told:
        return NO_CLAIMS
    values = {
        "instruction": sources.instruction,
        "answer": sources.answer,
        "evidence": "\n".join(f"- {' '.join(text.split())}" for text in sources.evidence if text.strip()) or "(none)",
        "sentences": "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(told, 1)),
    }
    shape = Shape(Unsupported, lambda reply: in_range(reply.unsupported, len(told)))
    said = await ask_judge(client, "claims", values, tokens, lambda text: parse_unsupported(text, len(told)), shape)
    return Claims(None if said.value is None else [told[number - 1] for number in said.value], said.keys)


def sentences(rewrite: str, *, keyed: bool) -> list[str]:
    """The sentences, each with the heading above it if it is the first below it; the final line of a keyed answer is checked by code."""
    found, heading = [], ""
    for line in rewrite.splitlines():
        if title := _HEADING.match(line):
            found, heading = [*found, heading] if heading else found, _MARK.sub("", title[1] or title[2]).strip(" *#")
            continue
        text = _MARK.sub("", line).strip()
        if not text or (keyed and text.lower().startswith("final answer")):
            continue
        first, *others = _SPLIT.split(text)
        found += [f"{heading}: {first}" if heading else first, *others]
        heading = ""
    found = [*found, heading] if heading else found
    return found if len(found) <= MOST else [*found[: MOST - 1], " ".join(found[MOST - 1 :])]


def parse_unsupported(text: str, count: int) -> list[int] | None:
    """Numbers of sentences, each from 1 to `count`, in order; empty for "none", None for what cannot be read.

    The whole reply says it, or its first or its last line does while no other line names a sentence. Lines that rule
    on one sentence each say that nothing is unsupported only if they rule on all.
    """
    if len(text) > _LONGEST:
        return None
    lines = [line.strip(_EDGES) for line in text.splitlines() if line.strip()]
    ruled = [_LINE.fullmatch(line) for line in lines]
    if lines and all(ruled):
        return _ruled({int(found[1]): found[2].lower() == "supported" for found in ruled if found}, count)
    said = [_stated(line) for line in lines]
    known = [numbers for numbers in said if numbers is not None]
    if len(known) != 1 or (said[0] is None and said[-1] is None):
        return None
    return in_range(known[0], count)


def _ruled(supported: Mapping[int, bool], count: int) -> list[int] | None:
    """What lines say that rule on one sentence each; None for sentences that are none, or if some are left out and none is named."""
    named = [number for number, is_so in supported.items() if not is_so]
    if in_range([*supported], count) is None or not (named or len(supported) == count):
        return None
    return sorted(named)


def in_range(numbers: Sequence[int], count: int) -> list[int] | None:
    """`numbers` once and in order; None if one of them is no sentence."""
    return sorted(set(numbers)) if all(1 <= number <= count for number in numbers) else None


def _stated(line: str) -> list[int] | None:
    if _NONE.fullmatch(line):
        return []
    found = _LIST.fullmatch(line)
    return [int(number) for number in re.findall(r"\d+", found[1])] if found else None
