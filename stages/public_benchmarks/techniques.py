"""ATT&CK technique ids in an output: alone on the last line (strict), or named as the answer wherever that stands (lenient).

Sub-techniques are folded into their techniques. A technique that is named as not seen (`T1003 was considered but not observed`)
is no part of the answer.
"""

import itertools
import re
from collections.abc import Iterator, Sequence

from stages.public_benchmarks.text import answer_lines, bare, boxed, distinct, last_line, lines_of

MOST_TECHNIQUES = 200  # an output that lists all of ATT&CK names nothing
_ID = r"T[0-9]{4}(?:[./][0-9]{3})?"
_JOIN = r"(?:[ \t*_`]{0,6}(?:[,;/&]|\band\b){0,2}[ \t*_`]{0,6})"
_TECHNIQUE = re.compile(r"(?<![A-Za-z0-9])T([0-9]{4})(?:[./][0-9]{3})?(?![0-9])", re.IGNORECASE)
_STRICT = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?(?:[ \t]{0,3}[,;][ \t]{0,3}T[0-9]{4}(?:\.[0-9]{3})?){0,300}[.,]?", re.IGNORECASE)
_IDS_ALONE = re.compile(rf"{_ID}(?:{_JOIN}{_ID}){{0,300}}", re.IGNORECASE)
_BULLET = re.compile(r"(?:[-*•+]|[0-9]{1,2}[.)])[ \t]{1,4}")
_ID_FIRST = re.compile(  # an entry of a list; `T1003 may be used` is a sentence
    rf"(?:{_BULLET.pattern}[ \t*_`\"'(\[|]{{0,6}}{_ID}|[ \t*_`\"'(\[|]{{0,6}}{_ID}(?![ \t*_`]{{1,4}}(?!and\b)(?-i:[a-z])))(?![0-9])",
    re.IGNORECASE,
)
_AT_ONCE = 60  # characters
_NOT_SEEN = re.compile(
    r"(?:[:(–—-]|\b(?:was|is|were)\b)[ \t*_]{0,4}(?:not|considered but|excluded|no evidence|rejected|ruled out|unlikely)\b",
    re.IGNORECASE,
)
_REMARK = re.compile(r"[*_(\[]{0,3}(?:note|remark|caveat|disclaimer|n\.?b\.)", re.IGNORECASE)
_LABEL = re.compile(r"[^:\n]{1,120}[:：][ \t*_`]{0,6}")
_SENTENCE = re.compile(r"[.!?;][ \t]|\n")
_DENIED = re.compile(
    r"\b(?:not|never|n['’]t)\b[^.\n]{0,40}?\b(?:applicable|apply|confirmed|evident|explicit|explicitly|found|included?|mention(?:ed|s)?|observed|present|seen"
    r"|supported|us(?:e|ed|es|ing)|described)\b|\b(?:considered but|excluded?|no (?:evidence|indication|mention|sign)|rather than|instead of|rejected|ruled out"
    r"|unlikely|unlike)\b|n['’]t (?:use|include|apply|mention)\b",
    re.IGNORECASE,
)


def strict_techniques(text: str, options: Sequence[str] = ()) -> list[str]:
    """Technique ids if the last line holds ids and commas only."""
    line = last_line(text)
    return _ids(line) if _STRICT.fullmatch(line) else []


def lenient_techniques(text: str, options: Sequence[str] = ()) -> list[str]:
    """Technique ids in alphabetical order.

    In this order: boxed; the list of several lines or the line of several ids that ends the output; after `Answer:`; after
    another label (`The ids are: T1059, T1003`); the last line of several ids alone; all lines that begin with an id; a last line
    that names several; the whole output.
    """
    return next((found for found in _answers(text) if found), [])


def fold(technique: str) -> str:
    """`T1059` of `t1059.001`."""
    return technique.strip().upper().split(".")[0]


def _answers(text: str) -> Iterator[list[str]]:
    yield from map(_ids, reversed(boxed(text)))
    lines = lines_of(text)
    alone = [ids for line in lines if len(ids := _alone(line)) > 1]
    closing = list(itertools.takewhile(_ID_FIRST.match, reversed(lines)))
    if len(closing) == 1 or (closing and len(_alone(closing[0])) > 1):
        yield _alone(closing[0])
    yield _held("\n".join(closing)) if len(closing) > 1 else []
    yield from map(_held, reversed(answer_lines(text)))
    yield from (ids for line in reversed(lines) if (ids := _labelled(line)))
    yield alone[-1] if alone else []
    yield _held("\n".join(line for line in lines if _ID_FIRST.match(line)))
    found = [] if _REMARK.match(last_line(text)) else _held(last_line(text))
    yield found if len(found) > 1 else []
    yield _held(text)


def _alone(line: str) -> list[str]:
    """The ids of a line that holds nothing else."""
    plain = bare(_BULLET.sub("", line, count=1) if _BULLET.match(line) else line)
    return _ids(plain) if _IDS_ALONE.fullmatch(plain) else []


def _labelled(line: str) -> list[str]:
    """The ids of a line that holds nothing else after its label, several of them: a label may also explain a single one."""
    label = _LABEL.match(line)
    found = _alone(line[label.end() :]) if label and not _TECHNIQUE.search(label[0]) and not _DENIED.search(label[0]) else []
    return found if len(found) > 1 else []


def _held(text: str) -> list[str]:
    """The ids of all sentences that do not say that a technique was not seen."""
    return _ids("\n".join(sentence for sentence in _SENTENCE.split(text) if not _denies(sentence)))


def _denies(sentence: str) -> bool:
    """Whether a sentence says that its techniques were not seen; an entry of a list does so at once, or explains its technique."""
    return bool(_NOT_SEEN.search(sentence[:_AT_ONCE]) if _ID_FIRST.match(sentence) else _DENIED.search(sentence))


def _ids(text: str) -> list[str]:
    return sorted({f"T{number}" for number in distinct(_TECHNIQUE.findall(text))[:MOST_TECHNIQUES]})
