"""Text that is written to steer a model: orders to drop its instructions, and characters that people cannot see.

Only orders are found, at the beginning of a sentence or of a quotation: security texts describe such attacks, and a
description (`may override the system prompt`) is knowledge. Prompts and messages of an operating system (`Bypass UAC prompts`,
`Ignore all previous warning messages`) are none of a model's.
"""

import re
from collections.abc import Callable

from stages.validate.credentials import Span

_BEGIN = (
    r"(?:^|(?<=[\n.!?:;>\"'`“‘(\[*-])|(?<=[.!?:;>\"'`“‘(\[*-] )|\b(?:please|now|first|then|and|simply|just|instead|must|"
    r"says|said|saying|reads|reading|states|stating|wrote|writes)[,:]?\s{1,3})"
)
_GAP = r"(?:[^.\n]|\n(?!\s*\n))"  # a sentence goes on over the end of a line, not over an empty one
_VOID = r"(?:void|null|invalid|cancell?ed|revoked|obsolete|superseded|overrid(?:e|den)|overruled|suspended|lifted|no\s{1,3}longer\s{1,3}(?:valid|apply|in\s{1,3}force))"
_RULES = {
    "ignore-instructions": re.compile(
        _BEGIN + rf"\b(?:ignore|disregard|forget|override|bypass)\b{_GAP}{{0,24}}(?:"
        rf"\b(?:previous|prior|above|preceding|earlier|foregoing|all|any|your|system)\b{_GAP}{{0,24}}"
        r"\b(?:instructions?|directions|guidelines|guardrails)\b|"
        r"\b(?:previous|prior|above|preceding|earlier|foregoing|your)(?:\s{1,3}(?:system|initial|chat|user))?\s{1,3}(?:prompts?|messages?)\b|"
        r"\bsystem\s{1,3}prompt\b)", re.I,
    ),
    "ignore-context": re.compile(
        _BEGIN + r"\b(?:ignore|disregard|forget)\s{1,3}(?:(?:all|everything|anything|whatever)\s{1,3})?(?:of\s{1,3})?(?:(?:the|that\s{1,3}(?:was|is|came))\s{1,3})?"
        r"(?:(?:text|content|context)\s{1,3})?(?:(?:above|preceding|foregoing)|(?<=everything )before(?:\s{1,3}this)?|"
        r"(?:(?:I|we|they)\s{1,3}(?:said|told\s{1,3}you)|you\s{1,3}(?:were|have\s{1,3}been)\s{1,3}(?:told|taught|given|instructed)))"
        r"(?:\s{1,3}(?:text|content|context))?(?=\s{1,3}(?:and|then|but|instead|before)\b|\s*[.,;:!\"'”’)]|\s*$)", re.I,
    ),
    "void-instructions": re.compile(
        r"\b(?:your|all|any|these)\s{1,3}(?:of\s{1,3}your\s{1,3})?(?:previous|prior|earlier|original|initial|preceding|system)\s{1,3}"
        rf"(?:system\s{{1,3}})?(?:instructions?|directions|guidelines|guardrails|prompts?)\s{{1,3}}(?:is|are|were|was|have\s{{1,3}}been|has\s{{1,3}}been|do|does)\s{{1,3}}(?:now\s{{1,3}}|hereby\s{{1,3}})?{_VOID}", re.I,
    ),
    "reveal-prompt": re.compile(
        _BEGIN + rf"\b(?:reveal|print|show|repeat|output|leak|tell\s{{1,3}}me|display)\b{_GAP}{{0,16}}"
        rf"\b(?:your|the|its)\b{_GAP}{{0,12}}\b(?:system|initial|hidden)\s{{1,3}}(?:prompt|instructions)\b", re.I,
    ),
    "new-role": re.compile(
        r"\byou\s{1,3}are\s{1,3}now\s{1,3}(?:in\s{1,3})?(?:DAN\b|developer\s{1,3}mode|jailbroken|unrestricted|an?\s{1,3}(?:unrestricted|unfiltered|evil|jailbroken))|"
        r"\b(?:act\s{1,3}as|pretend\s{1,3}(?:to\s{1,3}be|you\s{1,3}are))\s{1,3}(?:DAN\b|an?\s{1,3}(?:unrestricted|unfiltered|jailbroken))|\bdo\s{1,3}anything\s{1,3}now\b", re.I,
    ),
    "fake-turn": re.compile(r"^#{2,3} ?(?:system|assistant|user|instruction)s?(?: message| prompt)? ?:", re.I | re.M),
}  # fmt: skip
_HIDDEN = re.compile(r"[\U000E0000-\U000E007F\u202A-\u202E\u2066-\u2069]+|[\u200B\u2060\uFEFF]{2,}")
_INVISIBLE = re.compile("[\\u00AD\\u200B-\\u200F\\u202A-\\u202E\\u2060-\\u2069\\uFEFF\\U000E0000-\\U000E007F]+")
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
    "ignore",
    "disregard",
    "forget",
)
_TURN = "##"


def find_injections(text: str) -> list[Span]:
    """Every order to a model, and every run of invisible characters, in order; orders are read as people see them."""
    spans = [Span("invisible-characters", *found.span(), "") for found in _HIDDEN.finditer(text)]
    visible, places = _visible(text)
    lower = " ".join(visible.casefold().split())
    if not text.isascii() or _TURN in text or any(word in lower for word in _WORDS):  # spares seven searches
        spans += [
            Span(rule, places(found.start()), places(found.end() - 1) + 1, "[instruction to a model]")
            for rule, pattern in _RULES.items()
            for found in pattern.finditer(visible)
        ]
    return sorted(spans, key=lambda span: (span.start, span.rule))


def _visible(text: str) -> tuple[str, Callable[[int], int]]:
    """`text` without invisible characters, and the place in `text` of each that is left."""
    if text.isascii() or not _INVISIBLE.search(text):
        return text, lambda place: place
    kept = [place for place, character in enumerate(text) if not _INVISIBLE.match(character)]
    return "".join(text[place] for place in kept), kept.__getitem__
