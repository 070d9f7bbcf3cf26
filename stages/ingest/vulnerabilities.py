"""What the readers of vulnerabilities have in common: ids, names of fields, texts in English."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from stages.ingest.records import Records
from stages.ingest.schema import Entity
from stages.ingest.text import clean, whole_sentences

CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")
_CWE = re.compile(r"CWE-([0-9]{1,6})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MARK = re.compile(r"\s*\*\*\s*((?:UN|PRODUCT NOT )SUPPORTED WHEN ASSIGNED|DISPUTED)\s*\*\*[\s:]*")
_TRUNCATED = "---truncated---"


class Wording(msgspec.Struct):
    """A text in one language."""

    lang: str
    value: str


def in_english(wordings: Iterable[Wording]) -> str:
    """The first English text, or nothing: one in another language is not used."""
    return next((text.value for text in wordings if text.lang.lower().startswith("en") and text.value.strip()), "")


def described(text: str) -> tuple[str, dict[str, Any]]:
    """(clean prose, what the marks around it say: `disputed`, `unsupported`, `text_cut`).

    CVE records hold 4,096 characters at most; some authorities cut a longer text and say so at its end.
    """
    marks: dict[str, Any] = {}
    start = 0
    while match := _MARK.match(text, start):
        marks["disputed" if match[1] == "DISPUTED" else "unsupported"] = True
        start = match.end()
    text = text[start:]
    if not text.rstrip().endswith(_TRUNCATED):
        return clean(text, markdown=True), marks
    whole = text.rstrip().removesuffix(_TRUNCATED)
    kept, _ = whole_sentences(f"{whole}...", markdown=True)
    return kept or clean(whole, markdown=True), marks | {"text_cut": True}  # traces of a kernel have no sentence


def weaknesses(names: Iterable[str]) -> list[str]:
    """The CWE ids among `names`, each once, in numerical order; `NVD-CWE-noinfo` and its like are none."""
    numbers = {int(match[1]) for name in names if (match := _CWE.fullmatch(name.strip()))}
    return [f"CWE-{number}" for number in sorted(numbers)]


def iso_date(stamp: str) -> str:
    """The date of a time stamp, or nothing."""
    return match[0] if (match := _DATE.match(stamp)) else ""


def add_vulnerability(
    records: Records, cve: str, text: str, fields: dict[str, Any], cwes: Iterable[str] = (), published: str = ""
) -> Entity:
    """The entity `cve:<id>`, and an `instance-of` link to each weakness."""
    entity = records.entity(
        f"cve:{cve}",
        "vulnerability",
        cve,
        text,
        f"https://www.cve.org/CVERecord?id={cve}",
        {"year": int(cve[4:8])} | fields,
        published=published,
    )
    for cwe in weaknesses(cwes):
        records.link(entity.id, "instance-of", f"cwe:{cwe}")
    return entity
