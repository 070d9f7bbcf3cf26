"""The pages: figures, examples and curves in, self-contained HTML texts out."""

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import msgspec

from stages.formats.schema import Format
from stages.report.curve import Curve
from stages.report.examples import Example
from stages.report.figures import Figures, counts, dig, first, leaves
from stages.report.format_figures import read_formats
from stages.report.params import ReportParams
from stages.report.scores import (
    NAMES,
    confidence_level,
    panels,
    read_costs,
    read_differences,
    read_retention,
    read_seen,
    verdicts,
)

NOTHING: Figures = {}
STAGES = (
    "ingest", "graph", "tasks", "benchmarks", "label", "formats", "ground", "enrich", "synthesize", "validate", "finetune",
    "quantize", "evaluate",
)  # fmt: skip
METRICS = (*STAGES, "enrich_formats")  # the files of metrics/ that the page is made of


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the page shows. Texts are raw: the template escapes them."""

    metrics: Mapping[str, Figures]  # by stage
    formats: Sequence[Format]
    examples: Sequence[Example]
    curves: Sequence[Curve]
    data_card: str
    composition: Sequence[Mapping[str, str]]  # family, source, licence, type, rows
    dimensions: Mapping[str, Sequence[Mapping[str, str]]] = {}  # property -> dimension, value, rows, share


def render(build: Build, params: ReportParams) -> str:
    """The page as HTML. Only the style sheet enters unescaped, and it is a file of this package."""
    evaluate = build.metrics.get("evaluate", NOTHING)
    return _fill(
        "report.html",
        title=params.title,
        build=build,
        metrics={stage: build.metrics.get(stage, NOTHING) for stage in STAGES},
        format_table=read_formats(build.metrics, build.formats),
        level=confidence_level(evaluate),
        panels=panels(evaluate),
        differences=read_differences(evaluate),
        seen=read_seen(evaluate),
        retention=read_retention(evaluate),
        verdicts=verdicts(evaluate),
        figures={stage: leaves(values) for stage, values in sorted(build.metrics.items())},
    )


def render_timings(timings: Mapping[str, Figures]) -> str:
    """The small page that stands in a frame of the large one."""
    figures = {stage: leaves(values) for stage, values in timings.items()}
    return _fill("timings.html", timings=timings, costs=read_costs(timings.get("evaluate", NOTHING)), figures=figures)


def _fill(template: str, **values: Any) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("stages.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, share=share, counts=counts, named=lambda system: NAMES.get(system, system))
    environment.globals.update(dig=dig, first=first)
    style = resources.files("stages.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(style=Markup(style), **values)


def number(value: Any) -> str:
    """A figure for people: thousands separated, three significant digits below 100, a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and abs(value) >= 100):
        return f"{value:,.0f}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def share(value: Any) -> str:
    """A proportion as a percentage with one decimal."""
    return "–" if value is None else f"{100 * value:.1f} %"
