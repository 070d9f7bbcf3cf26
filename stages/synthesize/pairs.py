"""A question with its answer: read from a reply, and refused by code where code can tell."""

import re

import msgspec

from stages.control_tokens import has_control_tokens
from stages.llm.fence import leaks_fence
from stages.prose import IDENTIFIER

LEAST_QUESTION, LEAST_ANSWER = 5, 6  # words
MOST_QUESTION, MOST_ANSWER = 220, 450
_PAIR = re.compile(r"<question>(.*?)</question>\s*<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)
_MENTIONS = re.compile(
    r"\b(?:the|this|that|given|provided|above|following) (?:reference )?(?:text|passage|document|excerpt|context|article|paragraph)\b"
    r"|\b(?:according to|mentioned in|stated in|based on) the (?:reference|text|passage|document|context)\b"
    r"|\bas an? (?:ai|language model)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


class Pair(msgspec.Struct, frozen=True):
    """One question and its answer."""

    question: str
    answer: str


def parse_pair(text: str) -> Pair | None:
    """The only pair of a reply, or None."""
    found = _PAIR.findall(text)
    return checked(Pair(*found[0])) if len(found) == 1 else None


def checked(pair: Pair) -> Pair | None:
    """`pair` without space around its parts; None if a part is empty."""
    parts = pair.question.strip(), pair.answer.strip()
    return Pair(*parts) if all(parts) else None


def objections(pair: Pair, document: str, existing: list[str], similar: float) -> list[str]:
    """Sorted reasons why `pair` is of no use, whatever a model may think of it."""
    whole = f"{pair.question}\n{pair.answer}"
    sizes = len(pair.question.split()), len(pair.answer.split())
    known = {found.upper() for found in IDENTIFIER.findall(document)}
    found = {
        "control-tokens": has_control_tokens(whole),
        "fence-leaked": leaks_fence(whole),
        "mentions-document": bool(_MENTIONS.search(whole)),
        "not-new": any(_alike(pair.question, one) >= similar for one in existing),
        "too-long": sizes[0] > MOST_QUESTION or sizes[1] > MOST_ANSWER,
        "too-short": sizes[0] < LEAST_QUESTION or sizes[1] < LEAST_ANSWER,
        "unknown-id": any(one.upper() not in known for one in IDENTIFIER.findall(whole)),
        "copies-document": _words(pair.answer) == _words(document),
    }
    return sorted(reason for reason, holds in found.items() if holds)


def _alike(one: str, other: str) -> float:
    """Jaccard similarity of the sets of words."""
    words, others = _words(one), _words(other)
    return len(words & others) / len(words | others) if words | others else 1.0


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
