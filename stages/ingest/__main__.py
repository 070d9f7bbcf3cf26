"""Fetch the pinned sources and read them into entities, links and passages."""

import sys

from stages.ingest.core import check_declarations, counts, ingest_all, tables, unreadable
from stages.ingest.params import IngestParams
from stages.runtime import RuntimeParams
from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Every source in, four tables out."""
    params = stage.section("ingest", IngestParams)
    check_declarations(params)
    read = ingest_all(params, stage.section("runtime", RuntimeParams))
    for problem in unreadable(read):
        print(f"[ingest] warning: {problem}", file=sys.stderr)
    for name, (rows, row_type) in tables(read).items():
        stage.write(f"data/ingest/{name}.parquet", rows, row_type)
    stage.write_rejects("data/ingest/rejects.parquet", (reject for records in read for reject in records.rejects))
    figures = counts(read)
    stage.metrics(figures)
    stage.finish({"sources": len(read)}, figures["total"])


if __name__ == "__main__":
    if sys.argv[1:2] == ["diff"]:
        from stages.ingest.diff_command import main

        main(sys.argv[2:])
    else:
        stage_main("ingest", run, f"{__doc__} `diff` as first argument tells what a change of sources would change.")
