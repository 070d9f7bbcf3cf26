"""Text that is written to steer a model: orders to drop its instructions, and characters that people cannot see.

Only orders are found, at the beginning of a sentence or of a quotation: security texts describe such attacks, and a
description (`may override the system prompt`) is knowledge. Prompts and messages of an operating system (`Bypass UAC prompts`,
`Ignore all previous warning messages`) are none of a model's.
"""

import re

from stages.validate.credentials import Span

_BEGIN = r"(?:^|(?<=[\n.!?:;>\"'`“‘(\[*-])|(?<=[.!?:;>\"'`“‘(\[*-] )|\b(?:please|now|first|then|and|simply)[, ]+)"
_RULES = {
    "ignore-instructions": re.compile(
        _BEGIN + r"\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,24}(?:"
        r"\b(?:previous|prior|above|preceding|earlier|foregoing|all|any|your|system)\b[^.\n]{0,24}"
        r"\b(?:instructions?|directions|guidelines|guardrails)\b|"
        r"\b(?:previous|prior|above|preceding|earlier|foregoing|your)(?: (?:system|initial|chat|user))? (?:prompts?|messages?)\b|"
        r"\bsystem prompt\b)", re.I,
    ),
    "reveal-prompt": re.compile(
        _BEGIN + r"\b(?:reveal|print|show|repeat|output|leak|tell me|display)\b[^.\n]{0,16}"
        r"\b(?:your|the|its)\b[^.\n]{0,12}\b(?:system prompt|initial prompt|hidden prompt|hidden instructions|initial instructions)\b", re.I,
    ),
    "new-role": re.compile(
        r"\byou are now (?:in )?(?:DAN\b|developer mode|jailbroken|unrestricted|an? (?:unrestricted|unfiltered|evil|jailbroken))|"
        r"\b(?:act as|pretend (?:to be|you are)) (?:DAN\b|an? (?:unrestricted|unfiltered|jailbroken))|\bdo anything now\b", re.I,
    ),
    "fake-turn": re.compile(r"^#{2,3} ?(?:system|assistant|user|instruction)s?(?: message| prompt)? ?:", re.I | re.M),
    "invisible-characters": re.compile(r"[\U000E0000-\U000E007F\u202A-\u202E\u2066-\u2069]+|[\u200B\u2060\uFEFF]{2,}"),
}  # fmt: skip
_WORDS = (
    "instruction",
    "prompt",
    "direction",
    "guideline",
    "guardrail",
    "message",
    "you are now",
    "act as",
    "pretend",
    "anything now",
)
_TURN = "##"


def find_injections(text: str) -> list[Span]:
    """Every order to a model, and every run of invisible characters, in order."""
    lower = text.casefold()
    if text.isascii() and _TURN not in text and not any(word in lower for word in _WORDS):  # spares five searches
        return []
    spans = [
        Span(rule, *found.span(), "" if rule == "invisible-characters" else "[instruction to a model]")
        for rule, pattern in _RULES.items()
        for found in pattern.finditer(text)
    ]
    return sorted(spans, key=lambda span: (span.start, span.rule))
