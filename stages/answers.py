"""The keys that a text answers, normalised: the one reader of `Final answer: <key>` lines (several keys joined by a comma).

The last such line counts. Texts are model output, hence hostile: patterns are linear in their length.
"""

import re
from collections.abc import Iterable
from itertools import islice

MOST_CHARACTERS = 20_000  # the end of a longer text is read: the answer stands last
MOST_KEYS = 16
KINDS = ("letter", "yes-no", "cwe", "technique", "id", "vector")
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
_VECTOR = re.compile(
    r"(?<![A-Za-z0-9])(?:CVSS:3\.[01]/)?((?:[A-Z]{1,2}:[A-Z]/){7}[A-Z]{1,2}:[A-Z])(?![A-Za-z0-9:])", re.IGNORECASE
)
_METRICS = {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "NLH", "I": "NLH", "A": "NLH"}  # of CVSS v3.1
_MARKUP = " \t*_`.;"


def final_keys(kind: str, text: str) -> list[str]:
    """Distinct keys of `kind` (one of KINDS) on the last final line of `text` that says something; empty without one.

    A key may stand on the line below; an answer that was cut after its last `Final answer:` keeps the one before.
    """
    lines = [line.strip(_MARKUP) for line in _FINAL_LINE.findall(text[-MOST_CHARACTERS:])]
    return next((_keys(kind, line) for line in reversed(lines) if line), [])


def answered_keys(kind: str, text: str) -> list[str]:
    """`final_keys`, or for a text without a final line the one key that it names as its answer otherwise.

    That is its first Yes or No, its last CWE or technique id or vector, its only letter or the last `answer is (B)`.
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
    """Every key of `kind` in the form that answer keys have: `B`, `Yes`, `CWE-79`, `T1059.001`, `SC-7(28)`, `CVSS:3.1/AV:...`."""
    if kind == "letter":
        return _LETTER.findall(text)
    if kind == "yes-no":
        return [word.capitalize() for word in _YES_NO.findall(text)]
    if kind == "cwe":
        return [f"CWE-{number}" for number in _CWE.findall(text)]
    if kind == "technique":
        return [f"T{one}.{two}" if two else f"T{one}" for one, two in _TECHNIQUE.findall(text)]
    if kind == "vector":
        return [vector for part in _VECTOR.findall(text) if (vector := base_vector(part))]
    return [key for part in text.split(",") if (key := _plain_id(part))]


def base_vector(text: str) -> str:
    """The CVSS v3.1 base vector of eight metrics in any order, in the order of the specification; empty if one is wrong.

    A leading `CVSS:3.1/` may be there; metrics beyond the base group are left out.
    """
    parts = [part.split(":") for part in text.upper().split("/") if not part.startswith("CVSS:") and part.count(":") == 1]
    values = {name: value for name, value in map(tuple, parts) if name in _METRICS}
    if set(values) != set(_METRICS) or any(values[name] not in list(allowed) for name, allowed in _METRICS.items()):
        return ""
    return "CVSS:3.1/" + "/".join(f"{name}:{values[name]}" for name in _METRICS)


def _plain_id(text: str) -> str:
    """An id of any other vocabulary, upper case; its own brackets stay (`SC-7(28)`), those around it go."""
    text = "".join(text.split()).strip(_MARKUP)
    return (text[1:-1] if text.startswith("(") and text.endswith(")") else text).upper()


def _distinct(keys: Iterable[str]) -> list[str]:
    return list(islice(dict.fromkeys(keys), MOST_KEYS))
