"""Links that contradict other facts of the graph: a rule for one operating system and a technique of others."""

from collections.abc import Iterable, Mapping

from stages.graph.params import ConflictParams
from stages.ingest.schema import Entity, Link
from stages.tables import Reject


def drop_conflicts(
    links: Iterable[Link], entities: Mapping[str, Entity], params: ConflictParams
) -> tuple[list[Link], list[Reject]]:
    """(links without a contradiction, in their order; rejects `other-platform`)."""
    kept: list[Link] = []
    rejects: list[Reject] = []
    for link in links:
        detail = _other_platform(entities[link.subject], entities[link.object], params)
        if link.relation == "detects" and detail:
            record = f"{link.subject} {link.relation} {link.object}"
            rejects.append(Reject(source=link.source, record=record, reason="other-platform", detail=detail))
        else:
            kept.append(link)
    return kept, rejects


def _other_platform(rule: Entity, technique: Entity, params: ConflictParams) -> str:
    """What contradicts, or nothing: also where one of the two names no platform, or a product without known ones."""
    product, platforms = rule.fields.get("product", ""), technique.fields.get("platforms", [])
    possible = params.platforms.get(product, []) if isinstance(product, str) else []  # a list names the products that run a rule
    if not possible or not platforms or set(possible) & set(platforms):
        return ""
    return f"{product} rule, technique of {', '.join(sorted(platforms))}"
