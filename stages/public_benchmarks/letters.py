"""Option letters in an output: the declared form (strict), and the many ways in which models name them (lenient).

Strict is what benchmarks ask for: the last line holds the letters and nothing else. Lenient reads, in this order:
`\\boxed{B}`; `Answer: B`; a last line `**(B)**`; the only letter that is alone on its line; `the correct answer is B`,
`B is the best option`, `I choose B`; `B) text` where only one line begins so, or the first of them where they are no list
of the options; an option's text alone on the last or first line; the only bold letter; the only letter that stands by
itself. More than one letter is more than one answer: `A or C` is not right for `A`. A letter after `not` is none.
"""

import re
import string
from collections.abc import Sequence

from stages.public_benchmarks.text import answer_lines, bare, boxed, distinct, last_line, lines_of

Options = Sequence[str]

_JOIN = r"[ \t]{0,2}(?:,|;|/|&|\band\b|\bor\b|,[ \t]{0,2}and\b|,[ \t]{0,2}or\b)[ \t]{0,2}"
_ONE = r"[(\[*_`\"]{0,4}([A-Za-z])[)\]*_`\".:]{0,4}(?![\w'’])"
_AT_START = re.compile(rf"[(\[*_`\"\s]{{0,6}}(?:(?:option|choice|letter)s?[ \t]{{1,3}})?{_ONE}", re.IGNORECASE)
_AT_END = re.compile(r"[^ \t*_][ \t*_\"]{1,5}\(([A-Z])\)[*_.\"]{0,4}[ \t]{0,4}$")
_JOINED = re.compile(rf"{_JOIN}(?:(?:option|choice)s?[ \t]{{1,3}})?{_ONE}", re.IGNORECASE)
_ARTICLE = re.compile(r"A[ \t]{1,3}(?!(?:and|or|because|since|as|is|for|with|due)\b)[a-z]")
_RUN = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2,8})(?![A-Za-z0-9'’])")
_CLAIMS = (
    r"(?:\b(?:answers?|correct (?:option|choice|one|letter)s?|(?:best|right) (?:option|choice|answer|one)s?)\b(?: here)?[ \t*_]{0,4}"
    r"(?:is|are|would be|should be|must be|:|=|->|→)[ \t:*_]{0,4}(?:(?:the )?(?:option|choice|letter)s?[ \t]{1,3})?"
    r"|\b(?:I(?:['’]d| would| will|['’]ll)? (?:choose|select|pick|go with|answer)|choosing|selecting)[ \t:*_]{1,4}"
    r"(?:(?:option|choice|letter)s?[ \t]{1,3})?)"
)
_CLAIM = re.compile(_CLAIMS, re.IGNORECASE)
_SAID = r"[(\[*_]{0,4}[A-Z][)\]*_]{0,4}"
_CLAIM_AFTER = re.compile(
    rf"(?<![A-Za-z0-9'’])((?:{_SAID}{_JOIN}){{0,9}}{_SAID})[.:]?[ \t]{{1,3}}(?:is|are)[ \t]{{1,3}}(?:both[ \t]|all[ \t])?(?:the[ \t]{{1,3}})?"
    r"(?:most[ \t]{1,3}|only[ \t]{1,3})?[*_]{0,3}(?:correct|right|best|accurate|appropriate|suitable|answers?)\b"
)
_AND = r"[)\]*_]{0,4}(?:,[ \t]{1,2}(?:and|or|nor)?|[ \t]{1,2}(?:and|or|nor))[ \t]{0,2}[(\[*_]{0,4}"
_DENIED = re.compile(  # ends before a letter
    r"(?:\b(?:not|never|neither|nor|cannot|unlike|rather than|instead of)|n['’]t)(?:[ \t]{1,3}(?:be|the|option|choice|letter|answer)){0,3}[ \t]{1,3}"
    rf"[(\[*_\"]{{0,4}}(?:(?-i:[A-Z]){_AND}){{0,6}}$",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(  # begins after a letter
    rf"(?:{_AND}(?-i:[A-Z])){{0,6}}[)\].:*_]{{0,4}}(?:[ \t]{{1,3}}(?:is|are|was|were|can|could|would|does|do|seems?)"
    r"(?:[ \t]{1,3}(?:be|also|all|both|clearly|definitely|simply|therefore))?(?:n['’]t\b|not\b|[ \t]{1,3}(?:not|never|wrong|incorrect|false|out|unrelated|too)\b)"
    r"|[ \t]{1,3}cannot\b)",
    re.IGNORECASE,
)
_REACH = 60  # characters before a letter in which it is denied
_MARKED_LINE = re.compile(
    r"[-*•\s]{0,4}(?:[Oo]ption[ \t]|[Cc]hoice[ \t])?[(\[*_]{0,4}([A-Z])(?:[)\]*_]{0,4}[).:][)*_]{0,4}(?:[ \t]|$)|[)\]*_]{0,4}[ \t]{1,2}[-–—][ \t])"
    r"|[-*•\s]{0,4}\(?([a-z])[).][ \t]"
)
_BOLD = re.compile(r"\*\*[ \t]{0,2}(?:option[ \t]{1,3})?[(\[]?([A-Z])(?:[)\].:]{1,2}[^*\n]{0,200})?[)\]]?\*\*", re.IGNORECASE)
_QUESTION_FORM = re.compile(r"A[:：][ \t]{1,3}[(\[*_]{0,4}([A-Z])[)\]*_.]{0,4}")  # `A: C` after `Q: ...`
_ALONE = re.compile(r"(?<![A-Za-z0-9'’.])(?<!N/)([A-Z])(?![A-Za-z0-9'’])")
_STRICT_SET = re.compile(r"[A-Z](?:[ ,;/]{0,3}[A-Z]){0,25}")


def strict_letter(text: str, options: Options) -> list[str]:
    """The letter if it alone is the last line, in either case as CTI-Bench's own scorer reads it."""
    line = last_line(text).upper()
    return [line] if line in _letters(options) and len(line) == 1 else []


def strict_letters(text: str, options: Options) -> list[str]:
    """The set of letters, sorted, if the last line holds upper-case option letters only: `ACD`, `A, C, D`."""
    line = last_line(text)
    found = sorted(set(re.findall("[A-Z]", line))) if _STRICT_SET.fullmatch(line) else []
    return found if set(found) <= set(_letters(options)) else []


def lenient_letter(text: str, options: Options) -> list[str]:
    """The letters that the output gives as its answer, in order; several if it does not decide."""
    return _first_found(text, options, several=False)


def lenient_letters(text: str, options: Options) -> list[str]:
    """The set of letters, sorted, that the output gives as its answer."""
    return sorted(set(_first_found(text, options, several=True)))


def _first_found(text: str, options: Options, *, several: bool) -> list[str]:
    named = answer_lines(text)
    asked = _QUESTION_FORM.fullmatch(last_line(text))
    for place in [*reversed(boxed(text)), *reversed(named), *([asked[1]] if asked else [])]:
        listed = _marked(text[text.rfind(place) :], options, several=True) if several and _MARKED_LINE.match(place) else []
        if (
            found := listed
            or _option_text(place, options, several=several)
            or _stated(place, options, several=several, whole=False)
        ):
            return found
    line = last_line(text)
    if found := _option_text(line, options, several=several) or _stated(line, options, several=several, whole=True):
        return found
    guesses = () if named else (_in_bold, _standing_alone)  # `Answer: none of them` is an answer, if no letter
    readers = (_alone, _claimed, _marked, _option_text, *guesses)
    return next((found for reader in readers if (found := reader(text, options, several=several))), [])


def _stated(part: str, options: Options, *, several: bool, whole: bool) -> list[str]:
    """Letters at the beginning of what stands at an answer's place; `whole`: nothing may follow them there."""
    allowed = _letters(options)
    if several and (run := _RUN.match(bare(part))) and (not whole or run[1] == bare(part)) and set(run[1]) <= set(allowed):
        return distinct(run[1])
    first = _AT_START.match(part)
    if first is None or first[1].upper() not in allowed or _is_word(first[1], part[first.start(1) :]):
        return []
    rest = part[first.end(1) :]
    if first[1].islower() and bare(rest) and not rest.startswith((")", ".", "]", ":")):
        return []
    found, place = [first[1].upper()], first.end()
    while (more := _JOINED.match(part, place)) and more[1] in allowed and not _ARTICLE.match(part, more.start(1)):
        found, place = [*found, more[1]], more.end()
    return distinct(found) if not whole or not bare(part[place:]) else []


def _claimed(text: str, options: Options, *, several: bool) -> list[str]:
    """After `the answer is`, or before `is correct`: the last such claim."""
    claims = []
    for match in _CLAIM.finditer(text):
        said = text[match.end() : match.end() + 300].partition("\n")[0]
        named = _AT_END.search(said)  # `the answer is Audit (A)`
        found = [named[1]] if named and named[1] in _letters(options) else _option_text(said, options, several=several)
        found = found or _stated(said, options, several=several, whole=False)
        claims.append((match.end(), found))
    for match in _CLAIM_AFTER.finditer(text):
        letters = distinct(re.findall("[A-Z]", match[1]))
        denied = _DENIED.search(text[max(0, match.start() - _REACH) : match.start()])
        claims.append((match.start(), letters if set(letters) <= set(_letters(options)) and not denied else []))
    return max((claim for claim in claims if claim[1]), default=(0, []))[1]


def _alone(text: str, options: Options, *, several: bool) -> list[str]:
    """The only letter that has a line to itself."""
    stated = [tuple(found) for line in lines_of(text) if (found := _stated(line, options, several=several, whole=True))]
    return list(stated[0]) if len(set(stated)) == 1 else []


def _marked(text: str, options: Options, *, several: bool) -> list[str]:
    """`B) text` at the beginning of a line: the only such letter, or several of a question that may have several.

    Of lines that are not in the order of the options (`B) text`, then why A, C and D are wrong) the first counts.
    """
    marks = [match[1] or match[2].upper() for line in lines_of(text) if (match := _MARKED_LINE.match(line))]
    found = distinct(letter for letter in marks if letter in _letters(options))
    if not several and found != sorted(found) and _MARKED_LINE.match(text.lstrip()):
        return found[:1]
    return found if len(found) == 1 or (several and 0 < len(found) < len(options)) else []


def _option_text(text: str, options: Options, *, several: bool) -> list[str]:
    """An option's own words, which are more than a letter, alone on the last or first line."""
    lines = lines_of(text)
    for line in [*lines[-1:], *lines[:1]]:
        said = bare(line).casefold()
        found = [letter for letter, option in zip(_letters(options), options, strict=True) if bare(option).casefold() == said]
        if said and len(found) == 1 and not (len(said) == 1 and said.isalpha()):
            return found
    return []


def _in_bold(text: str, options: Options, *, several: bool) -> list[str]:
    found = distinct(letter.upper() for letter in _BOLD.findall(text) if letter.upper() in _letters(options))
    return found if len(found) == 1 or several else []


def _standing_alone(text: str, options: Options, *, several: bool) -> list[str]:
    """The only letter of an option that stands by itself, is no word and is not denied."""
    found = [match[1] for match in _ALONE.finditer(text) if match[1] in _letters(options)
             and not _is_word(match[1], text[match.start() : match.start() + 20]) and not _denied(text, match.start(), match.end())]  # fmt: skip
    return distinct(found) if len(set(found)) == 1 else []


def _denied(text: str, start: int, end: int) -> bool:
    """Whether `not` or the like stands before the letter, or `is wrong` after it."""
    return bool(_DENIED.search(text[max(0, start - _REACH) : start]) or _DENIED_AFTER.match(text, end))


def _is_word(letter: str, rest: str) -> bool:
    """Whether the letter is the article `A` (or `a`) of a sentence."""
    return letter in "Aa" and bool(_ARTICLE.match(rest[:1].upper() + rest[1:]))


def _letters(options: Options) -> str:
    return string.ascii_uppercase[: len(options)]
