"""From the tables of ingest to the graph, and the figures that describe it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from stages.graph.conflicts import drop_conflicts
from stages.graph.negatives import find_negatives
from stages.graph.params import ExpectedParams, GraphParams
from stages.graph.paths import count_walks, sample_paths
from stages.graph.resolve import merge_entities, resolve_links
from stages.graph.schema import HardNegative, Path, Split
from stages.graph.split import assign_splits
from stages.ingest.schema import Entity, Link
from stages.tables import Reject

EXAMPLES = 3  # of each reject reason and source, shown in the metrics
UNRESOLVED = ("unknown-id", "deprecated-id")  # an end that the other sources do not have, or no longer
SKEW = 0.02  # share of a source's links: more than strays, so its version is not that of the others
FEW = 10  # unresolved links: fewer are strays, whatever their share of a small source


class Graph(msgspec.Struct):
    """Everything that the stage writes."""

    entities: dict[str, Entity]
    links: list[Link]
    splits: list[Split]
    paths: list[Path]
    negatives: list[HardNegative]
    rejects: list[Reject]
    figures: dict[str, Any]


def build_graph(entities: Iterable[Entity], links: Sequence[Link], params: GraphParams) -> Graph:
    """Merge, resolve, drop contradictions, split and sample. The same rows in any order give the same graph."""
    merged = merge_entities(entities)
    resolved, rejects, counters = resolve_links(links, merged)
    resolved, conflicts = drop_conflicts(resolved, merged, params.conflicts)
    graph = Graph(
        entities=merged,
        links=resolved,
        splits=assign_splits(merged, params.split),
        paths=sample_paths(merged, resolved, params.paths),
        negatives=find_negatives(merged, resolved, params.negatives),
        rejects=rejects + conflicts,
        figures=counters | {"walks": count_walks(merged, resolved, params.paths)},
    )
    graph.figures |= _figures(graph)
    graph.figures["unresolved"] = unresolved(links, rejects)
    graph.figures["warnings"] = deviations(graph.figures, params.expected) + skewed(graph.figures["unresolved"])
    return graph


def tables(graph: Graph) -> dict[str, tuple[list[Any], type]]:
    """Sorted rows and their type by table name."""
    return {
        "entities": (list(graph.entities.values()), Entity),
        "links": (graph.links, Link),
        "splits": (graph.splits, Split),
        "paths": (graph.paths, Path),
        "negatives": (graph.negatives, HardNegative),
    }


def deviations(figures: Mapping[str, Any], expected: ExpectedParams) -> list[str]:
    """One line for each count that is further from the expected one than the tolerance."""
    lines = []
    for table, wanted in (("entities", expected.entities), ("links", expected.links)):
        for key, count in sorted(wanted.items()):
            found = figures[table].get(key, 0)
            if abs(found - count) > expected.tolerance * count:
                lines.append(f"{table} `{key}`: {found:,} instead of {count:,}; a source has changed, see graph.expected")
    return lines


def unresolved(links: Iterable[Link], rejects: Iterable[Reject]) -> dict[str, Any]:
    """By source that has any: its links, how many of them have an end that does not resolve, and the commonest such ends."""
    total = Counter(link.source for link in links)
    ends: dict[str, Counter[str]] = {}
    for reject in rejects:
        if reject.reason in UNRESOLVED:
            ends.setdefault(reject.source, Counter())[reject.detail] += 1
    return {
        source: {
            "links": total[source],
            "unresolved": sum(found.values()),
            "share": round(sum(found.values()) / total[source], 4),
            "ids": len(found),
            "examples": dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:EXAMPLES]),
        }
        for source, found in sorted(ends.items())
    }


def skewed(sources: Mapping[str, Any]) -> list[str]:
    """One line for each source whose share of unresolved links passes SKEW, unless they are FEW."""
    return [
        f"source `{source}`: {one['unresolved']:,} of {one['links']:,} links do not resolve; its version may not be that of the "
        f"other sources. Missing: {', '.join(one['examples'])}{' ...' if one['ids'] > EXAMPLES else ''}"
        for source, one in sources.items()
        if one["share"] > SKEW and one["unresolved"] >= FEW
    ]


def _figures(graph: Graph) -> dict[str, Any]:
    types = {id: entity.type for id, entity in graph.entities.items()}
    split_of = {split.entity_id: split.split for split in graph.splits}
    current = [entity for entity in graph.entities.values() if not entity.deprecated]
    return {
        "entities": _counted(entity.type for entity in current),
        "deprecated": _counted(entity.type for entity in graph.entities.values() if entity.deprecated),
        "without_text": _counted(entity.type for entity in current if not entity.text),
        "links": _counted(f"{types[link.subject]} {link.relation} {types[link.object]}" for link in graph.links),
        "relations": _counted(link.relation for link in graph.links),
        "links_by_source": _counted(link.source for link in graph.links),
        "licences": _counted(entity.licence for entity in current),
        "splits": {
            type: _counted(split_of[e.id] for e in current if e.type == type) for type in sorted({e.type for e in current})
        },
        "paths": _counted(f"{types[path.nodes[0]]} {len(path.relations)} {types[path.nodes[-1]]}" for path in graph.paths),
        "negatives": _counted(f"{types[n.subject]} {n.relation} {types[n.object]}" for n in graph.negatives),
        "rejects": _rejected(graph.rejects),
        "total": {
            "entities": len(graph.entities),
            "links": len(graph.links),
            "paths": len(graph.paths),
            "negatives": len(graph.negatives),
        },
    }


def _rejected(rejects: Iterable[Reject]) -> dict[str, Any]:
    """Count and first examples by source and reason."""
    grouped: dict[str, list[str]] = {}
    for reject in rejects:
        record = f"{reject.record} ({reject.detail})" if reject.detail else reject.record
        grouped.setdefault(f"{reject.source} {reject.reason}", []).append(record)
    return {key: {"count": len(records), "examples": sorted(records)[:EXAMPLES]} for key, records in sorted(grouped.items())}


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
