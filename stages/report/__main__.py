"""One HTML page for people: what was built, how good it is, and what was thrown away and why."""

from pathlib import Path

from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.report.core import build_page
from stages.report.params import ReportParams
from stages.stage import Stage, stage_main
from stages.tables import write_text


def run(stage: Stage) -> None:
    params = stage.section("report", ReportParams)
    rows = stage.read("data/enrich/rows.parquet", EnrichedRow)
    formats = stage.read("data/formats/formats.parquet", Format)
    page, shown = build_page(Path(), rows, formats, params)
    write_text("data/report/index.html", page)
    stage.record("data/report/index.html")
    stage.finish({"rows": len(rows), "formats": len(formats)}, shown)


if __name__ == "__main__":
    stage_main("report", run, __doc__)
