"""Prose for questions and answers: cut at sentence ends, names masked, slots filled without touching the text."""

import re
from collections.abc import Iterable, Mapping, Sequence

from stages.errors import InputError

IDENTIFIER = re.compile(
    r"\b(?:CWE|CAPEC)-\d+\b|\bCVE-\d{4}-\d{4,}\b|\bT\d{4}(?:\.\d{3})?\b|\bTA\d{4}\b|\bD3-[A-Z]+\b", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
_ABBREVIATION = re.compile(r"(?:\be\.g|\bi\.e|\betc|\bvs|\bincl|\bcf|\bNo|\bFig)\.$")
_SLOT = re.compile(r"\{(\w+)\}")
_CUT_MARKS = ("...", "…", "[truncated]")


def sentences(text: str) -> list[str]:
    """Sentences of `text` in order; white space is folded, abbreviations do not end one, a list item does."""
    found: list[str] = []
    lines = [line.strip().lstrip("-•* ").strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        ended = line if len(lines) == 1 or not line or line[-1] in ".!?:;" else f"{line}."
        found += _sentences_of_line(" ".join(ended.split()))
    return found


def _sentences_of_line(line: str) -> list[str]:
    found: list[str] = []
    for piece in _SENTENCE_END.split(line):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] += " " + piece
        elif piece:
            found.append(piece)
    return found


def clip(text: str, max_words: int) -> str:
    """The leading whole sentences of `text` within `max_words` words; empty if not even one fits."""
    kept: list[str] = []
    words = 0
    for sentence in sentences(text):
        words += len(sentence.split())
        if words > max_words:
            break
        kept.append(sentence)
    return " ".join(kept)


def is_cut(text: str) -> bool:
    """Whether a source shows that it cut this text: such a text is never an answer."""
    return text.rstrip().endswith(_CUT_MARKS)


def mask(text: str, names: Iterable[str], replacement: str = "[...]") -> str:
    """`text` without the names that would give an answer away; longer names first, file names stay."""
    folded = text.casefold()
    for name in sorted(
        {name for name in names if len(name) > 2 and name.casefold() in folded}, key=lambda name: (-len(name), name)
    ):
        text = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w|\.\w)", lambda _: replacement, text, flags=re.IGNORECASE)
    return text


def without_identifiers(text: str) -> str:
    """`text` without catalogue ids (CWE, CAPEC, CVE, ATT&CK, D3FEND) and the brackets they leave empty."""
    text = IDENTIFIER.sub("", text)
    text = re.sub(r"\(\s*[,;]?\s*\)|\[\s*\]", "", text)
    return re.sub(r"[ \t]+([,.;:])(?=\s|$)", r"\1", re.sub(r"[ \t]+", " ", text)).strip()


def fill(template: str, slots: Mapping[str, str]) -> str:
    """`template` with `{slot}` replaced in one pass: braces inside a value are plain text, never a slot."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in slots:
            raise InputError(
                f"The template {template[:60]!r} asks for the slot `{match[1]}`.",
                allowed=", ".join(sorted(slots)),
                remedy="Mend the phrasing file, or give the slot in the task's generator.",
            )
        return slots[match[1]]

    return _SLOT.sub(value, template)


def slots_of(template: str) -> set[str]:
    """Names of the slots of a template."""
    return set(_SLOT.findall(template))


def listing(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def sentence(text: str) -> str:
    """`text` with a capital first letter and a full stop."""
    text = text.strip()
    if not text:
        return text
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")
