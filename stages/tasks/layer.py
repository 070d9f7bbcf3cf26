"""Layers of the graph: all nodes of one layer that reach a node in two links, and two layers joined by the node between."""

from collections.abc import Iterator
from functools import cache

import msgspec

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import listing
from stages.tasks.catalogue import FOLDER
from stages.tasks.chain import label, neighbours, say
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import hash_order, titled

Drafts = Iterator[Draft | Skip]
MOST_NAMED = 5  # nodes of a layer in an answer
LEAST_NAMED = 2
NODES = 1500  # end nodes of one kind that are looked at: more than any task may have rows


class Layers(msgspec.Struct, frozen=True, array_like=True):
    """Three layers and the two links between them."""

    start: str
    first: str
    middle: str
    second: str
    end: str


def layer_to_node(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """A node and a layer two links away -> nodes of that layer, each with the node between (two links, followed backwards)."""
    for layers in _layers():
        for node in hash_order(_members(knowledge, layers.end), "layer")[:NODES]:
            ways = _ways(knowledge, layers, node)
            if len(ways) < LEAST_NAMED:
                yield Skip(node.id, "no-link")
                continue
            lines = [f"- {_named(start)}, by way of {_named(middle)}" for start, middle in ways]
            start, middle = ways[0]
            shown = f"{_say(layers.first, start, middle)} {_say(layers.second, middle, node)}"
            yield Draft(
                subject=node.id,
                slots={"node": label(node), "layer": _plural(layers.start), "middle": _one(layers.middle)},
                answer="\n".join([*lines, f"The first of them step by step: {shown}"]),
                entities=list(dict.fromkeys(one.id for way in ways for one in way)),
            )


def layer_to_layer(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """A node between two layers -> its neighbours on both sides, and how it joins them (the two links at one node)."""
    for layers in _layers():
        for node in hash_order(_members(knowledge, layers.middle), "layer")[:NODES]:
            starts = hash_order(neighbours(knowledge, node, _back(layers.first), layers.start), node.id)
            ends = hash_order(neighbours(knowledge, node, layers.second, layers.end), node.id)
            if len(starts) < LEAST_NAMED or not ends:
                yield Skip(node.id, "no-link")
                continue
            lines = [
                _side(layers.start, starts),
                _side(layers.end, ends),
                f"Every one on the first line is two links away from every one on the second. "
                f"{_say(layers.first, starts[0], node)} {_say(layers.second, node, ends[0])}",
            ]
            yield Draft(
                subject=node.id,
                slots={"node": label(node), "start": _plural(layers.start), "end": _plural(layers.end)},
                answer="\n".join(lines),
                entities=[one.id for one in [*starts[:MOST_NAMED], *ends[:MOST_NAMED]]],
            )


def _ways(knowledge: Knowledge, layers: Layers, node: Entity) -> list[tuple[Entity, Entity]]:
    """Up to MOST_NAMED (start, node between), each start once."""
    found: dict[str, tuple[Entity, Entity]] = {}
    for middle in hash_order(neighbours(knowledge, node, _back(layers.second), layers.middle), node.id)[: 2 * MOST_NAMED]:
        for start in hash_order(neighbours(knowledge, middle, _back(layers.first), layers.start), node.id)[:MOST_NAMED]:
            if start.id != node.id:
                found.setdefault(start.id, (start, middle))
    return [found[one] for one in sorted(found, key=lambda one: (found[one][1].id, one))][:MOST_NAMED]


def _side(kind: str, nodes: list[Entity]) -> str:
    """`Groups: APT29 (G0016) and FIN4 (G0085).`, the first MOST_NAMED of them."""
    some = ", among others" if len(nodes) > MOST_NAMED else ""
    return f"{_plural(kind).capitalize()}{some}: {listing([_named(one) for one in nodes[:MOST_NAMED]])}."


def _members(knowledge: Knowledge, kind: str) -> list[Entity]:
    return list(knowledge.techniques() if kind == "technique" else knowledge.of_type(kind))


def _back(relation: str) -> str:
    return relation[1:] if relation.startswith("^") else f"^{relation}"


def _say(relation: str, one: Entity, other: Entity) -> str:
    """The link from `one` to `other` as a sentence in its own direction."""
    subject, object = (other, one) if relation.startswith("^") else (one, other)
    return say(relation.removeprefix("^"), subject, object, "layers.yaml")


def _named(entity: Entity) -> str:
    """Name, with the id where people use it."""
    return entity.name if entity.type in ("sigma-rule", "cloud-check") else titled(entity)


def _one(kind: str) -> str:
    return kind.replace("-", " ")


def _plural(kind: str) -> str:
    word = _one(kind)
    return {"malware": "malware families", "vulnerability": "vulnerabilities", "weakness": "weaknesses"}.get(word, f"{word}s")


@cache
def _layers() -> list[Layers]:
    from ruamel.yaml import YAML

    return msgspec.convert(YAML(typ="safe", pure=True).load((FOLDER / "layers.yaml").read_text(encoding="utf-8")), list[Layers])
