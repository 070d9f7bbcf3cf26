"""How an output names a threat actor: alone on the last line (strict), or as the actor that it settles on (lenient).

Names are those of the graphs of `actors` and of the keys, and in an answer's place any short line that is no sentence. A name
after `not` is none, and `Unknown` or `Unable to determine` is no name.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from stages.public_benchmarks.actors import normal
from stages.public_benchmarks.refusals import refuses
from stages.public_benchmarks.text import MARKUP, answer_lines, bare, boxed, distinct, last_line, lines_of

MOST_WORDS = 5  # a longer line is no bare name
_BOLD = re.compile(r"\*\*([^*\n]{2,80})\*\*")
_NAME = re.compile(r"[A-Za-z][\w .&/'()-]{1,60}")
_WORD = re.compile(r"[A-Za-z0-9]+")
_NOBODY = re.compile(
    r"(?:an? |the )?(?:unknown|unidentified|unattributed|undetermined|undisclosed|unspecified|unclear|unable|inconclusive|indeterminate|insufficient|nan?|n/a"
    r"|none|nobody|not|no|cannot|can['’]t|could|impossible)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|seems?|appears?|likely|probably|possibly|attributed|points?|suggests?)\b",
    re.IGNORECASE,
)
_PARTS = re.compile(r"[()/]|,?\s(?:a\.?k\.?a\.?|also known as|also called|alias|formerly)\s", re.IGNORECASE)
_LABEL = re.compile(
    r"[\s*_`#>-]{0,8}(?:(?:most |likely |suspected |attributed |responsible |identified |threat |apt |final ){0,4}(?:actor|group|adversary|attribution|name|conclusion)(?:[ \t]name)?"
    r"|attributed to)[ \t*_`]{0,4}[:：=–—-][ \t*_`]{0,4}([^\n]{1,200})",
    re.IGNORECASE,
)
_CLAIM = re.compile(
    r"\b(?:attribut(?:ed|able|es?) (?:it |this |them )?to|points? to|indicative of|(?:work|handiwork) of"
    r"|(?:actor|group|adversary|attacker)s?\b[^.\n]{0,40}?\b(?:is|are|was|be)|(?:it|this) (?:is|was)|answer is)[ \t*_`\"]{1,6}"
    r"(?:(?:most|very|highly|likely|probably|almost|certainly|possibly|the|threat|actor|group|known|as|be)[ \t*_`\"]{1,6}){0,6}",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:\b(?:not|never|neither|nor|unlike|rather than|instead of)\b|n['’]t\b)(?:(?!\bbut\b)[^.;,\n]){0,30}$", re.IGNORECASE
)
_REACH = 60  # characters before a name in which it is denied, and after a claim in which a name begins


def strict_actor(text: str, known: Iterable[str]) -> list[str]:
    """The name if it alone is the last line, also with another one in brackets: one that the graphs know, or a short line."""
    line, names = last_line(text).rstrip("."), set(known)
    return _whole(line, names) if line == line.strip(MARKUP) else []


def lenient_actor(text: str, known: Iterable[str]) -> list[str]:
    """The actor that the output settles on.

    In this order: boxed; after `Answer:` or `Threat actor:`; a last, then a first line that is a known name; after `attributed
    to` and the like; the first known name in bold; the first known name in the text; the first short text in bold.
    """
    return next((found[:1] for found in _answers(text, set(known)) if found), [])


def _answers(text: str, known: set[str]) -> Iterator[Sequence[str]]:
    lines = lines_of(text)
    labelled = [match[1] for line in lines if (match := _LABEL.match(line))]
    for place in [*reversed(boxed(text)), *reversed(answer_lines(text)), *labelled]:
        yield _told(place, known)
    for line in [*lines[-1:], *lines[:1]]:
        yield [name for name in _whole(line, known) if normal(name) in known]
    yield _told(lines[0], known) if len(lines) == 1 and _whole(lines[0], known) else []
    yield _claimed(text, known)
    bold = _BOLD.findall(text)
    yield [name for part in bold if not _NOBODY.match(part) for name in _whole(part, known) if normal(name) in known]
    yield _known_in(text, known)
    yield [bare(part) for part in bold if len(part.split()) <= 3 and not part.rstrip().endswith(":") and not _NOBODY.match(part)]


def _whole(line: str, known: set[str]) -> list[str]:
    """The name that a line holds and nothing else; of `Fancy Bear (APT28)` the first that is known."""
    name = bare(line)
    if normal(name) in known:
        return [name]
    parts = [bare(part) for part in _PARTS.split(line.strip(MARKUP)) if bare(part)]
    if len(parts) > 1 and all(_is_name(part) or normal(part) in known for part in parts):
        return [next((part for part in parts if normal(part) in known), parts[0])]
    return [name] if _is_name(name) else []


def _told(place: str, known: set[str]) -> list[str]:
    """The name in a place that holds an answer: a known one, alone or within it, before one that nobody knows."""
    whole = _whole(place, known)
    return [name for name in whole if normal(name) in known] or _known_in(place, known, loud=False) or whole


def _is_name(line: str) -> bool:
    short = bool(_NAME.fullmatch(line)) and len(line.split()) <= MOST_WORDS
    return short and not (refuses(line) or _NOBODY.match(line) or _SENTENCE.search(line))


def _claimed(text: str, known: set[str]) -> list[str]:
    """The first known name right after words that attribute, unless they are denied."""
    for match in _CLAIM.finditer(text):
        said = text[match.end() : match.end() + _REACH].partition("\n")[0]
        found = _known_in(said, known)
        if found and said.startswith(found[0]) and not _DENIED.search(text[max(0, match.start() - _REACH) : match.start()]):
            return found[:1]
    return []


def _known_in(text: str, known: set[str], *, loud: bool = True) -> list[str]:
    """Known names that are not denied in the order of the text, each the longest at its place; `loud`: with a capital or digit."""
    words = list(_WORD.finditer(text))
    found, place = [], 0
    while place < len(words):
        for count in range(min(MOST_WORDS, len(words) - place), 0, -1):
            start = words[place].start()
            part = text[start : words[place + count - 1].end()]
            seen = len(part) > 3 and not (loud and part.islower()) and "\n" not in part
            if seen and "".join(_WORD.findall(part.casefold())) in known:
                found += [] if _DENIED.search(text[max(0, start - _REACH) : start]) else [part]
                place += count - 1
                break
        place += 1
    return distinct(found)
