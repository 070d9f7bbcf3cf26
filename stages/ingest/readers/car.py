"""Analytics of the MITRE Cyber Analytics Repository, without their code.

Files: `analytics` (an archive of YAML files, one an analytic). An analytic that names sub-techniques covers these;
of a coverage without them it covers the technique.
"""

import re
from typing import Any

import msgspec

from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean

PATTERN = "*analytics/CAR-*.yaml"
_ID = re.compile(r"CAR-\d{4}-\d{2}-\d{3}")
_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?")
_LINK = re.compile(r"\[([^\[\]]+)\]\((?:\.\./)*CAR-[\d-]+/?\)")  # to another analytic
_NONE = "N/A"


class Coverage(msgspec.Struct):
    """How well a technique is covered: Low, Moderate (also called Medium) or High."""

    technique: str
    coverage: str = ""
    tactics: list[str] = []
    subtechniques: list[str] = []


class Defence(msgspec.Struct):
    """The D3FEND technique that the analytic is an instance of."""

    id: str
    label: str = ""


class Analytic(msgspec.Struct):
    """One file."""

    id: str
    title: str
    description: str
    submission_date: str = ""
    information_domain: str = ""
    platforms: list[str] = []
    subtypes: list[str] = []
    analytic_types: list[str] = []
    contributors: list[str] = []
    coverage: list[Coverage] = []
    data_model_references: list[str] = []
    d3fend_mappings: list[Defence] = []


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with analytics, the techniques they detect, the defences they are, and passages."""
    for member in files.each("analytics", records, PATTERN):
        analytic = records.decode_yaml(member, Analytic)
        if analytic is None:
            continue
        text = clean(_LINK.sub(r"\1", analytic.description), markdown=True)
        if not _ID.fullmatch(analytic.id) or not text:
            records.reject(member.name, "empty-text" if _ID.fullmatch(analytic.id) else "no-id", analytic.id)
        else:
            _add(analytic, text, records)


def _add(analytic: Analytic, text: str, records: Records) -> None:
    entity = records.entity(
        f"car:{analytic.id}",
        "analytic",
        clean(analytic.title, markdown=True),
        text,
        f"https://car.mitre.org/analytics/{analytic.id}/",
        _fields(analytic),
        published=analytic.submission_date.replace("/", "-"),
    )
    for technique in sorted({id for covered in analytic.coverage for id in covered.subtechniques or [covered.technique]}):
        if _TECHNIQUE.fullmatch(technique):
            records.link(entity.id, "detects", f"attack:{technique}")
        else:
            records.reject(f"{entity.id} {technique}", "no-technique-id")
    for id in sorted({defence.id for defence in analytic.d3fend_mappings if defence.id}):
        records.link(entity.id, "corresponds-to", f"d3fend:{id}")
    records.passage(entity, "description", text, f"Analytic: {entity.name}")


def _fields(analytic: Analytic) -> dict[str, Any]:
    return {
        "coverage": [
            {"technique": c.technique, "subtechniques": c.subtechniques, "tactics": c.tactics, "level": c.coverage}
            for c in analytic.coverage
        ],
        "platforms": [platform for platform in analytic.platforms if platform != _NONE],
        "subtypes": analytic.subtypes,
        "information_domain": [part.strip() for part in analytic.information_domain.split(",") if part.strip()],
        "analytic_types": analytic.analytic_types,
        "data_model": analytic.data_model_references,
        "contributors": analytic.contributors,
    }
