"""Detections of Splunk's security content: one YAML file per detection, with its search.

Files: `detections` (an archive; the files below a folder `detections/` unless `member` names a pattern).
"""

import re
from typing import Any

import msgspec

from stages.ingest.containers import Member
from stages.ingest.records import Records, SourceFiles
from stages.ingest.sigma_rule import iso_date
from stages.ingest.text import clean

PATTERN = "*detections/*.yml"
_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?")
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_RETIRED = ("deprecated", "removed")


class Tags(msgspec.Struct):
    """Where a detection belongs."""

    asset_type: str = ""
    security_domain: str = ""
    risk_score: float | None = None
    analytic_story: list[str] = []
    product: list[str] = []
    mitre_attack_id: list[str] = []
    cve: list[str] = []


class Detection(msgspec.Struct):
    """One detection."""

    name: str
    id: str
    description: str
    search: str
    tags: Tags
    author: str = ""
    type: str = ""
    status: str = ""
    date: Any = ""
    how_to_implement: str = ""
    known_false_positives: str = ""
    data_source: list[str] = []
    references: list[str] = []


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with detections, the techniques they detect, the vulnerabilities they are about, and passages."""
    seen: set[str] = set()
    for member in files.each("detections", records, PATTERN):
        detection = records.decode_yaml(member, Detection)
        if detection is None:
            continue
        text = clean(detection.description, markdown=True)
        if not text or not detection.id or detection.id in seen:
            reason = "empty-text" if not text else "duplicate-id" if detection.id else "no-id"
            records.reject(f"{member.name} {detection.id} {detection.name}", reason)
            continue
        seen.add(detection.id)
        _add(detection, text, member, records)


def _add(detection: Detection, text: str, member: Member, records: Records) -> None:
    tags = detection.tags
    notes = clean(detection.known_false_positives, markdown=True)
    how = clean(detection.how_to_implement, markdown=True)
    folder = member.name.split("detections/")[-1].split("/")[0]
    entity = records.entity(
        f"splunk:{detection.id}",
        "splunk-detection",
        clean(detection.name),
        text,
        f"https://research.splunk.com/{folder}/{detection.id}/",
        {
            "author": detection.author.strip(),
            "kind": detection.type,
            "status": detection.status,
            "search": detection.search.strip(),
            "how_to_implement": how,
            "falsepositives": [notes] if notes else [],
            "data_sources": detection.data_source,
            "analytic_story": tags.analytic_story,
            "risk_score": tags.risk_score,
            "asset_type": tags.asset_type,
            "security_domain": tags.security_domain,
            "product": tags.product,
            "references": detection.references,
            "techniques": sorted({one for one in tags.mitre_attack_id if _TECHNIQUE.fullmatch(one)}),
            "cves": sorted({one for one in tags.cve if _CVE.fullmatch(one)}),
        },
        published=iso_date(detection.date),
        deprecated=detection.status in _RETIRED or folder == "deprecated",
    )
    for technique in entity.fields.get("techniques", []):
        records.link(entity.id, "detects", f"attack:{technique}")
    for cve in entity.fields.get("cves", []):
        records.link(entity.id, "related-to", f"cve:{cve}")
    title = f"Splunk detection: {entity.name}"
    records.passage(entity, "description", text, title)
    records.passage(entity, "implementation", "\n".join(part for part in (how, notes) if part), title)
