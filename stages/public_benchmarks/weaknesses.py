"""CWE ids in an output: alone on the last line (strict), or named as the answer wherever that stands (lenient).

A remark beside the answer is no answer: ids after `a child of`, `related to`, `not` and the like count only where no other is named.
"""

import itertools
import re
from collections.abc import Iterator, Sequence

from stages.public_benchmarks.text import answer_lines, bare, boxed, distinct, last_line, lines_of

_ID = r"(?<![A-Za-z0-9])CWE(?:[-‐‑‒–— _]|[- ]?ID[-: ]{1,2})?0{0,4}([1-9][0-9]{0,4})(?![0-9])"
_JOIN = r"[ \t*_`]{0,4}(?:,|;|/|&|\band\b|\bor\b)[ \t*_`]{0,4}(?:(?:and|or)[ \t]{1,3})?"
_WEAKNESS = re.compile(_ID, re.IGNORECASE)
_WEAKNESS_PAGE = re.compile(r"definitions/([1-9][0-9]{0,4})\.html")
_JOINED = re.compile(_JOIN + _ID, re.IGNORECASE)
_JOIN_ALONE = re.compile(_JOIN, re.IGNORECASE)
_NUMBER = re.compile(r"0{0,4}([1-9][0-9]{0,4})")
_STRICT = re.compile(r"CWE-0{0,4}([1-9][0-9]{0,4})", re.IGNORECASE)
_CLAIM = re.compile(
    r"(?:\banswer\b|\bmaps?\b|\bmapped\b|\bclassified\b|\bcorresponds?\b"
    r"|\b(?:accurate|appropriate|best|correct|fitting|likely|precise|relevant|right|specific|suitable) (?:CWE|weakness)\b"
    r"|\b(?:weakness|root cause|mapping|match|fit|result|conclusion|classification|verdict|primary|chosen|selected|instance|points?)\b"
    r"|\bCWE(?: ID)?\b(?![-‐‑‒–— _]?[0-9]))"
    r"[^.\n]{0,60}?(?:\bis\b|\bto\b|\bas\b|\bunder\b|\bwith\b|\bof\b|:)[ \t*_`\"'(:\[]{0,6}(?:the )?"
    rf"[ \t*_`\"'(\[]{{0,4}}(?={_ID})",
    re.IGNORECASE,
)
_CLAIM_AFTER = re.compile(
    rf"(?={_ID})CWE[-‐‑‒–— _A-Z]{{0,4}}[0-9]{{1,9}}[ \t*_`\"')\]]{{0,6}}[ \t](?:is|would be|seems|remains)[ \t](?:the[ \t])?(?:single[ \t]|most[ \t]|only[ \t])?"
    r"(?:best|correct|right|accurate|appropriate|suitable|fitting|likely|specific|relevant|answer|root cause)\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"\(https?://[^()\s]{0,200}\)")
_STARTS = re.compile(rf"[ \t*_`\"'(\[>#]{{0,8}}{_ID}[ \t*_`\"')\]]{{0,6}}", re.IGNORECASE)
_GOES_ON = re.compile(r"(?!(?:and|as|because|or|since)\b)[a-z]")  # `CWE-664 is the parent`: a sentence about an id
_LISTED = re.compile(rf"(?:[-*•+]|[0-9]{{1,2}}[.)])[ \t]{{1,4}}[*_`]{{0,3}}{_ID}", re.IGNORECASE)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
_DENIAL = r"\b(?:not|never|cannot|neither|nor)\b|n['’]t\b"
_DENIED = re.compile(_DENIAL, re.IGNORECASE)
_ASIDE = re.compile(
    r"\b(?:child|children|kin|member|parents?|peers?|siblings?|subclass|variant)\b"
    rf"|\b(?:relate[sd]?|similar|compared|confused|like|unlike|rather than|instead of|such as|see also|than|e\.g|alternatives?|alternatively|secondary)\b"
    rf"|{_DENIAL}",
    re.IGNORECASE,
)
_ASIDE_AFTER = re.compile(
    r"[ \t*_`\"')\]]{0,6}[ \t](?:(?:is|are|was|would be|might be|may be|seems|covers)\b[^.\n,]{0,30}?\b(?:abstract|also|alternative|broad(?:er)?|child|considered|general|generic"
    r"|incorrect|less|narrow(?:er)?|parent|pillar|too|wide|wider|wrong)\b|(?:could|may|might)[ \t](?:also|be)\b|also\b|(?:is|was|does)(?:[ \t]not\b|n['’]t\b))",
    re.IGNORECASE,
)
_BEFORE = 80  # characters before an id that tell whether it is an aside


def strict_weakness(text: str, options: Sequence[str] = ()) -> list[str]:
    """The CWE id if it alone is the last line."""
    match = _STRICT.fullmatch(last_line(text))
    return [f"CWE-{match[1]}"] if match else []


def lenient_weakness(text: str, options: Sequence[str] = ()) -> list[str]:
    """The CWE ids that the output gives as its answer; several if it does not decide.

    In this order: boxed; after `Answer:`; alone on the last line (also as a bare number); after `maps to` and the like; alone
    on the first line; at the beginning of the last line; alone on any one line; at the beginning of the first line; the only
    one in bold; in a list; and at last the last one that is named, if possible not as an aside.
    """
    return next((found for found in _answers(text) if found), [])


def _answers(text: str) -> Iterator[list[str]]:
    yield from map(_stated, [*reversed(boxed(text)), *reversed(answer_lines(text))])
    lines = lines_of(text)
    first, last = lines[0] if lines else "", lines[-1] if lines else ""
    yield _alone(last) or _bare_number(last)
    yield _claimed(text)
    yield _alone(first) or _bare_number(first)
    yield _leading(last)
    yield _only([_alone(line) for line in lines])
    yield _leading(first)
    yield _only([_ids(part) for part in _BOLD.findall(text)])
    yield distinct(f"CWE-{match[1]}" for line in lines if (match := _LISTED.match(line)))
    yield _named(text)[-1:]
    yield _ids(text)[-1:]


def _stated(part: str) -> list[str]:
    """The first id of a part that is not denied, and those joined to it: `CWE-79 or CWE-80`, but not `CWE-787, a child of CWE-119`."""
    matches = list(_WEAKNESS.finditer(part))
    first = next((one for one in matches if not _DENIED.search(part[max(0, one.start() - 8) : one.start()])), None)
    if first is None:
        return _bare_number(part) or ([] if matches else _ids(part))
    found, place = [first[1]], first.end()
    while (more := _JOINED.match(part, place)) and not _ASIDE_AFTER.match(part, more.end()):
        found, place = [*found, more[1]], more.end()
    return distinct(f"CWE-{one}" for one in found)


def _alone(line: str) -> list[str]:
    """The ids of a line that holds nothing else."""
    plain = bare(_LINK.sub("", line))
    first = _WEAKNESS.match(plain)
    if first is None:
        return []
    found, place = [first[1]], first.end()
    while more := _JOINED.match(plain, place):
        found, place = [*found, more[1]], more.end()
    return distinct(f"CWE-{one}" for one in found) if place == len(plain) else []


def _bare_number(line: str) -> list[str]:
    number = _NUMBER.fullmatch(bare(line))
    return [f"CWE-{number[1]}"] if number else []


def _claimed(text: str) -> list[str]:
    """After the last `maps to`, `the weakness is` and the like, or before `is the best fit`, that is not denied."""
    claims = [match.end() for match in _CLAIM.finditer(text)
              if not _ASIDE.search(match[0]) and not _DENIED.search(_sentence_before(text, match.start()))]  # fmt: skip
    claims += [
        match.start() for match in _CLAIM_AFTER.finditer(text) if not _DENIED.search(_sentence_before(text, match.start()))
    ]
    return _stated(text[max(claims) : max(claims) + 200].partition("\n")[0]) if claims else []


def _leading(line: str) -> list[str]:
    """The ids at the beginning of a line such as `CWE-79: Cross-site Scripting`."""
    match = _STARTS.match(line)
    return _stated(line) if match and not _GOES_ON.match(line, match.end()) else []


def _only(found: Sequence[list[str]]) -> list[str]:
    """What is found in one place, or alike in several."""
    told = {tuple(ids) for ids in found if ids}
    return list(told.pop()) if len(told) == 1 else []


def _named(text: str) -> list[str]:
    """Ids that are no asides, in the order of the text; what is joined to an aside is one."""
    found, end, aside = [], 0, False
    for match in _WEAKNESS.finditer(text):
        before = text[max(end, match.start() - _BEFORE) : match.start()]
        if not end or not _JOIN_ALONE.fullmatch(before):
            aside = bool(_ASIDE.search(_sentence_before(before, len(before))))
        found += [] if aside or _ASIDE_AFTER.match(text, match.end()) else [f"CWE-{match[1]}"]
        end = match.end()
    return found


def _sentence_before(text: str, place: int) -> str:
    """What stands in the same sentence before `place`."""
    return re.split(r"[.!?;\n]", text[max(0, place - _BEFORE) : place])[-1]


def _ids(text: str) -> list[str]:
    found = [(match.start(), match[1]) for match in itertools.chain(_WEAKNESS.finditer(text), _WEAKNESS_PAGE.finditer(text))]
    return distinct(f"CWE-{number}" for _, number in sorted(found))
