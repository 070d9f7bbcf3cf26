"""CAPEC attack patterns as the threat library of pytm carries them.

Files: `threats`. The library's own ids are not CAPEC's: the first CAPEC page among the references is. Threats
without one (the library's own) are rejects.
"""

import re

import msgspec

from stages.errors import InputError
from stages.ingest.records import Records, SourceFiles
from stages.ingest.schema import Entity
from stages.ingest.text import clean, split_glued_items, split_glued_sentences

_CAPEC = re.compile(r"capec\.mitre\.org/data/definitions/([0-9]{1,6})(?![0-9])")
_CWE = re.compile(r"cwe\.mitre\.org/data/definitions/([0-9]{1,6})(?![0-9])")
_CVE = re.compile(r"\bCVE-\d{4}-\d{4,}\b")
_LISTS = ("prerequisites", "mitigations")
_SECTIONS = {"prerequisites": "Prerequisites", "mitigations": "Mitigations", "example": "Example"}


class Threat(msgspec.Struct):
    """One threat of the library."""

    sid: str = msgspec.field(name="SID")
    name: str = msgspec.field(name="description")
    details: str
    references: str
    severity: str = ""
    likelihood: str = msgspec.field(name="Likelihood Of Attack", default="")
    prerequisites: str = ""
    mitigations: str = ""
    example: str = ""
    deprecated: bool | str = msgspec.field(name="DEPRECATED", default=False)


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with attack patterns, the weaknesses they exploit, and passages."""
    try:
        raws = msgspec.json.decode(files.read("threats"), type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{files.where('threats')} is not a list of threats: {error}",
            allowed="the threat library of pytm 1.x",
            remedy="Pin that version.",
        ) from error
    for threat in records.convert(raws, Threat):
        _add(threat, records)


def _add(threat: Threat, records: Records) -> None:
    match = _CAPEC.search(threat.references)
    details = clean(split_glued_sentences(threat.details))
    if match is None or not details:
        records.reject(f"{threat.sid} {threat.name}", "no-capec-id" if match is None else "empty-text")
        return
    split = {key: split_glued_items if key in _LISTS else split_glued_sentences for key in _SECTIONS}
    sections = {key: clean(split[key](getattr(threat, key))) for key in _SECTIONS}
    weaknesses = sorted({f"CWE-{number}" for number in _CWE.findall(threat.references)}, key=lambda key: int(key[4:]))
    entity = records.entity(
        f"capec:CAPEC-{match.group(1)}",
        "attack-pattern",
        clean(threat.name),
        details,
        f"https://capec.mitre.org/data/definitions/{match.group(1)}.html",
        sections | {"severity": threat.severity, "likelihood": threat.likelihood, "cwe": weaknesses},
        deprecated=str(threat.deprecated).lower() == "true",
    )
    _add_links(entity, threat, weaknesses, records)
    records.passage(entity, "description", details)
    for key, title in _SECTIONS.items():
        records.passage(entity, key, sections[key], f"{title} of {entity.id.split(':')[1]} {entity.name}")


def _add_links(entity: Entity, threat: Threat, weaknesses: list[str], records: Records) -> None:
    for weakness in weaknesses:
        records.link(entity.id, "exploits", f"cwe:{weakness}")
    for cve in sorted(set(_CVE.findall(threat.references))):
        records.link(entity.id, "related-to", f"cve:{cve}")
