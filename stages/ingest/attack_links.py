"""Links of ATT&CK: those of the current release from the lookup, those of other domains from the galaxy."""

from stages.ingest.attack_lookup import Lookup
from stages.ingest.galaxy import Value
from stages.ingest.records import Records
from stages.ingest.text import whole_sentences

_KEPT = ("uses", "mitigates", "detects", "subtechnique-of", "attributed-to")


def add_lookup_links(lookup: Lookup, ids: dict[str, str], records: Records) -> None:
    """Relationships of the release. A sentence that was cut is shortened to whole sentences, or left out."""
    for relationship in lookup.relationships:
        if relationship.relationship_type not in _KEPT or relationship.revoked or relationship.deprecated:
            continue
        subject, object = (ids.get(ref.split("--", 1)[-1], "") for ref in (relationship.source_ref, relationship.target_ref))
        if not subject or not object:
            records.reject(
                f"{relationship.source_ref} {relationship.target_ref}", "unresolved-id", relationship.relationship_type
            )
            continue
        records.link(subject, relationship.relationship_type, object, whole_sentences(relationship.description, markdown=True)[0])
    _add_tactics(lookup, records)
    _add_components(lookup, ids, records)


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
