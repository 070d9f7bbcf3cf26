"""The keys that a text answers, normalised: the one reader of `Final answer: <key>` lines (several keys joined by a comma).

The last such line counts. Texts are model output, hence hostile: patterns are linear in their length.
"""

import re
from collections.abc import Iterable
from itertools import islice

MOST_CHARACTERS = 20_000  # the end of a longer text is read: the answer stands last
MOST_KEYS = 16
KINDS = ("letter", "yes-no", "cwe", "technique", "id")
_FINAL_LINE = re.compile(
    r"final[ \t]{1,3}answer[ \t*_`]{0,5}[:：=][ \t*_`]{0,5}(?:\r?\n[ \t*_`]{0,5}(?!final))?([^\r\n]{0,400})", re.IGNORECASE
)
_LETTER = re.compile(r"(?<![A-Za-z0-9])([A-Z])(?![A-Za-z0-9'’])")
_LETTER_ALONE = re.compile(r"^[\s(\[*]{0,4}([A-Za-z])[\s)\].:,*]{0,4}$")
_LETTER_FIRST = re.compile(  # `B. A firewall`, but not the list `A. B. C`
    r"^[\s(\[*]{0,4}([A-Z])[).\]:]+(?=\s)(?!\s*[A-Z](?:[).\]:,]|\s*$))"
)
_LETTER_NAMED = re.compile(r"\b(?:answer|option|choice)\b[ \t]{0,3}(?:is|:)?[ \t]{0,3}[(\[*]{0,3}([A-Z])(?![A-Za-z0-9'’])")
_YES_NO = re.compile(r"(?<![A-Za-z])(yes|no)(?![A-Za-z])", re.IGNORECASE)
_CWE = re.compile(r"CWE[-‐‑‒–— _]?0{0,4}([1-9][0-9]{0,4})(?![0-9])", re.IGNORECASE)
_TECHNIQUE = re.compile(r"(?<![A-Za-z0-9])T([0-9]{4})(?:\.([0-9]{3}))?(?![0-9])", re.IGNORECASE)
_MARKUP = " \t*_`.;"


def final_keys(kind: str, text: str) -> list[str]:
    """Distinct keys of `kind` (one of KINDS) on the last final line of `text` that says something; empty without one.

    A key may stand on the line below; an answer that was cut after its last `Final answer:` keeps the one before.
    """
    lines = [line.strip(_MARKUP) for line in _FINAL_LINE.findall(text[-MOST_CHARACTERS:])]
    return next((_keys(kind, line) for line in reversed(lines) if line), [])


def answered_keys(kind: str, text: str) -> list[str]:
    """`final_keys`, or for a text without a final line the one key that it names as its answer otherwise.

    That is its first Yes or No, its last CWE or technique id, its only letter or the last `answer is (B)`.
    """
    text = text[-MOST_CHARACTERS:]
    if keys := final_keys(kind, text):
        return keys
    if any(line.strip(_MARKUP) for line in _FINAL_LINE.findall(text)):
        return []  # a final line that names no key is no answer
    if kind == "letter":
        alone = _LETTER_ALONE.match(text)
        return [alone[1].upper()] if alone else _LETTER_NAMED.findall(text)[-1:]
    return [] if kind == "id" else _found(kind, text)[:1] if kind == "yes-no" else _found(kind, text)[-1:]


def _keys(kind: str, line: str) -> list[str]:
    """Keys of a final line."""
    alone = (_LETTER_ALONE.match(line) or _LETTER_FIRST.match(line)) if kind == "letter" else None
    if alone:
        return [alone[1].upper()]
    found = _distinct(_found(kind, line))
    return found[:1] if kind == "yes-no" else found


def _found(kind: str, text: str) -> list[str]:
    """Every key of `kind` in the form that answer keys have: `B`, `Yes`, `CWE-79`, `T1059.001`, `SC-7(28)`."""
    if kind == "letter":
        return _LETTER.findall(text)
    if kind == "yes-no":
        return [word.capitalize() for word in _YES_NO.findall(text)]
    if kind == "cwe":
        return [f"CWE-{number}" for number in _CWE.findall(text)]
    if kind == "technique":
        return [f"T{one}.{two}" if two else f"T{one}" for one, two in _TECHNIQUE.findall(text)]
    return [key for part in text.split(",") if (key := _plain_id(part))]


def _plain_id(text: str) -> str:
    """An id of any other vocabulary, upper case; its own brackets stay (`SC-7(28)`), those around it go."""
    text = "".join(text.split()).strip(_MARKUP)
    return (text[1:-1] if text.startswith("(") and text.endswith(")") else text).upper()


def _distinct(keys: Iterable[str]) -> list[str]:
    return list(islice(dict.fromkeys(keys), MOST_KEYS))
