"""Security advisories in the Common Security Advisory Framework (CSAF 2.0), as CISA publishes them.

Files: `advisories`, an archive with one folder per year, as the standard has publishers keep it, or a single advisory.
Only advisories marked TLP:WHITE or TLP:CLEAR are read.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from stages.ingest.cvss import cvss_fields
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean
from stages.ingest.vulnerabilities import CVE, add_vulnerability, iso_date, weaknesses

SUPPORTED = "2"
_PATTERN = "*/[12][0-9][0-9][0-9]/*.json"
_FREE = ("WHITE", "CLEAR")
_SECTORS = (  # the critical infrastructure sectors of https://www.cisa.gov/critical-infrastructure-sectors
    "Chemical", "Commercial Facilities", "Communications", "Critical Manufacturing", "Dams", "Defense Industrial Base",
    "Emergency Services", "Energy", "Financial Services", "Food and Agriculture", "Government", "Healthcare",
    "Information Technology", "Nuclear", "Transportation", "Water",
)  # fmt: skip
_WHOLE_NAMES = {
    "Government": "Government Services and Facilities",
    "Healthcare": "Healthcare and Public Health",
    "Nuclear": "Nuclear Reactors, Materials, and Waste",
    "Transportation": "Transportation Systems",
    "Water": "Water and Wastewater Systems",
}
_ID = re.compile(r"[A-Za-z0-9][\w.\-]{2,79}")
_HEADLINE = re.compile(r"(?mi)^(?:ATTENTION|CVSS v\d).*$")  # `ATTENTION: Remotely exploitable`: no sentence
_ASSIGNED = re.compile(  # the last lines of older summaries: the id and the score, which the record has as data
    r"\s*CVE-\d{4}-\d+ has been assigned to (?:this|these) vulnerabilit(?:y|ies)\."
    r"(?:\s*A CVSS v\d(?:\.\d)? base score of [\d.]+ has been (?:assigned|calculated)[^()]*\([^()]*\)\.?)?"
)
_TITLE_ID = re.compile(r"^\s*CVE-\d{4}-\d+[\s:\-]*")
_BRANCHES = 20_000  # of one product tree; the largest known has some hundreds


class Tlp(msgspec.Struct):
    """Traffic Light Protocol."""

    label: str = ""


class Distribution(msgspec.Struct):
    """Who may read it."""

    tlp: Tlp = msgspec.field(default_factory=Tlp)


class Note(msgspec.Struct):
    """A text; category `summary` describes, others are terms and general advice."""

    text: str
    category: str = ""
    title: str = ""


class Tracking(msgspec.Struct):
    """Id and dates."""

    id: str
    status: str = ""
    released: str = msgspec.field(name="initial_release_date", default="")
    updated: str = msgspec.field(name="current_release_date", default="")


class Reference(msgspec.Struct):
    """An address; category `self` is the advisory's own."""

    url: str
    category: str = ""


class Head(msgspec.Struct):
    """What concerns the whole advisory."""

    version: str = msgspec.field(name="csaf_version")
    title: str
    tracking: Tracking
    lang: str = ""
    distribution: Distribution = msgspec.field(default_factory=Distribution)
    notes: list[Note] = []
    references: list[Reference] = []


class Branch(msgspec.Struct):
    """A vendor, a product or a version, in a tree."""

    name: str = ""
    category: str = ""
    branches: list["Branch"] = []


class Tree(msgspec.Struct):
    """The products."""

    branches: list[Branch] = []


class Weakness(msgspec.Struct):
    """The root cause."""

    id: str = ""


class Remediation(msgspec.Struct):
    """A fix, a mitigation, or the statement that there is none."""

    details: str = ""


class Vector(msgspec.Struct):
    """CVSS 3.0 or 3.1."""

    vector: str = msgspec.field(name="vectorString", default="")
    score: float = msgspec.field(name="baseScore", default=0.0)


class Score(msgspec.Struct):
    """Scores of one vulnerability for some products."""

    cvss: Vector = msgspec.field(name="cvss_v3", default_factory=Vector)


class Fault(msgspec.Struct):
    """One vulnerability of the advisory."""

    cve: str = ""
    title: str = ""
    cwe: Weakness = msgspec.field(default_factory=Weakness)
    notes: list[Note] = []
    remediations: list[Remediation] = []
    scores: list[Score] = []


class Advisory(msgspec.Struct):
    """The file."""

    document: Head
    products: Tree = msgspec.field(name="product_tree", default_factory=Tree)
    faults: list[Fault] = msgspec.field(name="vulnerabilities", default_factory=list)


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with advisories, the vulnerabilities they report with their weaknesses, and passages."""
    seen: set[str] = set()
    reported: dict[str, list[dict[str, Any]]] = {}
    for member in files.each("advisories", records, _PATTERN):
        advisory = records.decode_json(member, Advisory)
        if advisory is None:
            continue
        summary, faults = _summary(advisory.document.notes), [_described(fault) for fault in advisory.faults]
        text = "\n".join(dict.fromkeys(filter(None, [summary, *(fault["text"] for fault in faults)])))
        reason, detail = _reason_to_drop(advisory.document, text, seen)
        if reason:
            records.reject(f"{member.name} {advisory.document.tracking.id}", reason, detail)
            continue
        seen.add(advisory.document.tracking.id)
        _add(advisory, text, {"summary": summary, "vulnerabilities": faults}, records)
        for fault in faults:
            if fault["cve"]:
                reported.setdefault(fault["cve"], []).append(fault)
    for cve, faults in sorted(reported.items()):
        _add_vulnerability(cve, faults, records)


def _described(fault: Fault) -> dict[str, Any]:
    """One vulnerability as the advisory tells it: `cve`, `cwe` (both may be empty), `title`, `text`, the CVSS fields."""
    scored = (cvss_fields(score.cvss.vector) for score in fault.scores)
    return {
        "cve": fault.cve if CVE.fullmatch(fault.cve) else "",
        "cwe": next(iter(weaknesses([fault.cwe.id])), ""),
        "title": clean(_TITLE_ID.sub("", fault.title)),
        "text": _summary(fault.notes),
    } | next((found for found in scored if found), {})


def _reason_to_drop(head: Head, text: str, seen: set[str]) -> tuple[str, str]:
    """(reason, detail) for an advisory that is not used."""
    label = head.distribution.tlp.label.upper()
    if label not in _FREE:
        return "tlp-restricted", f"TLP:{label}" if label else "no TLP label"
    if head.version.split(".")[0] != SUPPORTED:
        return "unsupported-version", head.version
    if not _ID.fullmatch(head.tracking.id):
        return "broken-record", "its id is no id"
    if head.tracking.id in seen:
        return "duplicate-id", head.tracking.id
    if head.lang and not head.lang.lower().startswith("en"):
        return "not-english", head.lang
    return ("", "") if text else ("empty-text", head.title)


def _add(advisory: Advisory, text: str, told: dict[str, Any], records: Records) -> None:
    head = advisory.document
    entity = records.entity(
        f"csaf:{head.tracking.id}",
        "advisory",
        clean(head.title),
        text,
        _page(head.references),
        _fields(advisory) | told,
        published=iso_date(head.tracking.released),
    )
    for cve in entity.fields.get("cves", []):
        records.link(entity.id, "reports", f"cve:{cve}")
    for cwe in weaknesses(fault.cwe.id for fault in advisory.faults):
        records.link(entity.id, "shows", f"cwe:{cwe}")
    label = f"{head.tracking.id} {entity.name}"
    records.passage(entity, "summary", text, label)
    records.passage(entity, "remediation", "\n".join(entity.fields.get("remediations", [])), f"Remediation of {label}")


def _fields(advisory: Advisory) -> dict[str, Any]:
    head = advisory.document
    names: dict[str, list[str]] = {"vendor": [], "product_name": []}
    for branch in _walk(advisory.products.branches):
        if branch.category in names:
            names[branch.category].append(clean(branch.name))
    scores = [score.cvss.score for fault in advisory.faults for score in fault.scores]
    fixes = (clean(one.details) for fault in advisory.faults for one in fault.remediations)
    return {
        "title": clean(head.title),
        "cves": sorted({fault.cve for fault in advisory.faults if CVE.fullmatch(fault.cve)}),
        "vendor": next(iter(names["vendor"]), ""),
        "products": list(dict.fromkeys(names["product_name"])),
        "sectors": _sectors(head.notes),
        "remediations": [fix for fix in dict.fromkeys(fixes) if fix],
        "cvss": max(scores, default=0.0) or None,
        "updated": iso_date(head.tracking.updated),
    }


def _summary(notes: list[Note]) -> str:
    texts = (clean(_HEADLINE.sub("", note.text), markdown=True) for note in notes if note.category == "summary")
    return "\n".join(text for text in (_ASSIGNED.sub("", text).strip() for text in texts) if text)


def _sectors(notes: list[Note]) -> list[str]:
    """The sectors by their whole names; `Multiple Sectors` where the advisory says no more."""
    named = " ".join(note.text for note in notes if "sectors" in note.title.lower()).lower()
    found = [_WHOLE_NAMES.get(sector, sector) for sector in _SECTORS if sector.lower() in named]
    return found or (["Multiple Sectors"] if "multiple" in named else [])


def _walk(branches: list[Branch]) -> Iterator[Branch]:
    """Every branch of the tree, parents first."""
    waiting = branches[::-1]
    for _ in range(_BRANCHES):
        if not waiting:
            return
        branch = waiting.pop()
        yield branch
        waiting.extend(branch.branches[::-1])


def _page(references: list[Reference]) -> str:
    """The advisory's page for people, or its file."""
    own = [one.url for one in references if one.category == "self" and one.url.startswith("https://")]
    return next((url for url in own if not url.endswith(".json")), next(iter(own), ""))


def _add_vulnerability(cve: str, faults: list[dict[str, Any]], records: Records) -> None:
    """One entity for what many advisories say of one CVE: the longest summary, and every weakness they name."""
    best = max(faults, key=lambda fault: len(fault["text"]))
    fields = {key: value for key, value in best.items() if key == "title" or key.startswith("cvss_")}
    add_vulnerability(records, cve, best["text"], fields, [fault["cwe"] for fault in faults])
