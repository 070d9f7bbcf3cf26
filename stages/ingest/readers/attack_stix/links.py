"""Links of an ATT&CK bundle: relationships with their texts, tactics, and what analytics look at."""

from collections.abc import Iterator

from stages.ingest.readers.attack.links import not_preventable_patterns, relation_of
from stages.ingest.readers.attack.lookup import Relationship
from stages.ingest.readers.attack_stix.bundle import Bundle, Item
from stages.ingest.records import Records
from stages.ingest.text import clean

_KEPT = ("uses", "mitigates", "detects", "subtechnique-of", "attributed-to", "targets")
_STATUS = ("revoked-by",)  # of an entity, no link
_NO_MITIGATION = "attack:M0816"  # the ICS domain lists "limited or not effective" as if it were a mitigation


def current(bundle: Bundle, relation: str) -> Iterator[Item]:
    """The relationships of one kind that are neither revoked nor deprecated."""
    return (item for item in bundle.relationships if item.relationship_type == relation and not item.withdrawn)


def add_links(bundle: Bundle, ids: dict[str, str], records: Records) -> None:
    """All links of the bundle; what names an unknown object or relation is a reject."""
    _add_relationships(bundle, ids, records)
    _add_tactics(bundle, ids, records)
    _add_detection(bundle, ids, records)
    for stix_id, id in ids.items():
        for reference in bundle.objects[stix_id].external_references:
            if reference.source_name == "capec" and reference.external_id:
                records.link(id, "corresponds-to", f"capec:{reference.external_id}")


def _add_relationships(bundle: Bundle, ids: dict[str, str], records: Records) -> None:
    patterns = not_preventable_patterns()
    for item in bundle.relationships:
        subject, object = ids.get(item.source_ref, ""), ids.get(item.target_ref, "")
        reason = _reason_to_drop(item, subject, object)
        if reason:
            ends = f"{item.source_ref} {item.relationship_type} {item.target_ref}"
            records.reject(item.id, reason, ends)
        elif item.relationship_type in _KEPT:
            stated = Relationship(item.relationship_type, item.source_ref, item.target_ref, item.description)
            relation = "not-preventable" if subject == _NO_MITIGATION else relation_of(stated, patterns)
            records.link(subject, relation, object, clean(item.description, markdown=True))


def _reason_to_drop(item: Item, subject: str, object: str) -> str:
    if not (item.relationship_type and item.source_ref and item.target_ref):
        return "broken-record"
    if item.withdrawn:
        return "withdrawn"
    if item.relationship_type not in _KEPT + _STATUS:
        return "unknown-relation"
    return "" if subject and object else "unresolved-id"


def _add_tactics(bundle: Bundle, ids: dict[str, str], records: Records) -> None:
    """A current tactic wins over a withdrawn one of the same short name."""
    known = sorted((item for item in bundle.objects.values() if item.mitre_shortname), key=lambda item: not item.withdrawn)
    tactics = {item.mitre_shortname: ids[item.id] for item in known if item.id in ids}
    for stix_id, id in ids.items():
        item = bundle.objects[stix_id]
        for phase in item.kill_chain_phases if not item.revoked else []:
            if phase.phase_name in tactics:
                records.link(id, "achieves", tactics[phase.phase_name])
            else:
                records.reject(f"{id} {item.name}", "unknown-tactic", phase.phase_name)


def _add_detection(bundle: Bundle, ids: dict[str, str], records: Records) -> None:
    """Which analytics a strategy has, which data components both look at, and so which of these detect its technique.

    Before v18 the release stated the last itself; three of four of those statements are found this way in v18.
    """
    detected: dict[str, list[str]] = {}
    for relationship in current(bundle, "detects"):
        if relationship.target_ref in ids:
            detected.setdefault(relationship.source_ref, []).append(ids[relationship.target_ref])
    for stix_id, id in ids.items():
        item = bundle.objects[stix_id]
        analytics = [ref for ref in item.mitre_analytic_refs if ref in ids]
        for ref in analytics:
            records.link(ids[ref], "part-of", id)
        for component in sorted({c for ref in [stix_id, *analytics] for c in _components(bundle.objects[ref], ids)}):
            records.link(id, "observes", component)
            for technique in detected.get(stix_id, []) if analytics else []:
                records.link(component, "detects", technique)


def _components(item: Item, ids: dict[str, str]) -> set[str]:
    return {ids[log.component] for log in item.mitre_log_source_references if log.component in ids}
