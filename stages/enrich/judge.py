"""The LLM judge: readability pairwise in both orders, factuality against the reference; unreadable replies are no verdict."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from stages.llm.asking import Answer, Chat, Shape, ask
from stages.llm.client import CallFailed, Request
from stages.llm.prompts import fill, load_prompt

Value = TypeVar("Value")

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
    failure: tuple[str, str] | None = None  # reason and detail of the call that failed; what was said before it stands above


NO_VERDICT = Verdict("", ("", ""), None, [])


class Choice(msgspec.Struct):
    """The reply about readability of a server that is bound to a schema."""

    verdict: Literal["A", "B", "tie"]


class Score(msgspec.Struct):
    """The reply about facts of a server that is bound to a schema."""

    score: Annotated[int, msgspec.Meta(ge=1, le=10)]


async def judge_pair(client: Chat, instruction: str, original: str, rewritten: str, tokens: int) -> Verdict:
    """Three questions of at most `tokens` output tokens (0: the judge's maximum), up to the first call that fails."""
    places, keys, score, failure = ["", ""], [], None, None
    try:
        for place, (first, second) in enumerate(((original, rewritten), (rewritten, original))):
            places[place], found = await prefer(client, instruction, first, second, tokens)
            keys += found
        score, found = await score_facts(client, instruction, original, rewritten, tokens)
        keys += found
    except CallFailed as failed:
        failure = (failed.reason, failed.detail)
    return Verdict(combine(*places), (places[0], places[1]), score, keys, failure)


async def compare(
    client: Chat, instruction: str, original: str, rewritten: str, tokens: int
) -> tuple[tuple[str, str], list[str]]:
    """The place named in each of the two orders (empty: unreadable), and the requests' keys."""
    places, keys = [], []
    for first, second in ((original, rewritten), (rewritten, original)):
        place, found = await prefer(client, instruction, first, second, tokens)
        places.append(place)
        keys += found
    return (places[0], places[1]), keys


async def prefer(client: Chat, instruction: str, first: str, second: str, tokens: int) -> tuple[str, list[str]]:
    """The place named in one order (empty: unreadable), and the requests' keys. Raises CallFailed."""
    shown = {"instruction": instruction, "first": first, "second": second}
    said = await ask_judge(client, "readability", shown, tokens, _choice, Shape(Choice, lambda reply: reply.verdict))
    return said.value or "", said.keys


async def score_facts(
    client: Chat, instruction: str, reference: str, candidate: str, tokens: int
) -> tuple[int | None, list[str]]:
    """Factuality 1-10 of `candidate` (None: unreadable), and the requests' keys."""
    shown = {"instruction": instruction, "reference": reference, "candidate": candidate}
    said = await ask_judge(client, "factuality", shown, tokens, parse_score, Shape(Score, lambda reply: reply.score))
    return said.value, said.keys


async def ask_judge(
    client: Chat, name: str, shown: dict[str, str], tokens: int, read: Callable[[str], Value | None], shape: Shape[Value]
) -> Answer[Value]:
    """The judge's answer to the prompt file `name`, whose places are filled with `shown`."""
    prompt = load_prompt(PROMPTS / f"{name}.txt")
    request = Request(
        purpose=f"enrich.{name}",
        messages=fill(prompt, **shown),
        role="judge",
        max_tokens=tokens or None,
        allow_truncated=True,
        repair=prompt.repair,
    )
    return await ask(client, request, read, shape)


def _choice(text: str) -> str | None:
    return parse_choice(text) or None


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
