"""Links of ATT&CK: those of the current release from the lookup, those of other domains from the galaxy."""

import re
from pathlib import Path

from stages.ingest.galaxy import Value
from stages.ingest.readers.attack.lookup import Lookup, Relationship
from stages.ingest.records import Records
from stages.ingest.text import clean, whole_sentences

_KEPT = ("uses", "mitigates", "detects", "subtechnique-of", "attributed-to")


def add_lookup_links(lookup: Lookup, ids: dict[str, str], records: Records) -> None:
    """Relationships of the release; texts as `link_text` has them, `not-preventable` as `relation_of` finds it."""
    patterns = not_preventable_patterns()
    for relationship in lookup.relationships:
        if relationship.relationship_type not in _KEPT or relationship.revoked or relationship.deprecated:
            continue
        subject, object = (ids.get(ref.split("--", 1)[-1], "") for ref in (relationship.source_ref, relationship.target_ref))
        if not subject or not object:
            records.reject(
                f"{relationship.source_ref} {relationship.target_ref}", "unresolved-id", relationship.relationship_type
            )
            continue
        records.link(subject, relation_of(relationship, patterns), object, link_text(relationship))
    _add_tactics(lookup, records)
    _add_components(lookup, ids, records)


def not_preventable_patterns() -> list[re.Pattern[str]]:
    """The patterns of `not_preventable.txt`, one a line."""
    lines = (Path(__file__).parent / "not_preventable.txt").read_text(encoding="utf-8").splitlines()
    return [re.compile(line, re.IGNORECASE) for line in lines if line and not line.startswith("#")]


def relation_of(relationship: Relationship, patterns: list[re.Pattern[str]]) -> str:
    """The stated relation; a mitigation whose text says that nothing prevents the technique is `not-preventable`."""
    stated = relationship.relationship_type
    denied = stated == "mitigates" and any(pattern.search(relationship.description) for pattern in patterns)
    return "not-preventable" if denied else stated


def link_text(relationship: Relationship) -> str:
    """The relationship's text, or nothing where the source cut it so that its point may be missing.

    The beginning of a mitigation often tells the problem and only its end the measure: a cut one is never used. Of
    other cut texts the whole sentences are used if they are more than half of what the source left.
    """
    text, cut = whole_sentences(relationship.description, markdown=True)
    if not cut:
        return text
    enough = 2 * len(text) > len(clean(relationship.description, markdown=True))
    return text if enough and relationship.relationship_type != "mitigates" else ""


def _add_tactics(lookup: Lookup, records: Records) -> None:
    for item in lookup.objects:
        if item.type == "technique" and not item.revoked:
            for tactic in item.fields["tactics"]:
                if tactic in lookup.tactics:
                    records.link(f"attack:{item.external_id}", "achieves", lookup.tactics[tactic])
                else:
                    records.reject(f"{item.external_id} {tactic}", "unknown-tactic")


def _add_components(lookup: Lookup, ids: dict[str, str], records: Records) -> None:
    """Which data components the analytics of a detection strategy look at."""
    for item in lookup.objects:
        refs = [
            log.component
            for key in item.analytics
            if key in lookup.analytics
            for log in lookup.analytics[key].log_source_references
        ]
        for component in sorted({ids[ref.split("--", 1)[-1]] for ref in refs if ref.split("--", 1)[-1] in ids}):
            records.link(f"attack:{item.external_id}", "observes", component)


def add_galaxy_links(galaxy: dict[str, dict[str, Value]], ids: dict[str, str], enterprise: set[str], records: Records) -> None:
    """What only the galaxy says: links of other domains, data components that detect, attack patterns of CAPEC."""
    for kind, values in galaxy.items():
        for uuid, value in sorted(values.items()):
            for related in value.related:
                known = uuid in ids and related.dest in ids
                other_domain = not (uuid in enterprise and related.dest in enterprise)
                if related.type in _KEPT and known and (other_domain or kind == "data_components"):
                    records.link(ids[uuid], related.type, ids[related.dest])
    for entity in records.entities:
        if entity.type == "technique":
            for capec in entity.fields.get("capec", []):
                records.link(entity.id, "corresponds-to", f"capec:{capec}")
