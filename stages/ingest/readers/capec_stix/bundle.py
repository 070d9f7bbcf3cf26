"""MITRE CAPEC as the STIX bundle that MITRE publishes (`stix-capec.json`).

Files: `bundle`. Deprecated patterns are read and marked; the one obsolete pattern counts as active, as in CAPEC's own
figures; the two without a text are stubs. A weakness that a pattern names twice is two links here and one in the graph.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec

from stages.errors import InputError
from stages.ingest.readers.capec_stix import fields as capec_fields
from stages.ingest.readers.capec_stix.layout import Bundle, Kind, Measure, Pattern, Relationship
from stages.ingest.readers.capec_stix.markup import prose
from stages.ingest.records import Records, SourceFiles
from stages.ingest.schema import Entity

SUPPORTED = "3"
_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")
_CVE = re.compile(r"\bCVE-\d{4}-\d{4,}\b")
_SECTIONS = {"prerequisites": "Prerequisites", "mitigations": "Mitigations", "example": "Example"}


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with attack patterns, what they exploit and correspond to, and passages."""
    raws = _by_type(files.decode("bundle", Bundle), records)
    patterns = {pattern.id: pattern for pattern in records.convert(raws.get("attack-pattern", []), Pattern)}
    if not patterns:
        raise InputError(f"{files.where('bundle')} holds no attack pattern.", remedy="Pin a whole CAPEC bundle.")
    files.check_version("bundle", next(iter(patterns.values())).version, SUPPORTED)
    measures = _measures(raws, records)
    for pattern in patterns.values():
        entity = _add(pattern, measures.get(pattern.id, []), records)
        if entity:
            _add_links(entity, pattern, records)
    _add_relations(patterns, records)


def _by_type(bundle: Bundle, records: Records) -> dict[str, list[msgspec.Raw]]:
    raws: dict[str, list[msgspec.Raw]] = {}
    for number, raw in enumerate(bundle.objects):
        try:
            raws.setdefault(msgspec.json.decode(raw, type=Kind).type, []).append(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            records.reject(f"object {number}", "broken-record", str(error))
    return raws


def _measures(raws: dict[str, list[msgspec.Raw]], records: Records) -> dict[str, list[str]]:
    """Mitigations by STIX id of the pattern, in the order of their numbers."""
    measures = {measure.id: measure for measure in records.convert(raws.get("course-of-action", []), Measure)}
    found: dict[str, list[Measure]] = {}
    for relation in records.convert(raws.get("relationship", []), Relationship):
        if relation.relationship_type != "mitigates":
            continue
        if relation.source_ref in measures:
            found.setdefault(relation.target_ref, []).append(measures[relation.source_ref])
        else:
            records.reject(f"{relation.source_ref} mitigates {relation.target_ref}", "unresolved-id", "no such course of action")
    return {pattern: _ordered(own) for pattern, own in found.items()}


def _ordered(measures: Iterable[Measure]) -> list[str]:
    ordered = sorted(measures, key=lambda measure: ([int(part) for part in re.findall(r"\d{1,9}", measure.name)], measure.id))
    return [text for measure in ordered if (text := prose(measure.description))]


def _add(pattern: Pattern, mitigations: list[str], records: Records) -> Entity | None:
    description, extended = prose(pattern.description), prose(pattern.extended_description)
    if not pattern.key:
        records.reject(f"{pattern.id} {pattern.name}", "no-capec-id")
        return None
    try:
        fields = capec_fields.fields(pattern, mitigations)
    except ValueError as error:
        records.reject(f"{pattern.key} {pattern.name}", "broken-record", str(error))
        return None
    entity = records.entity(
        f"capec:{pattern.key}",
        "attack-pattern",
        prose(pattern.name),
        f"{description}\n{extended}".strip(),
        f"https://capec.mitre.org/data/definitions/{pattern.key[6:]}.html",
        fields | {"description": description, "extended": extended, "stub": not description or None},
        deprecated=pattern.status == "Deprecated",
    )
    _add_passages(entity, records)
    return entity


def _add_passages(entity: Entity, records: Records) -> None:
    if entity.deprecated:
        return
    label = f"{entity.id.split(':')[1]} {entity.name}"
    records.passage(entity, "description", entity.text)
    for key, title in _SECTIONS.items():
        records.passage(entity, key, entity.fields.get(key, ""), f"{title} of {label}")
    flow = "\n".join(capec_fields.line(step) for step in entity.fields.get("execution_flow", []))
    records.passage(entity, "flow", flow, f"Execution flow of {label}")


def _add_links(entity: Entity, pattern: Pattern, records: Records) -> None:
    for one in pattern.external_references:
        if one.source_name == "cwe" and capec_fields.CWE.fullmatch(one.external_id):
            records.link(entity.id, "exploits", f"cwe:{one.external_id}")
        elif one.source_name == "ATTACK" and _TECHNIQUE.fullmatch(one.external_id):
            records.link(f"attack:{one.external_id}", "corresponds-to", entity.id)
        elif one.source_name in ("cwe", "ATTACK"):
            records.reject(f"{entity.id} {one.source_name} {one.external_id}", "broken-reference")
    for cve in sorted(set(_CVE.findall(entity.fields.get("example", "")))):
        records.link(entity.id, "related-to", f"cve:{cve}")


def _add_relations(patterns: dict[str, Pattern], records: Records) -> None:
    """The hierarchy, the chains (stated from either end) and the peers, once each."""
    for subject, relation, object in sorted(set(_stated(patterns, records))):
        records.link(f"capec:{subject}", relation, f"capec:{object}")


def _stated(patterns: dict[str, Pattern], records: Records) -> Iterator[tuple[str, str, str]]:
    for pattern in patterns.values():
        related = {"child-of": pattern.child_of_refs, "can-precede": pattern.can_precede_refs}
        for relation, refs in (related | {"follows": pattern.can_follow_refs, "related-to": pattern.peer_of_refs}).items():
            for ref in refs:
                other = patterns[ref].key if ref in patterns else ""
                if not pattern.key or not other:
                    records.reject(f"{pattern.key or pattern.id} {relation} {ref}", "unresolved-id")
                elif relation == "follows":
                    yield other, "can-precede", pattern.key
                else:
                    yield pattern.key, relation, other
