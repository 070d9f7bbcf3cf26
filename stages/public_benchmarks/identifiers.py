"""CWE ids and ATT&CK technique ids in an output: alone on the last line (strict), or named as the answer (lenient)."""

import itertools
import re
from collections.abc import Sequence

from stages.public_benchmarks.text import answer_lines, bare, boxed, distinct, last_line, lines_of

MOST_TECHNIQUES = 200  # an output that lists all of ATT&CK names nothing
_WEAKNESS = re.compile(r"(?<![A-Za-z0-9])CWE(?:[-‐‑‒–— _]|[- ]?ID[-: ]{1,2})?0{0,4}([1-9][0-9]{0,4})(?![0-9])", re.IGNORECASE)
_WEAKNESS_PAGE = re.compile(r"definitions/([1-9][0-9]{0,4})\.html")
_NUMBER = re.compile(r"0{0,4}([1-9][0-9]{0,4})")
_STRICT_WEAKNESS = re.compile(r"CWE-0{0,4}([1-9][0-9]{0,4})", re.IGNORECASE)
_CLAIM = re.compile(
    r"(?:\banswer\b|\bmaps?\b|\bmapped\b|\bclassified\b|\bcorresponds?\b|\b(?:appropriate|best|correct|relevant|right|suitable) (?:CWE|weakness)\b"
    r"|\bCWE(?: ID)?\b)[^.\n]{0,60}?(?:\bis\b|\bto\b|\bas\b|\bunder\b|\bwith\b|:)[ \t*_`(:]{0,6}(?:the )?[ \t*_`(]{0,4}"
    rf"(?={_WEAKNESS.pattern})",
    re.IGNORECASE,
)
_JOINED = re.compile(
    rf"[ \t*_`]{{0,4}}(?:,|;|/|&|\band\b|\bor\b)[ \t*_`]{{0,4}}(?:(?:and|or)[ \t]{{1,3}})?{_WEAKNESS.pattern}", re.IGNORECASE
)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
_TECHNIQUE = re.compile(r"(?<![A-Za-z0-9])T([0-9]{4})(?:[./][0-9]{3})?(?![0-9])", re.IGNORECASE)
_ID_FIRST = re.compile(r"(?:[-*•]|[0-9]{1,2}[.)])?[ \t*_`]{0,4}T[0-9]{4}", re.IGNORECASE)
_STRICT_TECHNIQUES = re.compile(
    r"T[0-9]{4}(?:\.[0-9]{3})?(?:[ \t]{0,3}[,;][ \t]{0,3}T[0-9]{4}(?:\.[0-9]{3})?){0,300}[.,]?", re.IGNORECASE
)


def strict_weakness(text: str, options: Sequence[str] = ()) -> list[str]:
    """The CWE id if it alone is the last line."""
    match = _STRICT_WEAKNESS.fullmatch(last_line(text))
    return [f"CWE-{match[1]}"] if match else []


def lenient_weakness(text: str, options: Sequence[str] = ()) -> list[str]:
    """The CWE ids that the output gives as its answer; several if it does not decide.

    In this order: boxed, after `Answer:`, on the last line (also a bare number there), after `maps to` and the like,
    in bold, and at last the last one that is named at all.
    """
    for place in [*reversed(boxed(text)), *reversed(answer_lines(text))]:
        if found := _stated(place):
            return found
    line = last_line(text)
    if len(found := _weaknesses(line)) == 1 or (not found and (found := _stated(line))):
        return found
    if claims := list(_CLAIM.finditer(text)):
        return _stated(text[claims[-1].end() : claims[-1].end() + 200])
    bold = distinct(found for part in _BOLD.findall(text) for found in _weaknesses(part))
    return found or (bold if len(bold) == 1 else _weaknesses(text)[-1:])


def strict_techniques(text: str, options: Sequence[str] = ()) -> list[str]:
    """Technique ids if the last line holds ids and commas only; sub-techniques are folded into their techniques."""
    line = last_line(text)
    return _techniques(line) if _STRICT_TECHNIQUES.fullmatch(line) else []


def lenient_techniques(text: str, options: Sequence[str] = ()) -> list[str]:
    """Technique ids, folded: of the last `Answer:` or the last line where these name any, else of the whole output."""
    for place in [*reversed(boxed(text)), _closing_ids(text), *reversed(answer_lines(text)), last_line(text)]:
        if found := _techniques(place):
            return found
    return _techniques(text)


def fold(technique: str) -> str:
    """`T1059` of `t1059.001`."""
    return technique.strip().upper().split(".")[0]


def _stated(part: str) -> list[str]:
    """The first id of a part and those joined to it: `CWE-79 or CWE-80`, but not `CWE-787, a child of CWE-119`."""
    number, first = _NUMBER.fullmatch(bare(part)), _WEAKNESS.search(part)
    if first is None:
        return [f"CWE-{number[1]}"] if number else _weaknesses(part)
    found, place = [first[1]], first.end()
    while more := _JOINED.match(part, place):
        found, place = [*found, more[1]], more.end()
    return distinct(f"CWE-{one}" for one in found)


def _weaknesses(text: str) -> list[str]:
    found = [(match.start(), match[1]) for pattern in (_WEAKNESS, _WEAKNESS_PAGE) for match in pattern.finditer(text)]
    return distinct(f"CWE-{number}" for _, number in sorted(found))


def _closing_ids(text: str) -> str:
    """The last lines that begin with a technique id, if there are several: a list with one id to a line."""
    closing = list(itertools.takewhile(_ID_FIRST.match, reversed(lines_of(text))))
    return " ".join(closing) if len(closing) > 1 else ""


def _techniques(text: str) -> list[str]:
    return sorted({f"T{number}" for number in _TECHNIQUE.findall(text)[:MOST_TECHNIQUES]})
