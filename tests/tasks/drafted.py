"""Small graphs for one generator, and what it makes of them."""

from collections.abc import Callable, Iterable

from stages.graph.schema import Split
from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams


def known(entities: Iterable[Entity], links: Iterable[Link] = (), heldout: Iterable[str] = ()) -> Knowledge:
    """A graph of these entities and links; those named in `heldout` are held out, the others train."""
    return Knowledge(list(entities), list(links), [Split(entity_id=one, split="heldout") for one in heldout])


def drafts(generator: Callable[..., Iterable[Draft | Skip]], knowledge: Knowledge) -> list[Draft]:
    """The questions that a generator asks about a graph."""
    return [one for one in generator(knowledge, TasksParams()) if isinstance(one, Draft)]


def skips(generator: Callable[..., Iterable[Draft | Skip]], knowledge: Knowledge) -> dict[str, str]:
    """Subjects that make no question, with the reason."""
    return {one.subject: one.reason for one in generator(knowledge, TasksParams()) if isinstance(one, Skip)}
