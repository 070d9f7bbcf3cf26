"""Typed multi-step paths, sampled: the raw material of chain-of-thought tasks over the graph."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from stages.graph.params import PathParams
from stages.graph.patterns import Neighbours, parse_pattern
from stages.graph.schema import Path
from stages.ingest.schema import Entity, Link
from stages.tables import content_id

MANY = 1000  # walks from one start: of more not all are looked at, or the 4,000 CVEs of a weakness would be read again and again
FAN = 6  # neighbours of each node that are then followed: 1,296 walks of four steps


def sample_paths(entities: Mapping[str, Entity], links: Iterable[Link], params: PathParams) -> list[Path]:
    """At most `per_pair` paths for each pair of end types, sorted by id.

    Long patterns come first and no sampled path contains another: a short one repeats what a long one shows. A path
    whose ends are linked directly is left out: it would explain what needs no explanation.
    """
    neighbours = Neighbours(links, entities)
    patterns = sorted((parse_pattern(pattern) for pattern in params.patterns), key=lambda parsed: (-len(parsed[0]), parsed))
    by_type: dict[str, list[str]] = {}
    for id in sorted(entities):
        by_type.setdefault(entities[id].type, []).append(id)
    inside: set[tuple[str, ...]] = set()
    used: Counter[tuple[str, str]] = Counter()
    sampled: list[Path] = []
    for types, steps in patterns:
        pair = (types[0], types[-1])
        for walk in _shuffled(by_type.get(types[0], []), types, steps, neighbours, params):
            if used[pair] >= params.per_pair:
                break
            if walk not in inside and walk[::-1] not in inside:
                used[pair] += 1
                inside.update(_parts(walk))
                sampled.append(Path(id=content_id("path", *walk, *steps), nodes=list(walk), relations=steps))
    return sorted(sampled, key=lambda path: path.id)


def count_walks(entities: Mapping[str, Entity], links: Iterable[Link], params: PathParams) -> dict[str, int]:
    """How many walks each pattern has in the whole graph, before sampling."""
    neighbours = Neighbours(links, entities)
    counts = {}
    for pattern in sorted(params.patterns):
        types, steps = parse_pattern(pattern)
        bound = neighbours.counts(types, steps)
        if len(set(types)) < len(types):  # a walk might visit a node twice
            bound = {start: sum(1 for _ in neighbours.walks(start, types, steps)) for start, ways in bound.items() if ways}
        counts[pattern] = sum(bound.values())
    return counts


def _shuffled(
    starts: list[str], types: list[str], steps: list[str], neighbours: Neighbours, params: PathParams
) -> list[tuple[str, ...]]:
    """`per_start` walks of each start, all of them in an order that only seed and nodes decide."""
    chosen: list[tuple[str, tuple[str, ...]]] = []
    ways = neighbours.counts(types, steps)
    for start in starts:
        found = neighbours.walks(start, types, steps, list if ways[start] <= MANY else _thinning(f"{params.seed} {start}"))
        walks = (walk for walk in found if (walk[0], walk[-1]) not in neighbours.linked)
        chosen += sorted((content_id(str(params.seed), *walk), walk) for walk in walks)[: params.per_start]
    return [walk for _, walk in sorted(chosen)]


def _thinning(seed: str) -> Callable[[list[str]], list[str]]:
    """Keeps FAN neighbours of a node, drawn anew each time."""
    draw = random.Random(seed)
    return lambda nodes: draw.sample(nodes, FAN) if len(nodes) > FAN else nodes


def _parts(walk: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """All stretches of two or more steps."""
    for first in range(len(walk) - 2):
        for last in range(first + 3, len(walk) + 1):
            yield walk[first:last]
