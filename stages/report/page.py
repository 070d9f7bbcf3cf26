"""The page: figures, examples and curves in, one self-contained HTML text out."""

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import msgspec

from stages.formats.schema import Format
from stages.report.curve import Curve
from stages.report.examples import Example
from stages.report.figures import Figures, counts, dig, first, leaves
from stages.report.params import ReportParams
from stages.report.scores import NAMES, panels, read_differences, read_retention, verdicts

NOTHING: Figures = {}


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the page shows. Texts are raw: the template escapes them."""

    metrics: Mapping[str, Figures]  # by stage
    timings: Mapping[str, Figures]  # by stage, of the machine that ran the build
    formats: Sequence[Format]
    examples: Sequence[Example]
    curves: Sequence[Curve]
    data_card: str


def render(build: Build, params: ReportParams) -> str:
    """The page as HTML. Only the style sheet enters unescaped, and it is a file of this package."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("stages.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, share=share, counts=counts, named=lambda system: NAMES.get(system, system))
    environment.globals.update(dig=dig, first=first)
    style = resources.files("stages.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    evaluate = build.metrics.get("evaluate", NOTHING)
    return environment.get_template("report.html").render(
        title=params.title,
        style=Markup(style),
        build=build,
        metrics={stage: build.metrics.get(stage, NOTHING) for stage in STAGES} | dict(build.metrics),
        panels=panels(evaluate),
        differences=read_differences(evaluate),
        retention=read_retention(evaluate),
        verdicts=verdicts(evaluate),
        figures={stage: leaves(values) for stage, values in sorted(build.metrics.items())},
    )


STAGES = ("ingest", "graph", "tasks", "benchmarks", "formats", "ground", "enrich", "validate", "finetune", "quantize", "evaluate")


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
