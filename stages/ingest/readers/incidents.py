"""Vulnerabilities named by an incident data set.

Files: `incidents`. Only records about exactly one CVE give a text: a text about several says nothing certain about
one. Texts that the data set cut at 280 characters keep their whole sentences and are marked. Labels it made by
rule (ATLAS, OWASP) are not read: they are no facts. Licences differ by record.
"""

import re
from typing import Any

import msgspec

from stages.errors import InputError
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean, whole_sentences

SUPPORTED = "2"
_CVE = re.compile(r"^CVE-\d{4}-\d{4,}$")
_FAULT = re.compile(  # a text that was cut may have kept only the sentence that praises the product
    r"vulnerab|allow|attack|bypass|overflow|inject|execut|disclos|expos|denial|crash|leak|authori[sz]|authentic|improper|fail|missing"
    r"|n[o']t\b|without|travers|forge|escalat|arbitrary|malicious|craft|unsafe|incorrect|insecure|exploit|flaw|weakness|issue|lack|bug",
    re.IGNORECASE,
)
_NAMES_A_CVE = re.compile(r"\bCVE-\d{4}-\d{4,}\b")


class Incident(msgspec.Struct):
    """One record."""

    id: str
    title: str
    description: str
    cve_ids: list[str]
    date: str = ""
    severity: str = ""
    affected: str = ""
    primary_reference: str = ""
    status: str = ""
    content_license: dict[str, Any] | None = None


class Incidents(msgspec.Struct):
    """The file."""

    version: str
    incidents: list[msgspec.Raw]


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with one vulnerability per CVE that a record is about."""
    document = files.decode("incidents", Incidents)
    files.check_version("incidents", document.version, SUPPORTED)
    if not document.incidents:
        raise InputError(f"{files.where('incidents')} holds no incidents.", remedy="Pin a whole file.")
    for incident in records.convert(document.incidents, Incident):
        reason = _reason_to_drop(incident)
        if reason:
            records.reject(f"{incident.id} {incident.title}", reason)
        else:
            _add(incident, files, records)


def _reason_to_drop(incident: Incident) -> str:
    if not incident.cve_ids:
        return "no-cve-id"
    if incident.status in ("retracted", "disputed"):
        return incident.status
    if len(incident.cve_ids) > 1:
        return "several-cves"
    return "" if _CVE.match(incident.cve_ids[0]) else "broken-record"


def _reason_to_drop_text(text: str, cut: bool, cve: str) -> str:
    if not text:
        return "cut-before-first-sentence"
    if set(_NAMES_A_CVE.findall(text)) - {cve}:
        return "text-names-other-cves"
    if text.startswith("_"):
        return "unfilled-template"
    return "cut-before-the-fault" if cut and not _FAULT.search(text) else ""


def _add(incident: Incident, files: SourceFiles, records: Records) -> None:
    cve = incident.cve_ids[0]
    text, cut = whole_sentences(incident.description, markdown=True)
    reason = _reason_to_drop_text(text, cut, cve)
    if reason:
        records.reject(f"{incident.id} {incident.title}", reason, text)
        return
    licence = str((incident.content_license or {}).get("license") or files.source.licence)
    entity = records.entity(
        f"cve:{cve}",
        "vulnerability",
        cve,
        text,
        f"https://www.cve.org/CVERecord?id={cve}",
        {
            "title": clean(incident.title, markdown=True),
            "severity": incident.severity,
            "affected": clean(incident.affected),
            "reference": incident.primary_reference,
            "incident": incident.id,
            "year": int(cve.split("-")[1]),
            "text_cut": cut or None,
        },
        licence=licence,
    )
    records.passage(entity, "report", text, f"{cve} {entity.fields.get('title', '')}".strip())
