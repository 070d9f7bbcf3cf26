"""The LLM judge: readability pairwise in both orders, factuality against the reference; unreadable replies are no verdict."""

import re
from pathlib import Path

import msgspec

from stages.llm.client import Client, Reply, Request
from stages.llm.prompts import fill, load_prompt

PROMPTS = Path(__file__).parent / "prompts"
_NAMED = r"[\W_]*(?:(?i:answer|option)\s+)?(A|B|(?i:(?:a\s+)?tie|both|equal|neither|same))[\W_]*"
_LONE = re.compile(rf"^{_NAMED}$")
_VERDICT = re.compile(rf"(?i:\b(?:verdict|answer|choice|winner|result)\b(?:\s+is)?\s*[:=]){_NAMED}$")
_SENTENCE = re.compile(
    r"\W*(?:(?i:i\s+(?:choose|prefer|pick)\s+(?:answer\s+)?)(A|B)(?i:\s+over\s+(?:answer\s+)?)?(A|B)?"
    r"|(?i:answer\s+)?(A|B)(?i:\s+is\s+(?:the\s+)?(?:easier|clearer|better|more\s+readable)(?:\s+(?:one|answer))?(?:\s+to\s+read)?)"
    r"(?:(?i:\s+than\s+(?:answer\s+)?)(A|B))?)(?i:\s+(?:because|since)\b.*)?\W*",
    re.DOTALL,
)
_TIE = re.compile(
    r"\W*(?:(?:it'?s|it is|they are|both|answers|are|about|equally|the)\s+){1,6}(?:readable|equal|same|clear|good)\W*",
    re.IGNORECASE,
)

_SCALE = re.compile(
    r"\b(?:on\s+)?(?:a\s+|the\s+)?(?:scale\s+)?(?:from\s+|of\s+|between\s+)?1\s*(?:to|-|–|and)\s*10\b", re.IGNORECASE
)
_NUMBER = r"(?<![\d.,])(10|[1-9])(?!\d|[.,]\d|\s*%)"
_COUNTED = r"(?![ \t]+(?:\w+[ \t]+){0,3}(?:facts?|sentences?|details?|statements?|steps?|claims?|items?)\b)"
_OF_TEN = re.compile(rf"{_NUMBER}\s*(?:/|of|out\s+of)\s*10\b(?![.,]?\d){_COUNTED}", re.IGNORECASE)
_STATED = re.compile(
    r"\b(?:scored?|rat(?:ed?|ing)|grade|give|assign|verdict)\b"
    r"(?:[\s*_\"'`:=(-]|\b(?:is|was|be|would|it|this|the|new|answer|an?|as|at|of|score|rating|for)\b){0,24}?"
    rf"{_NUMBER}(?!\s*(?:/|of\b|out\b)){_COUNTED}",
    re.IGNORECASE,
)
_LEADING = re.compile(rf"[\W_]*{_NUMBER}[\s*_.\"')]*(?:$|\n|[:–-]|\()")


class Verdict(msgspec.Struct, frozen=True):
    """What the judge said of one rewrite; `readability` empty and `factuality` None where it said nothing readable."""

    readability: str  # rewritten, original, tie, inconsistent
    places: tuple[str, str]  # place named in each order: A, B, tie or ""; the rewrite stands in B first, then in A
    factuality: int | None
    hashes: list[str]


NO_VERDICT = Verdict("", ("", ""), None, [])


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
    """A, B or tie: the whole reply says it, or one line of it is the verdict. Empty for anything else.

    A sentence that compares names both answers; where it is not one of the known forms, nobody guesses which it prefers.
    """
    said = _SENTENCE.fullmatch(text)
    if said:
        better, other = said[1] or said[3], said[2] or said[4]
        return better if better != other else ""
    if _TIE.fullmatch(text):
        return "tie"
    lines = text.splitlines()
    named = [found[1] for line in lines if (found := _LONE.match(line) or _VERDICT.search(line))]
    choices = {name if name in ("A", "B") else "tie" for name in named}
    return choices.pop() if len(choices) == 1 else ""


def parse_score(text: str) -> int | None:
    """A whole number from 1 to 10: stated as the score, as so many of ten, or standing alone at the beginning.

    None for two different ones, and for a number that may count something else.
    """
    text = _SCALE.sub(" ", text)
    stated = {int(number) for pattern in (_OF_TEN, _STATED) for number in pattern.findall(text)}
    if stated:
        return stated.pop() if len(stated) == 1 else None
    leading = _LEADING.match(text)
    return int(leading[1]) if leading else None


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
