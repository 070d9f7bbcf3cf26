"""Prose for questions and answers: cut at sentence ends, names masked, slots filled without touching the text."""

import re
from collections.abc import Iterable, Mapping, Sequence

from stages.errors import InputError

IDENTIFIER = re.compile(
    r"\b(?:CWE|CAPEC)-\d+\b|\bCVE-\d{4}-\d{4,}\b|\bT\d{4}(?:\.\d{3})?\b|\bTA\d{4}\b|\bD3-[A-Z]+\b", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
_ABBREVIATION = re.compile(r"(?:\be\.g|\bi\.e|\betc|\bvs|\bincl|\bcf|\bNo|\bFig)\.$")
_LABEL = re.compile(r"(?:^|[;:,.]\s|\b(?:and|or)\s)(?:[a-z]|\d{1,2}|[ivx]+|\([a-z0-9]\))[.)]$")  # of a list item: `a.`, `2.`
_ENDED = re.compile(r"[.!?:;][\"')\]]*$")
_LINE_LABEL = re.compile(r"(?:(?:[a-z]|\d{1,2})\.|\([a-z0-9]\))\s")
_NEXT_ITEM = re.compile(r"[;,]\s+(?:and\s+|or\s+)?(?=(?:(?:[a-z]|\d{1,2})\.|\([a-z0-9]\))\s)")
_BULLET = re.compile(r"^(?:[-•*]\s*)+")
_GOES_ON = re.compile(r"(?:[,;(/]|\b(?:a|an|and|as|for|from|into|of|or|that|the|via|which))$", re.IGNORECASE)
_SLOT = re.compile(r"\{(\w+)\}")
_CUT_MARKS = ("...", "…", "[truncated]")


_NOUNS = {  # by a private character that stands for an id
    "\ue000": "another weakness",
    "\ue001": "another attack pattern",
    "\ue002": "another vulnerability",
    "\ue003": "another technique",
    "\ue004": "another tactic",
    "\ue005": "another countermeasure",
}
_MARKS = dict(zip(("CW", "CA", "CV", "T", "TA", "D3"), _NOUNS, strict=True)) | {f"T{digit}": "\ue003" for digit in range(10)}
_ANY = "".join(_NOUNS)
_SEVERAL = re.compile(rf"([{_ANY}])(?:(?:,? (?:and|or) |, ?|/| )[{_ANY}])+")
_ID_ONLY = (
    re.compile(rf"\s*[(\[](?:[^()\[\]{_ANY}\s]+\s){{0,5}}[{_ANY}][)\]]"),  # (see CVE-2020-1234)
    re.compile(rf"(?:,| -+)\s(?:[\w-]+\s){{0,6}}[{_ANY}](?=[.;]|\s*$)"),  # , a different vulnerability than CVE-2020-1234.
    re.compile(
        rf"(?:(?<=[.!?]\s)|^)(?:See|Cf\.|Compare|Related to|Similar to|Also)(?: also)? [{_ANY}](?:[.;]\s*|$)", re.IGNORECASE
    ),
)
_NEEDS_NOUN = re.compile(
    rf"(\b(?:after|and|as|by|combined|for|from|in|into|is|like|of|on|or|see|than|through|to|via|with)\s)([{_ANY}])(?![:])",
    re.IGNORECASE,
)


def sentences(text: str) -> list[str]:
    """Sentences of `text` in order, white space folded. A line that goes on in the next one is joined with it.

    Abbreviations and the labels of a list (`a.`, `2.`) end no sentence; a line without a full stop gets one.
    """
    found: list[str] = []
    for line in _joined(text):
        found += _sentences_of_line(line)
    if len(found) > 1 or "\n" in text.strip():
        found = [one if _ENDED.search(one) else f"{one}." for one in found]
    return found


def _joined(text: str) -> list[str]:
    """Lines of `text`, each with the wrapped rest of its sentence; a bullet that goes on is set off by a semicolon."""
    lines: list[str] = []
    for raw in text.splitlines():
        line = _BULLET.sub("", raw.strip()).strip()
        if not line:
            continue
        if not lines or not _belongs(lines[-1], line):
            lines.append(line)
        elif line != raw.strip() and lines[-1][-1] not in ".!?:;,":
            lines[-1] += f"; {line}"
        else:
            lines[-1] += f" {line}"
    return [" ".join(line.split()) for line in lines]


def _belongs(before: str, line: str) -> bool:
    """Whether `line` continues the sentence at the end of `before`."""
    if before[-1] in "!?" or (before[-1] == "." and not _LABEL.search(before)):
        return False
    if before[-1] == ":" and _LINE_LABEL.match(line):
        return True
    return line[0].islower() or bool(_GOES_ON.search(before)) or _is_open(before.rsplit(". ", 1)[-1])


def _is_open(text: str) -> bool:
    """Whether a quotation, a piece of code or a bracket is still open at the end of `text`."""
    return text.count('"') % 2 == 1 or text.count("`") % 2 == 1 or text.count("(") > text.count(")")


def _sentences_of_line(line: str) -> list[str]:
    found: list[str] = []
    for piece in _SENTENCE_END.split(line):
        if found and (_ABBREVIATION.search(found[-1]) or _LABEL.search(found[-1])):
            found[-1] += " " + piece
        elif piece:
            found.append(piece)
    return found


def clip(text: str, max_words: int) -> str:
    """The leading whole sentences of `text` within `max_words` words, of a long enumeration its leading items.

    Empty if not even one fits. A sentence that only announces what is cut off (`... such as:`) is left out.
    """
    kept: list[str] = []
    words = 0
    for sentence in sentences(text):
        words += len(sentence.split())
        if words > max_words:
            kept += _leading_items(sentence, max_words - words + len(sentence.split()))
            break
        kept.append(sentence)
    while kept and kept[-1].endswith(":"):
        kept.pop()
    return " ".join(kept)


def _leading_items(sentence: str, max_words: int) -> list[str]:
    """One sentence of the items of an enumeration that fit: `a. Open the door; b. leave.`; none if it has no labels."""
    ends = [match.start() for match in _NEXT_ITEM.finditer(sentence) if len(sentence[: match.start()].split()) <= max_words]
    return [f"{sentence[: ends[-1]].rstrip(':')}."] if ends else []


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
    """`text` without catalogue ids (CWE, CAPEC, CVE, ATT&CK, D3FEND).

    Brackets and short clauses that say nothing but an id go with it; where a sentence needs a noun, it gets `another
    vulnerability` for a CVE, and so on.
    """
    if not IDENTIFIER.search(text):
        return text.strip()
    text = IDENTIFIER.sub(lambda match: _MARKS[match[0][:2].upper()], text)
    text = _SEVERAL.sub(r"\1", text)
    for pattern in _ID_ONLY:
        text = pattern.sub("", text)
    text = _NEEDS_NOUN.sub(lambda match: match[1] + _NOUNS[match[2]], text)
    text = re.sub(rf"[{_ANY}]:?", "", text)
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
