"""Sigma rules without their detection logic, as the MISP galaxy carries them.

Files: `rules`. The rules are under the Detection Rule License 1.1, which asks that the author stays named: the
author is in every record.
"""

from typing import Any

import msgspec

from stages.ingest.galaxy import read_cluster
from stages.ingest.records import Records, SourceFiles
from stages.ingest.sigma_tags import cves, tactics, techniques
from stages.ingest.text import clean

_NONE = "No established "
_PAGE = "https://github.com/SigmaHQ/sigma/"


class RuleMeta(msgspec.Struct):
    """What a rule says of itself; some rules give a list as one string."""

    author: str = ""
    creation_date: str = ""
    level: str = ""
    filename: str = ""
    category: str = msgspec.field(name="logsource.category", default="")
    product: str = msgspec.field(name="logsource.product", default="")
    falsepositive: list[str] | str = []
    refs: list[str] = []
    tags: list[str] | str = []


class Rule(msgspec.Struct):
    """One rule."""

    uuid: str
    value: str
    description: str
    meta: RuleMeta


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with rules, the techniques and vulnerabilities they detect, and passages."""
    for rule in records.convert(read_cluster(files, "rules", "sigma-rules"), Rule):
        text = clean(rule.description, markdown=True)
        if not text:
            records.reject(f"{rule.uuid} {rule.value}", "empty-text")
            continue
        _add(rule, text, records)


def _add(rule: Rule, text: str, records: Records) -> None:
    tags = _listed(rule.meta.tags)
    page = next((ref for ref in rule.meta.refs if ref.startswith(_PAGE)), _PAGE)
    fields: dict[str, Any] = {
        "author": rule.meta.author.strip(),
        "level": rule.meta.level,
        "category": "" if rule.meta.category.startswith(_NONE) else rule.meta.category,
        "product": "" if rule.meta.product.startswith(_NONE) else rule.meta.product,
        "falsepositives": [found for item in _listed(rule.meta.falsepositive) if (found := clean(item, markdown=True))],
        "references": [ref for ref in rule.meta.refs if ref != page],
        "tactics": tactics(tags),
        "techniques": techniques(tags),
        "cves": cves(tags),
        "filename": rule.meta.filename,
    }
    entity = records.entity(
        f"sigma:{rule.uuid}",
        "sigma-rule",
        clean(rule.value, markdown=True),
        text,
        page,
        fields,
        published=rule.meta.creation_date,
    )
    for technique in techniques(tags):
        records.link(entity.id, "detects", f"attack:{technique}")
    for cve in cves(tags):
        records.link(entity.id, "related-to", f"cve:{cve}")
    notes = "; ".join(fields["falsepositives"])
    records.passage(
        entity, "description", f"{text}\nKnown false positives: {notes}." if notes else text, f"Sigma rule: {entity.name}"
    )


def _listed(value: list[str] | str) -> list[str]:
    return [value] if isinstance(value, str) else value
