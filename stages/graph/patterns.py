"""Typed walks: `technique >corresponds-to attack-pattern >exploits weakness ^instance-of vulnerability`."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from stages.errors import ParamsError
from stages.ingest.schema import Entity, Link


def parse_pattern(pattern: str) -> tuple[list[str], list[str]]:
    """(node types, steps); a step keeps its `^` and loses its `>`. Raises ParamsError for anything else."""
    words = pattern.split()
    types, steps = words[::2], words[1::2]
    if len(words) < 3 or len(types) != len(steps) + 1 or any(step[0] not in ">^" for step in steps):
        raise ParamsError(
            f"`{pattern}` is not a path of types and steps.",
            allowed="`type >relation type`, `type ^relation type`, and longer",
            remedy="Mend `graph.paths.patterns` or `graph.negatives.patterns` in params.yaml.",
        )
    return types, [step.removeprefix(">") for step in steps]


class Neighbours:
    """Sorted neighbours of a node by step and type."""

    def __init__(self, links: Iterable[Link], entities: Mapping[str, Entity]) -> None:
        self.entities = entities
        self._by_step: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.linked: set[tuple[str, str]] = set()
        for link in links:
            self._by_step[link.subject, link.relation].append(link.object)
            self._by_step[link.object, f"^{link.relation}"].append(link.subject)
            self.linked |= {(link.subject, link.object), (link.object, link.subject)}
        for found in self._by_step.values():
            found.sort()

    def of(self, node: str, step: str, type: str = "") -> list[str]:
        """Neighbours of `node` along `step` that have `type`, or of any type."""
        return [other for other in self._by_step.get((node, step), ()) if not type or self.entities[other].type == type]

    def counts(self, types: list[str], steps: list[str]) -> dict[str, int]:
        """For each node of the first type how many walks a pattern has from it, those that visit a node twice included."""
        ways = {id: 1 for id, entity in self.entities.items() if entity.type == types[-1]}
        for type, step, next_type in zip(types[-2::-1], steps[::-1], types[:0:-1], strict=True):
            nodes = (id for id, entity in self.entities.items() if entity.type == type)
            ways = {id: sum(ways.get(other, 0) for other in self.of(id, step, next_type)) for id in nodes}
        return ways

    def walks(
        self, start: str, types: list[str], steps: list[str], choose: Callable[[list[str]], list[str]] = list
    ) -> Iterator[tuple[str, ...]]:
        """All walks of a pattern from `start` that visit no node twice; only over the neighbours that `choose` keeps."""
        stack = [(start,)]
        while stack:
            walk = stack.pop()
            if len(walk) == len(types):
                yield walk
                continue
            depth = len(walk) - 1
            nodes = [node for node in self.of(walk[-1], steps[depth], types[depth + 1]) if node not in walk]
            stack.extend((*walk, node) for node in choose(nodes))
