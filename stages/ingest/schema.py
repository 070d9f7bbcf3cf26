"""Rows that every reader produces: entities, links between them, and passages for retrieval.

Entity types, by the namespace of their ids:
    attack       technique, tactic, mitigation, group, malware, tool, campaign, asset, analytic, data-component, detection-strategy
    atlas        ai-technique, ai-tactic, ai-mitigation, case-study
    capec        attack-pattern
    car          analytic
    check        cloud-check
    csaf         advisory
    ctid         security-capability, incident-classification
    cve          vulnerability
    cwe          weakness, weakness-category, weakness-view
    d3fend       defensive-technique, digital-artifact
    flow         attack-flow
    misp-actor   threat-actor
    nist         control (nist-r4: control-r4)
    owasp-*      guide (cheatsheet, top10), risk-category (top10); wstg: security-test, guide; asvs: verification-requirement
    sigma        sigma-rule; splunk: splunk-detection
    tram         report-sentence
    ticket, report   the user's own, of the type of that name

Relations, subject first; `corresponds-to` and `related-to` join more types than these:
    ATT&CK, ATLAS      achieves, subtechnique-of, uses, attributed-to, targets (-> asset), mitigates, not-preventable
    detection          detects, observes (-> data-component), part-of (analytic -> detection-strategy)
    defence            counters, acts-on and affects (-> digital-artifact), responds-to, covers, satisfies (cloud-check -> control)
    weaknesses         instance-of (vulnerability ->), exploits (attack-pattern ->), can-precede, member-of, includes, verifies, shows
    vulnerabilities    exploitation-technique, primary-impact, secondary-impact (-> technique), reports (advisory, ticket ->)
    texts              describes (report-sentence, report -> technique)
    any                child-of, corresponds-to, related-to, same-as (threat-actor -> group), succeeded-by (control-r4 -> control)
"""

from typing import Any

import msgspec


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """One published object. Text is clean prose: no citations, markup or link syntax."""

    id: str  # `attack:T1059.001`, `cwe:CWE-79`, `capec:CAPEC-66`, `cve:CVE-2021-44228`, `sigma:<uuid>`, `d3fend:D3-...`, `nist:AC-2`, `check:<provider>/<id>`, ...
    type: str  # as listed above
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
    relation: str  # as listed above
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
