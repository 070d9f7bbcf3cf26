"""Rows of the knowledge graph. Entities and links keep the shape of `stages.ingest.schema`."""

import msgspec


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """The part a subject document belongs to. A row is about exactly the part of its subject."""

    entity_id: str
    split: str  # train, dev, heldout


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """A typed path of two or more links; `nodes` is one longer than `relations`."""

    id: str
    nodes: list[str]
    relations: list[str]  # a leading `^` marks a link followed against its direction


class HardNegative(msgspec.Struct, frozen=True, kw_only=True):
    """An unlinked entity whose text is close to that of a linked one: a distractor worth reading."""

    subject: str
    relation: str
    object: str  # the similar entity that is NOT linked to `subject` by `relation`
    similarity: float  # cosine of TF-IDF vectors, 0-1
