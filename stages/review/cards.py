"""The list of tasks: one card each, from the build, the library, the store and the readings."""

from collections.abc import Mapping
from typing import Any

from stages.enrich.format_figures import figures
from stages.errors import InputError
from stages.formats.schema import kind
from stages.review.data import TaskRows
from stages.review.editions import Editions
from stages.review.results import Results
from stages.review.schema import Run, TaskCard, Version
from stages.review.store import ReviewStore


def task_cards(store: ReviewStore, editions: Editions, results: Results, agreed: Mapping[str, Any]) -> list[TaskCard]:
    """Every task with rows or a library file, by family and name. `agreed`: agreement of two readers by task."""
    rows, counts, runs = editions.workspace.tasks(), store.counts(), store.runs.last()
    filed = editions.whole_library()
    cards = [
        _card(task, rows.get(task), filed.get(task), counts.get(task, (0, 0)), runs.get(task), results, agreed.get(task))
        for task in rows.keys() | filed.keys()
    ]
    return sorted(cards, key=lambda card: (card.family, card.task))


def _card(
    task: str,
    rows: TaskRows | None,
    filed: Version | InputError | None,
    counts: tuple[int, int],
    last: Run | None,
    results: Results,
    agreement: dict[str, Any] | None,
) -> TaskCard:
    version, problem = (None, str(filed)) if isinstance(filed, InputError) else (filed, "")
    versions, runs = counts
    tried = results.tried(last.id) if last else []
    return TaskCard(
        family=rows.family if rows else "",
        task=task,
        kind=kind(version.form) if version else "",
        status=version.form.status if version else "",
        findings=len(version.findings) if version else 0,
        rows=rows.rows if rows else 0,
        keyed=rows is not None and rows.keyed,
        versions=max(versions, int(version is not None)),
        runs=runs,
        last_run=last.id if last else "",
        tried=len(tried),
        problem=problem,
        figures=figures(tried) if tried else None,
        agreement=agreement,
    )
