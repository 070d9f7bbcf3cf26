"""The stage `report` between its inputs and outputs.

The page is made of declared dependencies alone, so that DVC may take it from its cache. Speeds, memory and times
belong to the machine that ran the build: they go to a page of their own beside the timings, which is no output of DVC.
"""

from pathlib import Path

from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.report.core import build_page, build_timings_page
from stages.report.params import ReportParams
from stages.stage import Stage
from stages.tables import write_text

PAGE, TIMINGS_PAGE = "data/report/index.html", "metrics/timings/report.html"


def run_report(stage: Stage) -> None:
    """Write both pages."""
    params = stage.section("report", ReportParams)
    rows = stage.read("data/enrich/rows.parquet", EnrichedRow)
    formats = stage.read("data/formats/formats.parquet", Format)
    page, shown = build_page(Path(), rows, formats, params)
    write_text(PAGE, page)
    write_text(TIMINGS_PAGE, build_timings_page(Path()))
    stage.record(PAGE)
    stage.finish({"rows": len(rows), "formats": len(formats)}, shown)
