"""NVD records in the 2.0 format: pages of the API, NVD's own yearly feeds, and the yearly feeds of fkie-cad.

Files: any roles, each one page, feed or single record; gzip and xz are unpacked on the way, and `member` names a file
inside a zip. A file that cannot be read is a reject where there are others.
Schema: https://csrc.nist.gov/schema/nvd/api/2.0/cve_api_json_2.0.schema
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from stages.errors import InputError
from stages.ingest.cvss import cvss_fields
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean
from stages.ingest.vulnerabilities import CVE, Wording, add_vulnerability, described, in_english, iso_date

_NO_PART = ("*", "-", "")  # parts of a CPE name that name nothing


class Feed(msgspec.Struct):
    """A page of the API or a feed: the records unread, so that one broken record is one reject."""

    vulnerabilities: list[msgspec.Raw] | None = None  # each with a key `cve`
    items: list[msgspec.Raw] | None = msgspec.field(name="cve_items", default=None)  # each the record itself
    id: str = ""  # a single record


class Vector(msgspec.Struct):
    """CVSS data."""

    vector: str = msgspec.field(name="vectorString")


class Scored(msgspec.Struct):
    """A CVSS metric; `type` is Primary for NVD's own."""

    cvss: Vector = msgspec.field(name="cvssData")
    type: str = ""


class Metrics(msgspec.Struct):
    """Metrics by version of CVSS."""

    v31: list[Scored] = msgspec.field(name="cvssMetricV31", default_factory=list)


class Weakness(msgspec.Struct):
    """Weaknesses that one organisation names."""

    description: list[Wording]


class Match(msgspec.Struct):
    """A product by its CPE name."""

    criteria: str
    vulnerable: bool = True


class Node(msgspec.Struct):
    """A group of products."""

    matches: list[Match] = msgspec.field(name="cpeMatch", default_factory=list)


class Configuration(msgspec.Struct):
    """Products that are affected together."""

    nodes: list[Node] = []


class Tagged(msgspec.Struct):
    """Tags that one organisation gives."""

    tags: list[str] = []


class NvdRecord(msgspec.Struct):
    """One vulnerability. The `cisa` keys are there if it is in the catalogue of known exploited vulnerabilities."""

    id: str
    descriptions: list[Wording]
    published: str = ""
    status: str = msgspec.field(name="vulnStatus", default="")
    metrics: Metrics = msgspec.field(default_factory=Metrics)
    weaknesses: list[Weakness] = []
    configurations: list[Configuration] = []
    tagged: list[Tagged] = msgspec.field(name="cveTags", default_factory=list)
    kev_added: str = msgspec.field(name="cisaExploitAdd", default="")
    kev_due: str = msgspec.field(name="cisaActionDue", default="")
    kev_action: str = msgspec.field(name="cisaRequiredAction", default="")
    kev_name: str = msgspec.field(name="cisaVulnerabilityName", default="")


class Wrapped(msgspec.Struct):
    """A record as the API wraps it."""

    cve: NvdRecord


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with vulnerabilities, links to their weaknesses, and passages."""
    for role in sorted(files.source.files):
        try:
            for record in _records(files, role, records):
                _add(record, records)
        except InputError as error:
            if len(files.source.files) == 1:
                raise
            records.reject(files.where(role), "unreadable-file", str(error).replace("\n", " "))


def _records(files: SourceFiles, role: str, records: Records) -> Iterator[NvdRecord]:
    feed = files.decode(role, Feed)
    if feed.id:
        yield files.decode(role, NvdRecord)
    elif feed.vulnerabilities is not None:
        yield from (wrapped.cve for wrapped in records.convert(feed.vulnerabilities, Wrapped))
    elif feed.items is not None:
        yield from records.convert(feed.items, NvdRecord)
    else:
        raise InputError(
            f"{files.where(role)} holds no records.",
            allowed="a page of the NVD API 2.0 (`vulnerabilities`), a yearly feed (`cve_items`) or one record",
            remedy="Pin such a file: feeds of format 1.1 are not read.",
        )


def _add(record: NvdRecord, records: Records) -> None:
    text, marks = described(in_english(record.descriptions))
    reason = _reason_to_drop(record, text)
    if reason:
        records.reject(record.id, reason, text or ", ".join(one.lang for one in record.descriptions))
        return
    entity = add_vulnerability(
        records,
        record.id,
        text,
        _fields(record) | marks,
        (one.value for weakness in record.weaknesses for one in weakness.description),
        iso_date(record.published),
    )
    records.passage(entity, "nvd", text, entity.name)


def _reason_to_drop(record: NvdRecord, text: str) -> str:
    if not CVE.fullmatch(record.id):
        return "broken-record"
    if record.status.lower() == "rejected":
        return "rejected-id"
    return "" if text else "not-english" if record.descriptions else "empty-text"


def _fields(record: NvdRecord) -> dict[str, Any]:
    vendor, product = next(_products(record), ("", ""))
    found: dict[str, Any] = {
        "vendor": vendor,
        "product": product,
        "state": "PUBLISHED",
        "disputed": True if any("disputed" in each.tags for each in record.tagged) else None,
        "unsupported": True if any("unsupported-when-assigned" in each.tags for each in record.tagged) else None,
    }
    ordered = sorted(record.metrics.v31, key=lambda metric: metric.type != "Primary")
    found |= next((fields for metric in ordered if (fields := cvss_fields(metric.cvss.vector))), {})
    if record.kev_added:
        found |= {
            "known_exploited": True,
            "kev_added": iso_date(record.kev_added),
            "kev_due": iso_date(record.kev_due),
            "kev_action": clean(record.kev_action),
            "kev_name": clean(record.kev_name),
        }
    return found


def _products(record: NvdRecord) -> Iterator[tuple[str, str]]:
    """Vendor and product of every vulnerable CPE name: `cpe:2.3:a:<vendor>:<product>:<version>:...`."""
    for configuration in record.configurations:
        for node in configuration.nodes:
            for match in node.matches:
                parts = match.criteria.replace("\\:", "\0").split(":")
                if match.vulnerable and len(parts) > 4 and parts[4] not in _NO_PART:
                    yield _name(parts[3]), _name(parts[4])


def _name(part: str) -> str:
    """A part of a CPE name as words: its escapes removed, underscores as spaces."""
    return "" if part in _NO_PART else clean(part.replace("\0", ":").replace("\\", "").replace("_", " "))
