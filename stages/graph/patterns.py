"""Typed walks: `technique >corresponds-to attack-pattern >exploits weakness ^instance-of vulnerability`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

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

    def walks(self, start: str, types: list[str], steps: list[str]) -> Iterator[tuple[str, ...]]:
        """All walks of a pattern from `start` that visit no node twice."""
        stack = [(start,)]
        while stack:
            walk = stack.pop()
            if len(walk) == len(types):
                yield walk
                continue
            depth = len(walk) - 1
            stack.extend((*walk, node) for node in self.of(walk[-1], steps[depth], types[depth + 1]) if node not in walk)
