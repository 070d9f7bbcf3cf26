"""Cloud configuration checks of Prowler with risk and remediation, and their maps to ATT&CK and NIST 800-53.

Files: `checks` (the folder with `*.metadata.json`), `attack_maps` and `control_maps` (folders of
compliance files, of which those named `mitre_attack_*` and `nist_800_53_revision_5_*` are read).
"""

import re
from typing import Any

import msgspec

from stages.errors import InputError
from stages.ingest.containers import Member
from stages.ingest.records import Records, SourceFiles
from stages.ingest.schema import Entity
from stages.ingest.text import clean

_CONTROL = re.compile(r"^([A-Z]{2}-\d{1,2}(?:\(\d{1,2}\))?)")
_TECHNIQUE = re.compile(r"^T\d{4}(?:\.\d{3})?$")


class Recommendation(msgspec.Struct):
    """Advice in prose."""

    text: str = msgspec.field(name="Text", default="")


class Remediation(msgspec.Struct):
    """Advice and code by tool."""

    code: dict[str, str] = msgspec.field(name="Code", default_factory=dict)
    recommendation: Recommendation = msgspec.field(name="Recommendation", default_factory=Recommendation)


class Check(msgspec.Struct, rename="pascal"):
    """One check."""

    provider: str
    check_id: str = msgspec.field(name="CheckID")
    check_title: str
    severity: str
    description: str
    risk: str = ""
    service_name: str = ""
    resource_type: str = ""
    categories: list[str] = []
    remediation: Remediation = msgspec.field(default_factory=Remediation)


class Requirement(msgspec.Struct, rename="pascal"):
    """One requirement of a compliance file."""

    id: str
    name: str = ""
    checks: list[str] = []


class Framework(msgspec.Struct, rename="pascal"):
    """A compliance file."""

    provider: str
    requirements: list[Requirement]


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with checks, what they cover and satisfy, and passages."""
    contents = files.members("checks", "*.metadata.json")
    if not contents:
        raise InputError(f"{files.where('checks')} holds no *.metadata.json.", remedy="Pin the version that the reader knows.")
    known = {}
    for name, content in sorted(contents.items()):
        check = records.decode_json(Member(name, content), Check)
        if check is None:
            continue
        text = clean(check.description, markdown=True)
        if text:
            known[(check.provider, check.check_id)] = _add(check, text, records)
        else:
            records.reject(f"{check.provider}/{check.check_id}", "empty-text")
    _add_links(_frameworks(files, "attack_maps", "*mitre_attack_*.json"), "covers", known, records)
    _add_links(_frameworks(files, "control_maps", "*nist_800_53_revision_5_*.json"), "satisfies", known, records)


def _add(check: Check, text: str, records: Records) -> Entity:
    advice = clean(check.remediation.recommendation.text, markdown=True)
    risk = clean(check.risk, markdown=True)
    code = {tool.lower(): snippet.strip() for tool, snippet in check.remediation.code.items() if snippet.strip()}
    entity = records.entity(
        f"check:{check.provider}/{check.check_id}",
        "cloud-check",
        clean(check.check_title, markdown=True),
        text,
        f"https://hub.prowler.com/check/{check.check_id}",
        {
            "provider": check.provider,
            "service": check.service_name,
            "resource_type": check.resource_type,
            "severity": check.severity.lower(),
            "categories": check.categories,
            "risk": risk,
            "remediation": advice,
            "code": code,
        },
    )
    records.passage(entity, "description", text, f"{check.provider} check: {entity.name}")
    records.passage(entity, "risk", risk, f"Risk without: {entity.name}")
    records.passage(entity, "remediation", advice, f"Remediation: {entity.name}")
    return entity


def _frameworks(files: SourceFiles, role: str, pattern: str) -> list[Framework]:
    found = []
    for name, content in files.members(role, pattern).items():
        try:
            found.append(msgspec.json.decode(content, type=Framework))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            where = f"{files.where(role)}, {name}"
            raise InputError(f"{where}: {error}", allowed="a Prowler compliance file", remedy="Pin Prowler 5.x.") from error
    return found


def _add_links(frameworks: list[Framework], relation: str, known: dict[Any, Entity], records: Records) -> None:
    """A check covers a technique or satisfies a control where a compliance file lists it under one."""
    for framework in frameworks:
        for requirement in framework.requirements:
            target = _target(requirement, relation)
            for check in requirement.checks:
                entity = known.get((framework.provider.lower(), check))
                if target and entity is not None:
                    records.link(entity.id, relation, target)
                else:
                    reason = "unresolved-id" if target else "unreadable-requirement"
                    records.reject(f"{framework.provider}/{check} {requirement.id}", reason, requirement.name)


def _target(requirement: Requirement, relation: str) -> str:
    if relation == "covers":
        return f"attack:{requirement.id}" if _TECHNIQUE.match(requirement.id) else ""
    match = _CONTROL.match(requirement.name)
    return f"nist:{match.group(1)}" if match else ""
