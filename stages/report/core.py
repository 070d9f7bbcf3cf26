"""Rows and metrics files in, the pages and what they show out."""

from collections.abc import Sequence
from pathlib import Path

from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.report.composition import read_composition, read_dimensions
from stages.report.curve import read_curves
from stages.report.examples import choose_examples
from stages.report.figures import read_figures
from stages.report.page import METRICS, STAGES, Build, render, render_timings
from stages.report.params import ReportParams


def build_page(
    root: Path, rows: Sequence[EnrichedRow], formats: Sequence[Format], params: ReportParams
) -> tuple[str, dict[str, int]]:
    """The page of the build in `root`, and counts of what it shows."""
    card = root / "data" / "validate" / "data_card.md"
    build = Build(
        metrics=read_figures(root / "metrics", METRICS),
        formats=sorted(formats, key=lambda one: (one.status, one.task)),
        examples=choose_examples(rows, params.examples, params.excerpt),
        curves=read_curves(root / "metrics" / "finetune_loss.csv"),
        composition=read_composition(root / "metrics" / "validate_composition.csv"),
        dimensions=read_dimensions(root / "metrics" / "validate_dimensions.csv"),
        data_card=card.read_text(encoding="utf-8") if card.exists() else "",
    )
    page = render(build, params)
    return page, {"sections with figures": len(build.metrics), "examples": len(build.examples), "bytes": len(page.encode())}


def build_timings_page(root: Path) -> str:
    """The page of what the stages of this build took on this machine; it says so where nothing was measured."""
    return render_timings(read_figures(root / "metrics" / "timings", STAGES))
