"""The LLM judge: readability pairwise in both orders, factuality against the reference; unreadable replies are no verdict."""

import re
from pathlib import Path

import msgspec

from stages.llm.client import Client, Reply, Request
from stages.llm.prompts import fill, load_prompt

PROMPTS = Path(__file__).parent / "prompts"
_CHOICE = re.compile(r"\b(?:(A|B)|(tie|both|equal|neither|same))\b", re.IGNORECASE)
_SCORE = re.compile(r"(?<![\d.])(10|[1-9])(?![\d.]*\d)")
_OF_TEN = re.compile(r"(?<![\d.])(10|[1-9])\s*/\s*10\b")


class Verdict(msgspec.Struct, frozen=True):
    """What the judge said of one rewrite; `readability` empty and `factuality` None where it said nothing readable."""

    readability: str  # rewritten, original, tie, inconsistent
    orders: tuple[str, str]  # place named in each order: A, B, tie or ""; the rewrite stands in B first, then in A
    factuality: int | None
    hashes: list[str]


async def judge_pair(client: Client, instruction: str, original: str, rewritten: str, tokens: int) -> Verdict:
    """Three calls of at most `tokens` output tokens (0: the judge's maximum). Raises CallFailed if one has no answer."""
    places, first_keys = await compare(client, instruction, original, rewritten, tokens)
    score, key = await score_facts(client, instruction, original, rewritten, tokens)
    return Verdict(combine(*places), places, score, [*first_keys, key])


async def compare(
    client: Client, instruction: str, original: str, rewritten: str, tokens: int
) -> tuple[tuple[str, str], list[str]]:
    """The place named in each of the two orders, and the two requests' keys."""
    prompt = load_prompt(PROMPTS / "readability.txt")
    replies = []
    for first, second in ((original, rewritten), (rewritten, original)):
        messages = fill(prompt, instruction=instruction, first=first, second=second)
        replies.append(await _ask(client, "enrich.readability", messages, tokens))
    places = tuple(_noted(client, "enrich.readability", parse_choice(reply.text)) for reply in replies)
    return places, [reply.key for reply in replies]  # type: ignore[return-value]


async def score_facts(client: Client, instruction: str, reference: str, candidate: str, tokens: int) -> tuple[int | None, str]:
    """Factuality 1-10 of `candidate`, and the request's key."""
    prompt = load_prompt(PROMPTS / "factuality.txt")
    messages = fill(prompt, instruction=instruction, reference=reference, candidate=candidate)
    reply = await _ask(client, "enrich.factuality", messages, tokens)
    return _noted(client, "enrich.factuality", parse_score(reply.text)) or None, reply.key


async def _ask(client: Client, purpose: str, messages: list[dict[str, str]], tokens: int) -> Reply:
    request = Request(purpose=purpose, messages=messages, role="judge", max_tokens=tokens or None, allow_truncated=True)
    return await client.chat(request)


def _noted(client: Client, purpose: str, parsed: str | int | None) -> str | int | None:
    if not parsed:
        client.ledger.parse_failed(purpose)
    return parsed


def parse_choice(text: str) -> str:
    """A, B or tie: a reply that begins with it, else the last that stands as a word (verdicts follow reasons); empty if none."""
    found = [match for match in _CHOICE.finditer(text) if match[2] or match[1].isupper()]
    if not found:
        return ""
    chosen = found[0] if not text[: found[0].start()].strip(" \n*\"'(") else found[-1]
    return "tie" if chosen[2] else chosen[1]


def parse_score(text: str) -> int | None:
    """A whole number from 1 to 10: one written as `n/10`, else one that begins the reply, else the last one."""
    found = _OF_TEN.search(text) or re.match(rf"\W*{_SCORE.pattern}", text)
    scores = [found[1]] if found else _SCORE.findall(text)
    return int(scores[-1]) if scores else None


def combine(original_first: str, rewritten_first: str) -> str:
    """One verdict from the places named in both orders; empty if a reply could not be read.

    Agreement is a verdict, a tie in one order leaves the pair tied, and contradiction is `inconsistent`.
    """
    first = {"A": "original", "B": "rewritten", "tie": "tie"}.get(original_first, "")
    second = {"A": "rewritten", "B": "original", "tie": "tie"}.get(rewritten_first, "")
    if not first or not second:
        return ""
    if first == second:
        return first
    return "tie" if "tie" in (first, second) else "inconsistent"
