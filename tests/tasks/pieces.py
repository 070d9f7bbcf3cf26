"""Small graphs of a test's own: entities and links by hand, everything in training unless a split is given."""

from collections.abc import Callable, Iterator, Sequence

from stages.graph.schema import HardNegative, Split
from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams

Generator = Callable[[Knowledge, TasksParams], Iterator[Draft | Skip]]


def graph(
    entities: Sequence[Entity],
    links: Sequence[Link] = (),
    negatives: Sequence[HardNegative] = (),
    **splits: str,
) -> Knowledge:
    """The knowledge of these rows; `splits` maps an id with `__` for `:` and `_` for `-` to its part."""
    parts = [Split(entity_id=one.id, split=splits.get(_key(one.id), "train")) for one in entities]
    return Knowledge(entities, links, parts, negatives)


def drafts(generator: Generator, knowledge: Knowledge, **params: int) -> list[Draft]:
    """What a generator asks about the graph."""
    return [one for one in generator(knowledge, TasksParams(**params)) if isinstance(one, Draft)]


def skips(generator: Generator, knowledge: Knowledge) -> dict[str, str]:
    """Subject -> why a generator asks nothing about it."""
    return {one.subject: one.reason for one in generator(knowledge, TasksParams()) if isinstance(one, Skip)}


def _key(id: str) -> str:
    return id.replace(":", "__").replace("-", "_").replace(".", "_")
