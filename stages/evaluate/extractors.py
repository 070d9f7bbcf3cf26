"""Named answer extractors: what a text answers, as normalised keys. Nothing found is an outcome of its own.

Training answers end with `Final answer: <key>` (several joined by a comma). The last such line counts; a text
without one may still name its answer. Texts are model output, hence hostile: patterns are linear in its length.
"""

import re
from collections.abc import Callable, Sequence
from itertools import islice

from stages.errors import InputError

MOST_CHARACTERS = 20_000  # the end of a longer text is read: the answer stands last
MOST_KEYS = 16
_FINAL_LINE = re.compile(r"final[ \t]{1,3}answer[ \t]{0,3}[:：=][ \t*_`]{0,5}([^\r\n]{0,400})", re.IGNORECASE)
_LETTER = re.compile(r"(?<![A-Za-z0-9])([A-Z])(?![A-Za-z0-9'’])")
_LETTER_ALONE = re.compile(r"^[\s(\[*]{0,4}([A-Za-z])[\s)\].:,*]{0,4}$")
_LETTER_NAMED = re.compile(r"\b(?:answer|option|choice)\b[ \t]{0,3}(?:is|:)?[ \t]{0,3}[(\[*]{0,3}([A-Z])(?![A-Za-z0-9'’])")
_CWE = re.compile(r"CWE[-‐‑‒–— _]?0{0,4}([1-9][0-9]{0,4})(?![0-9])", re.IGNORECASE)
_TECHNIQUE = re.compile(r"(?<![A-Za-z0-9])T([0-9]{4})(?:\.([0-9]{3}))?(?![0-9])", re.IGNORECASE)
_YES_NO = re.compile(r"(?<![A-Za-z])(yes|no)(?![A-Za-z])", re.IGNORECASE)

Extractor = Callable[[str], list[str]]


def extract(key_kind: str, text: str) -> list[str]:
    """Distinct keys of `key_kind` that `text` gives as its answer, in order; empty if it gives none."""
    if key_kind not in EXTRACTORS:
        raise InputError(
            f"There is no answer extractor for the key kind `{key_kind}`.",
            allowed=", ".join(sorted(EXTRACTORS)),
            remedy="Add one to stages/evaluate/extractors.py, or leave the benchmark out of evaluate.runs.",
        )
    return EXTRACTORS[key_kind](text[-MOST_CHARACTERS:])


def extract_letter(text: str) -> list[str]:
    """`B`: the capital letters of the last final line; else a text that is one letter; else the last `answer is (B)`."""
    final = _final_line(text)
    if final is not None:
        alone = _LETTER_ALONE.match(final)
        return [alone[1].upper()] if alone else _distinct(_LETTER.findall(final))
    alone = _LETTER_ALONE.match(text)
    if alone:
        return [alone[1].upper()]
    return _LETTER_NAMED.findall(text)[-1:]


def extract_cwe(text: str) -> list[str]:
    """`CWE-79`, without leading zeros: all ids of the last final line, else the last id of the text."""
    final = _final_line(text)
    found = [f"CWE-{number}" for number in _CWE.findall(text if final is None else final)]
    return found[-1:] if final is None else _distinct(found)


def extract_technique(text: str) -> list[str]:
    """`T1059` or `T1059.001`: all ids of the last final line, else the last id of the text."""
    final = _final_line(text)
    found = [f"T{one}.{two}" if two else f"T{one}" for one, two in _TECHNIQUE.findall(text if final is None else final)]
    return found[-1:] if final is None else _distinct(found)


def extract_yes_no(text: str) -> list[str]:
    """`Yes` or `No`: the first such word of the last final line, else of the text."""
    final = _final_line(text)
    return [word.capitalize() for word in _YES_NO.findall(text if final is None else final)][:1]


EXTRACTORS: dict[str, Extractor] = {
    "letter": extract_letter,
    "cwe": extract_cwe,
    "technique": extract_technique,
    "yes-no": extract_yes_no,
}


def is_correct(parsed: Sequence[str], key: Sequence[str]) -> bool:
    """Whether every answer given is a right one: naming many ids is no way to be right."""
    return bool(parsed) and set(parsed) <= set(key)


def _final_line(text: str) -> str | None:
    lines = _FINAL_LINE.findall(text)
    return lines[-1].strip() if lines else None


def _distinct(keys: Sequence[str]) -> list[str]:
    return list(islice(dict.fromkeys(keys), MOST_KEYS))
