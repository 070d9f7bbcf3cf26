"""Fetch the pinned sources and read them into entities, links and passages."""

from stages.fetch import fetch
from stages.ingest.core import check_declarations, counts, ingest
from stages.ingest.params import IngestParams
from stages.ingest.schema import Entity, Link, Passage
from stages.runtime import RuntimeParams
from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Every source in, four tables out, sorted by id."""
    params = stage.section("ingest", IngestParams)
    check_declarations(params)
    read = ingest(params, fetch(params.pins, stage.section("runtime", RuntimeParams)))
    figures = counts(read)
    stage.write(
        "data/ingest/entities.parquet", sorted((e for r in read for e in r.entities), key=lambda e: (e.id, e.source)), Entity
    )
    stage.write("data/ingest/links.parquet", [link for r in read for link in r.links], Link)
    stage.write(
        "data/ingest/passages.parquet", sorted((p for r in read for p in r.passages), key=lambda p: (p.id, p.source)), Passage
    )
    stage.write_rejects("data/ingest/rejects.parquet", (reject for r in read for reject in r.rejects))
    stage.metrics(figures)
    stage.finish({"sources": len(read)}, figures["total"])


if __name__ == "__main__":
    stage_main("ingest", run, __doc__)
