"""Resolve entities and links of all sources into one knowledge graph; assign the splits."""

import sys

from stages.graph.core import build_graph
from stages.graph.params import GraphParams
from stages.graph.schema import HardNegative, Path, Split
from stages.ingest.schema import Entity, Link
from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Two tables in, six out; counts that deviate from the expected ones are warnings."""
    params = stage.section("graph", GraphParams)
    graph = build_graph(stage.read("data/ingest/entities.parquet", Entity), stage.read("data/ingest/links.parquet", Link), params)
    stage.write("data/graph/entities.parquet", graph.entities.values(), Entity)
    stage.write("data/graph/links.parquet", graph.links, Link)
    stage.write("data/graph/splits.parquet", graph.splits, Split)
    stage.write("data/graph/paths.parquet", graph.paths, Path)
    stage.write("data/graph/negatives.parquet", graph.negatives, HardNegative)
    stage.write_rejects("data/graph/rejects.parquet", graph.rejects)
    stage.metrics(graph.figures)
    for line in graph.figures["warnings"]:
        print(f"[graph] warning: {line}; a source has changed, see graph.expected", file=sys.stderr)
    stage.finish(stage.inputs, graph.figures["total"])


if __name__ == "__main__":
    stage_main("graph", run, __doc__)
