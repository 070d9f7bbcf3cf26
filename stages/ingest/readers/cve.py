"""CVE records in the CVE JSON 5 format, as the CVE list and CISA's Vulnrichment publish them.

Files: any roles, each an archive of records (one per year, or the whole list) or a single record; the pattern
`*CVE-*.json` finds the records. What CISA adds as an Authorized Data Publisher (a CVSS vector, weaknesses, the
decision points of SSVC, the date of exploitation) completes what the numbering authority says.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from stages.ingest.cvss import cvss_fields
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean
from stages.ingest.vulnerabilities import CVE, Wording, add_vulnerability, described, in_english, iso_date

SUPPORTED = "5"
_PATTERN = "*CVE-*.json"
_UNKNOWN = ("", "n/a", "unknown", "unspecified", "-")
_PRODUCTS = 3  # products, and ranges of versions of each, that `affected` names: a kernel record lists a hundred
_SSVC = {"Exploitation": "ssvc_exploitation", "Automatable": "ssvc_automatable", "Technical Impact": "ssvc_impact"}


class Metadata(msgspec.Struct, gc=False):
    """State of the id; RESERVED and REJECTED ones have no content."""

    id: str = msgspec.field(name="cveId")
    state: str
    cna: str = msgspec.field(name="assignerShortName", default="")
    published: str = msgspec.field(name="datePublished", default="")


class Version(msgspec.Struct, gc=False):
    """One version or range of versions."""

    version: str = ""
    status: str = ""
    before: str = msgspec.field(name="lessThan", default="")
    through: str = msgspec.field(name="lessThanOrEqual", default="")


class Affected(msgspec.Struct):
    """A product and its versions."""

    vendor: str = ""
    product: str = ""
    versions: list[Version] = []


class Named(msgspec.Struct):
    """A weakness as text, with its id where the authority gave one."""

    cwe: str = msgspec.field(name="cweId", default="")


class Problem(msgspec.Struct):
    """One statement about the root cause."""

    descriptions: list[Named]


class Vector(msgspec.Struct):
    """A CVSS metric."""

    vector: str = msgspec.field(name="vectorString", default="")


class Other(msgspec.Struct):
    """A metric of another kind; `content` has a layout for each."""

    type: str
    content: msgspec.Raw


class Metric(msgspec.Struct):
    """One metric of a container."""

    cvss: Vector | None = msgspec.field(name="cvssV3_1", default=None)
    other: Other | None = None


class Impact(msgspec.Struct):
    """What an attacker reaches, as an attack pattern."""

    capec: str = msgspec.field(name="capecId", default="")


class Container(msgspec.Struct):
    """What one organisation says: the numbering authority (CNA) or an Authorized Data Publisher (ADP)."""

    title: str = ""
    descriptions: list[Wording] = []
    affected: list[Affected] = []
    problems: list[Problem] = msgspec.field(name="problemTypes", default_factory=list)
    metrics: list[Metric] = []
    impacts: list[Impact] = []
    tags: list[str] = []
    solutions: list[Wording] = []
    workarounds: list[Wording] = []
    rejected: list[Wording] = msgspec.field(name="rejectedReasons", default_factory=list)


class Containers(msgspec.Struct):
    """The containers of a record."""

    cna: Container = msgspec.field(default_factory=Container)
    adp: list[Container] = []


class CveRecord(msgspec.Struct):
    """The file."""

    version: str = msgspec.field(name="dataVersion")
    metadata: Metadata = msgspec.field(name="cveMetadata")
    containers: Containers


class Decision(msgspec.Struct):
    """CISA's answers to the questions of SSVC: a list of objects with one key each."""

    options: list[dict[str, str]]


class Exploited(msgspec.Struct):
    """CISA's note that the id is in the catalogue of known exploited vulnerabilities."""

    added: str = msgspec.field(name="dateAdded")


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with vulnerabilities, links to their weaknesses and attack patterns, and passages."""
    for role in sorted(files.source.files):
        for member in files.each(role, records, _PATTERN):
            record = records.decode_json(member, CveRecord)
            if record is not None:
                _add(record, member.name, records)


def _add(record: CveRecord, file: str, records: Records) -> None:
    text, marks = described(in_english(record.containers.cna.descriptions))
    reason, detail = _reason_to_drop(record, text)
    if reason:
        records.reject(f"{file} {record.metadata.id}", reason, detail)
        return
    containers = [record.containers.cna, *record.containers.adp]
    named = [one.cwe for each in containers for problem in each.problems for one in problem.descriptions if one.cwe]
    entity = add_vulnerability(
        records,
        record.metadata.id,
        text,
        _fields(record.metadata, containers) | marks,
        named,
        iso_date(record.metadata.published),
    )
    for capec in sorted({impact.capec for impact in record.containers.cna.impacts if impact.capec.startswith("CAPEC-")}):
        records.link(f"capec:{capec}", "related-to", entity.id)
    records.passage(entity, "record", text, f"{entity.name} {entity.fields.get('title', '')}".strip())


def _reason_to_drop(record: CveRecord, text: str) -> tuple[str, str]:
    """(reason, detail) for a record that is not used."""
    metadata, cna = record.metadata, record.containers.cna
    if not CVE.fullmatch(metadata.id):
        return "broken-record", "no CVE id"
    if record.version.split(".")[0] != SUPPORTED:
        return "unsupported-version", f"{record.version}; the reader knows {SUPPORTED}.x"
    if metadata.state != "PUBLISHED":
        return f"{metadata.state.lower()[:20]}-id", clean(in_english(cna.rejected))
    if not text:
        return ("not-english" if cna.descriptions else "empty-text"), ", ".join(one.lang for one in cna.descriptions)
    return "", ""


def _fields(metadata: Metadata, containers: list[Container]) -> dict[str, Any]:
    cna = containers[0]
    vendor, product = next(_products(containers), ("", ""))
    metrics = [metric for container in containers for metric in container.metrics]
    found: dict[str, Any] = {
        "title": clean(cna.title, markdown=True),
        "vendor": vendor,
        "product": product,
        "affected": _affected(cna.affected),
        "cna": metadata.cna,
        "state": metadata.state,
        "disputed": True if "disputed" in cna.tags else None,
        "unsupported": True if "unsupported-when-assigned" in cna.tags else None,
        "solutions": _english(cna.solutions),
        "workarounds": _english(cna.workarounds),
    }
    scored = (cvss_fields(metric.cvss.vector) for metric in metrics if metric.cvss)
    found |= next((fields for fields in scored if fields), {})
    for metric in metrics:
        if metric.other:
            found |= _stated(metric.other)
    return found


def _products(containers: list[Container]) -> Iterator[tuple[str, str]]:
    """Vendor and product of every entry that names a product; the numbering authority's come first."""
    for container in containers:
        for one in container.affected:
            if one.product.strip().lower() not in _UNKNOWN:
                vendor = _name(one.vendor)
                yield ("" if vendor.lower() in _UNKNOWN else vendor), _name(one.product)


@lru_cache(maxsize=1 << 12)  # the same names stand in many records
def _name(text: str) -> str:
    return clean(text)


def _affected(entries: list[Affected]) -> str:
    """The first products with their affected versions: `Widget 2.0 before 2.4, 3.1; Gadget`."""
    named = [one for one in entries if one.product.strip().lower() not in _UNKNOWN][:_PRODUCTS]
    return "; ".join(dict.fromkeys(clean(f"{one.product} {_ranges(one.versions)}".strip()) for one in named))


def _ranges(versions: list[Version]) -> str:
    hit = [version for version in versions if version.status == "affected"][:_PRODUCTS]
    return ", ".join(found for version in hit if (found := _range(version)))


def _range(version: Version) -> str:
    start = "" if version.version.lower() in (*_UNKNOWN, "0", "*") else version.version
    if version.before or version.through:
        end = f"before {version.before}" if version.before else f"through {version.through}"
        return f"{start} {end}".strip()
    return start


def _english(wordings: list[Wording]) -> list[str]:
    texts = (clean(one.value, markdown=True) for one in wordings if one.lang.lower().startswith("en"))
    return [text for text in dict.fromkeys(texts) if text]


def _stated(other: Other) -> dict[str, Any]:
    """SSVC decision points, or the day on which CISA listed the vulnerability as exploited; else nothing."""
    try:
        if other.type == "ssvc":
            answers = {
                key: value for pair in msgspec.json.decode(other.content, type=Decision).options for key, value in pair.items()
            }
            return {field: answers[key].lower() for key, field in _SSVC.items() if key in answers}
        if other.type == "kev":
            added = msgspec.json.decode(other.content, type=Exploited).added
            return {"known_exploited": True, "kev_added": iso_date(added)}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}  # an addition of another layout takes nothing from the record
    return {}
