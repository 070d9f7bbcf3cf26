"""Rows that every reader produces: entities, links between them, and passages for retrieval."""

from typing import Any

import msgspec


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """One published object. Text is clean prose: no citations, markup or link syntax."""

    id: str  # `attack:T1059.001`, `cwe:CWE-79`, `capec:CAPEC-66`, `cve:CVE-2021-44228`, `sigma:<uuid>`, `d3fend:D3-...`, `nist:AC-2`, `check:<provider>/<id>`
    type: str  # technique, tactic, mitigation, group, malware, tool, campaign, data-component, detection-strategy, weakness, attack-pattern, vulnerability, sigma-rule, defensive-technique, control, cloud-check, weakness-category, weakness-view, digital-artifact, control-r4, ...
    name: str
    text: str
    fields: dict[str, Any]  # what only this type has: platforms, consequences, severity, author, ...
    source: str  # name of the source declaration in params
    version: str  # version of the source
    uri: str  # where a person reads it
    licence: str  # SPDX id or the terms' name
    published: str = ""  # ISO date, empty if the source states none
    deprecated: bool = False
    revoked_by: str = ""  # id of the successor of a revoked entity


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A typed, directed statement of a source about two entities."""

    subject: str
    relation: str  # subtechnique-of, achieves, mitigates, not-preventable, uses, detects, counters, child-of, can-precede, exploits, corresponds-to, instance-of, related-to, covers, satisfies, member-of, acts-on, affects, succeeded-by, ...
    object: str
    text: str  # the source's sentence about this pair (a procedure, an observed example), or empty
    source: str
    licence: str


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of an entity's text that retrieval can return; its id leads back to the entity."""

    id: str  # `<entity id>#<section>`
    entity_id: str
    title: str
    text: str
    source: str
    version: str
    uri: str
    licence: str
