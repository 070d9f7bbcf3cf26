"""What a rewrite states that code can look up: numbers, versions, dates, CVSS vectors and quoted names. Where none of its sources holds one, it was invented.

A number of a source is a number of the rewrite in any of its forms: `1,024` and `1024`, `seven` and `7`, `2.4` of
`2.4.49`, the 2021 of `CVE-2021-44228`. Numbers of headings and lists, and counts up to SMALL, say nothing, and neither do
names that hold digits (`SHA-256`, `IPv6`); of these, the ids that `identifiers.py` reads have a check of their own.
"""

import re
from collections.abc import Iterable, Sequence

from stages.answers import base_vector

SMALL = 12  # "the three options", "two of the five": a text may count what it lists
_LISTED = re.compile(
    r"^[\s>*#_-]*(?:(?:step|part|section|phase|point)\s*)?\d{1,3}\s*[.:)](?=[\s*_]|$)", re.IGNORECASE | re.MULTILINE
)
_REFERRED = re.compile(r"\b(?:steps?|sections?|options?|points?|items?|parts?|phases?|questions?)\s+\d{1,2}\b", re.IGNORECASE)
_NAMED = re.compile(
    r"\b[A-Z][A-Z0-9]{0,5}-?\d[\w-]*(?:\.\d{3})?(?:\(\d+\))?"
)  # CVE-2021-44228, T1059.001, AC-2(3), SHA-256: names and no numbers
_NUMBER = re.compile(r"(?<![A-Za-z0-9.,_])v?(\d+(?:[.,]\d+)*)(\s?%)?", re.IGNORECASE)
_ANY_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_VECTOR = re.compile(r"(?<![A-Za-z0-9])(?:CVSS:[\d.]+/)?(?:[A-Z]{1,3}:[A-Z]/){2,12}[A-Z]{1,3}:[A-Z](?![A-Za-z0-9])")
_QUOTED = re.compile(r"[\"“]([^\"“”\n]{2,80})[\"”]|(?<!`)`([^`\n]{2,80})`(?!`)")
_NAME = re.compile(r"[A-Z0-9_/\\.=<>()$@{}-]")  # a name or code; words set in quotation marks for their tone are neither
_WORD = re.compile(r"[a-z0-9]+")
_COUNTING = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
    "twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million"
)
_COUNTED = [*map(str, range(2, 21)), *map(str, range(30, 100, 10)), "100", "1000", "1000000"]
_NUMERALS = dict(zip(_COUNTING.split(), _COUNTED, strict=True))


def unsupported_numbers(rewrite: str, sources: Sequence[str]) -> list[str]:
    """Numbers, versions, dates and CVSS vectors of `rewrite`, as it writes them, that no source holds."""
    known = _numbers_of("\n".join(sources))
    prose = _REFERRED.sub(" ", _LISTED.sub(" ", rewrite))
    vectors = _vectors_of("\n".join(sources))
    strange = [found for found in _VECTOR.findall(prose) if _plain_vector(found) not in vectors]
    prose = _NAMED.sub(" ", _VECTOR.sub(" ", prose))
    return strange + [found[0].strip() for found in _NUMBER.finditer(prose) if not _is_known(found[1], bool(found[2]), known)]


def unsupported_quotes(rewrite: str, sources: Sequence[str]) -> list[str]:
    """Names in quotation marks or code marks of which no source holds all words."""
    words = set(_WORD.findall("\n".join(sources).lower()))
    quoted = [double or code for double, code in _QUOTED.findall(rewrite)]
    return [text for text in quoted if _NAME.search(text) and not set(_WORD.findall(text.lower())) <= words]


def _is_known(number: str, percent: bool, known: set[str]) -> bool:
    plain = _plain(number)
    if plain.isdigit() and int(plain[:9]) <= SMALL and not percent:
        return True
    return plain in known


def _numbers_of(text: str) -> set[str]:
    """Every number of `text`, plain, with the beginnings of versions and the words that count."""
    known = {_NUMERALS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _NUMERALS}
    for number in _ANY_NUMBER.findall(text):
        known |= {*_beginnings(_plain(number)), *map(_plain, re.split(r"[.,]", number))}
    return known


def _beginnings(number: str) -> Iterable[str]:
    """`2`, `2.4` and `2.4.49` of `2.4.49`."""
    parts = number.split(".")
    return (_plain(".".join(parts[:end])) for end in range(1, len(parts) + 1))


def _plain(number: str) -> str:
    """Without separators of thousands, zeros in front and an empty fraction."""
    if _THOUSANDS.fullmatch(number):
        number = number.replace(",", "")
    number = number.lstrip("0") or "0"
    return re.sub(r"(?:\.0+)+$", "", f"0{number}" if number[0] in ".," else number)


def _vectors_of(text: str) -> set[str]:
    return {_plain_vector(found) for found in _VECTOR.findall(text)}


def _plain_vector(text: str) -> str:
    """In the order of the specification where all base metrics are there; the version in front does not count."""
    return base_vector(text) or re.sub(r"^CVSS:[\d.]+/", "", text)
