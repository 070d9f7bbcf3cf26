"""Rows by hand for the graph's tests."""

from typing import Any

from stages.ingest.schema import Entity, Link


def entity(id: str, type: str = "technique", text: str = "", **more: Any) -> Entity:
    """An entity; everything but id, type and text has a default."""
    defaults = {"name": id, "fields": {}, "source": "toy", "version": "1", "uri": "https://toy.invalid", "licence": "CC0-1.0"}
    return Entity(id=id, type=type, text=text or f"Text of {id}.", **(defaults | more))


def link(subject: str, relation: str, object: str, text: str = "", source: str = "toy") -> Link:
    """A link."""
    return Link(subject=subject, relation=relation, object=object, text=text, source=source, licence="CC0-1.0")


def table(*entities: Entity) -> dict[str, Entity]:
    """Entities by id."""
    return {row.id: row for row in entities}
