"""One entity per id and one link per fact, out of what all sources say."""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import msgspec

from stages.ingest.schema import Entity, Link
from stages.tables import Reject

OWN_TEXT_ONLY = ("text_cut", "text_version", "stub")  # fields that speak of the text they came with
MAX_SUCCESSORS = 8  # a longer chain of revocations is a loop


def merge_entities(entities: Iterable[Entity]) -> dict[str, Entity]:
    """Entities by id. Of several with one id the richest text wins and the fields of all are united."""
    ordered = sorted(entities, key=lambda entity: (entity.id, _rank(entity)))
    return {id: _merged(list(group)) for id, group in groupby(ordered, key=lambda entity: entity.id)}


def _rank(entity: Entity) -> tuple[Any, ...]:
    """Best first: current, not a bare id, whole, long; the source's name decides a tie."""
    return (
        entity.deprecated,
        bool(entity.fields.get("stub")),
        bool(entity.fields.get("text_cut")),
        -len(entity.text),
        entity.source,
    )


def _merged(group: list[Entity]) -> Entity:
    best, fields, licences, sources = group[0], dict(group[0].fields), {group[0].licence}, {group[0].source}
    for other in group[1:]:
        new = {key: value for key, value in other.fields.items() if key not in OWN_TEXT_ONLY and key not in fields}
        if new:
            fields |= new
            licences.add(other.licence)
            sources.add(other.source)
    if len(sources) > 1:
        fields["sources"] = sorted(sources)
    published = best.published or min((other.published for other in group if other.published), default="")
    return msgspec.structs.replace(best, fields=fields, licence=" AND ".join(sorted(licences)), published=published)


def resolve_links(links: Iterable[Link], entities: dict[str, Entity]) -> tuple[list[Link], list[Reject], dict[str, Any]]:
    """(links between current entities, sorted; rejects; counters `followed` and `duplicates` by source).

    A revoked end is replaced by its successor. A link with an end that is unknown, withdrawn without successor,
    or the same as the other end, is a reject. Of equal links the longest text stays.
    """
    kept: dict[tuple[str, str, str], Link] = {}
    rejects: list[Reject] = []
    followed: Counter[str] = Counter()
    duplicates: Counter[str] = Counter()
    for link in sorted(
        links, key=lambda link: (link.subject, link.relation, link.object, -len(link.text), link.source, link.text)
    ):
        subject, object = successor(link.subject, entities), successor(link.object, entities)
        reason, culprit = _reason_to_drop(subject, object, entities)
        if reason:
            record = f"{link.subject} {link.relation} {link.object}"
            rejects.append(Reject(source=link.source, record=record, reason=reason, detail=culprit))
            continue
        followed[link.source] += (subject, object) != (link.subject, link.object)
        key = (subject, link.relation, object)
        duplicates[link.source] += key in kept
        if key not in kept or len(link.text) > len(kept[key].text):
            kept[key] = msgspec.structs.replace(link, subject=subject, object=object)
    counters = {"followed": _positive(followed), "duplicates": _positive(duplicates)}
    return [kept[key] for key in sorted(kept)], rejects, counters


def successor(id: str, entities: dict[str, Entity]) -> str:
    """The id that stands for `id` today: itself, or the end of its chain of revocations."""
    for _ in range(MAX_SUCCESSORS):
        entity = entities.get(id)
        if entity is None or not entity.revoked_by:
            break
        id = entity.revoked_by
    return id


def _reason_to_drop(subject: str, object: str, entities: dict[str, Entity]) -> tuple[str, str]:
    for end in (subject, object):
        if end not in entities:
            return "unknown-id", end
    for end in (subject, object):
        if entities[end].deprecated:
            return "deprecated-id", end
    return ("self-link", subject) if subject == object else ("", "")


def _positive(counter: Counter[str]) -> dict[str, int]:
    return {key: count for key, count in sorted(counter.items()) if count}
