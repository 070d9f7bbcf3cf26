"""Resolve entities and links of all sources into one knowledge graph; assign the splits."""

import sys

from stages.graph.core import build_graph, tables
from stages.graph.params import GraphParams
from stages.ingest.schema import Entity, Link
from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Two tables in, six out; counts that deviate from the expected ones, and sources out of step, are warnings."""
    entities, links = stage.read("data/ingest/entities.parquet", Entity), stage.read("data/ingest/links.parquet", Link)
    graph = build_graph(entities, links, stage.section("graph", GraphParams))
    for name, (rows, row_type) in tables(graph).items():
        stage.write(f"data/graph/{name}.parquet", rows, row_type)
    stage.write_rejects("data/graph/rejects.parquet", graph.rejects)
    stage.metrics(graph.figures)
    for line in graph.figures["warnings"]:
        print(f"[graph] warning: {line}", file=sys.stderr)
    stage.finish({"entities": len(entities), "links": len(links)}, graph.figures["total"])


if __name__ == "__main__":
    stage_main("graph", run, __doc__)
