"""What came of each format: its figures in this build, and which formats no row was tried with."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from stages.formats.schema import Format
from stages.report.figures import Figures, dig


class FormatLine(msgspec.Struct, frozen=True):
    """One line of the table: the figures of a task's format, or of all tried rows together."""

    task: str
    status: str  # approved, draft; empty for all together
    figures: Figures
    agreement: Figures  # of two blind readers, empty if nobody read twice


class FormatTable(msgspec.Struct, frozen=True):
    """The lines, all together first, and the formats that rewrite but that no row was tried with."""

    level: str  # of the intervals
    lines: Sequence[FormatLine]
    not_tried: Sequence[str]


def read_formats(metrics: Mapping[str, Figures], formats: Iterable[Format]) -> FormatTable | None:
    """The table by `metrics/enrich_formats.json`; None for a build that did not measure it."""
    measured = metrics.get("enrich_formats")
    if not measured:
        return None
    by_task = {form.task: form for form in formats}
    tried = dig(measured, "tasks") or {}
    lines = [
        FormatLine(task, by_task[task].status if task in by_task else "", tried[task], _agreement(metrics, "tasks", task))
        for task in sorted(tried)
    ]
    return FormatTable(
        level=f"{100 * (dig(measured, 'confidence') or 0.95):.0f} %",
        lines=[FormatLine("all together", "", dig(measured, "all") or {}, _agreement(metrics, "all")), *lines],
        not_tried=sorted(task for task, form in by_task.items() if form.rewrite and task not in tried),
    )


def _agreement(metrics: Mapping[str, Figures], *names: str) -> Figures:
    found: object = dig(metrics, "formats.agreement")
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
