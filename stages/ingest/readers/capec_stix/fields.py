"""What tasks ask of an attack pattern beside its description, as plain data."""

import re
from typing import Any

from stages.ingest.readers.capec_stix.layout import Pattern
from stages.ingest.readers.capec_stix.markup import prose, steps

CWE = re.compile(r"CWE-[0-9]{1,6}")
_TAXONOMIES = {"ATTACK": "ATT&CK", "WASC": "WASC", "OWASP Attacks": "OWASP Attacks"}
_NOTE = re.compile(r"^([^(]+?)\s*\((.+)\)$", re.DOTALL)  # `Execute Unauthorized Commands (Run Arbitrary Code)`
_STOP = (".", "!", "?", ":", ";", '"', "'", ")", ",")


def fields(pattern: Pattern, mitigations: list[str]) -> dict[str, Any]:
    """Everything but description and links. Raises ValueError for an execution flow that is none."""
    return {
        "abstraction": pattern.abstraction,
        "status": pattern.status,
        "alternate_terms": [term for one in pattern.alternate_terms if (term := prose(one))],
        "domains": sorted(pattern.domains),
        "severity": pattern.typical_severity,
        "likelihood": pattern.likelihood_of_attack,
        "prerequisites": _joined(pattern.prerequisites),
        "mitigations": "\n".join(map(_sentence, mitigations)),
        "example": _joined(pattern.example_instances),
        "skills": [_skill(level, text) for level, text in pattern.skills_required.items()],
        "resources": [text for one in pattern.resources_required if (text := prose(one))],
        "consequences": consequences(pattern.consequences),
        "execution_flow": steps(pattern.execution_flow),
        "taxonomies": [found for one in pattern.external_references if (found := _taxonomy(one))],
        "cwe": sorted(set(weaknesses(pattern)), key=lambda key: int(key[4:])),
    }


def weaknesses(pattern: Pattern) -> list[str]:
    """`CWE-<n>` of every reference to a weakness, as often as it stands there."""
    return [one.external_id for one in pattern.external_references if one.source_name == "cwe" and CWE.fullmatch(one.external_id)]


def consequences(by_scope: dict[str, list[str]]) -> list[dict[str, Any]]:
    """What stands by scope in the bundle, put together by impact and note: {scopes, impacts, note}."""
    scopes: dict[str, list[str]] = {}
    for scope, impacts in by_scope.items():
        for impact in impacts:
            scopes.setdefault(impact, []).append(scope.replace("_", " "))
    grouped: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for impact, own in scopes.items():
        name, note = match.groups() if (match := _NOTE.match(impact)) else (impact, "")
        grouped.setdefault((tuple(sorted(set(own))), prose(note)), []).append(prose(name))
    return [
        {"scopes": list(own), "impacts": impacts} | ({"note": note} if note else {}) for (own, note), impacts in grouped.items()
    ]


def line(step: dict[str, Any]) -> str:
    """One step of the flow as a line."""
    head = ": ".join(part for part in (step.get("phase", ""), step.get("name", "")) if part)
    return f"{step['step']}. {head}. {step.get('description', '')}".strip()


def _joined(items: list[str]) -> str:
    return "\n".join(_sentence(text) for one in items if (text := prose(one)))


def _sentence(text: str) -> str:
    """Items are lines, each a sentence: some of the source's lack the full stop."""
    return text if text.endswith(_STOP) else f"{text}."


def _skill(level: str, text: str) -> dict[str, str]:
    description = prose(text)
    return {"level": level} | ({"description": description} if description else {})


def _taxonomy(reference: Any) -> dict[str, str]:
    if reference.source_name not in _TAXONOMIES:
        return {}
    values = {"taxonomy": _TAXONOMIES[reference.source_name], "id": reference.external_id, "name": prose(reference.description)}
    return {key: value for key, value in values.items() if value}
