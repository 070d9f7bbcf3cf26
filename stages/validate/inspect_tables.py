"""Runs the suites: on the tables that come in, and on the sets that go out."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from stages.benchmarks.schema import BenchmarkItem
from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ground.schema import Evidence
from stages.ingest.schema import Entity, Link, Passage
from stages.progress import progress
from stages.tasks.schema import InstructionRow
from stages.validate import frames
from stages.validate.checks import checks_of
from stages.validate.drift import TableCounts
from stages.validate.params import ValidateParams
from stages.validate.schema import ClusterRow, SafetyFinding, TrainingRow
from stages.validate.suites import SuiteResult, SuiteRunner, describe

PATHS = {
    "entities": "data/graph/entities.parquet",
    "links": "data/graph/links.parquet",
    "passages": "data/ingest/passages.parquet",
    "splits": "data/graph/splits.parquet",
    "items": "data/benchmarks/items.parquet",
    "formats": "data/formats/formats.parquet",
    "tasks": "data/tasks/rows.parquet",
    "rows": "data/enrich/rows.parquet",
    "evidence": "data/ground/evidence.parquet",
    "train": "data/validate/train.parquet",
    "dev": "data/validate/dev.parquet",
    "clusters": "data/validate/clusters.parquet",
    "safety": "data/validate/safety.parquet",
}
TYPES = {
    "entities": Entity, "links": Link, "passages": Passage, "splits": Split, "items": BenchmarkItem, "formats": Format,
    "tasks": InstructionRow, "rows": EnrichedRow, "evidence": Evidence, "train": TrainingRow, "dev": TrainingRow,
    "clusters": ClusterRow, "safety": SafetyFinding,
}  # fmt: skip
_IDS = {"links": "link", "splits": "entity_id", "formats": "task", "evidence": "pair", "clusters": "row", "safety": "row"}


Read = Callable[[str], Sequence[Any]]  # name of a table -> its rows


def input_frames(read: Read, pages: Collection[str] = ()) -> Iterator[tuple[str, frames.Frame]]:
    """Name and columns of every input table, with the facts that tie the tables together.

    Table after table, so that only what later ones are checked against stays in memory: ids, splits and digests. `pages`
    are the ids of pages of the web: evidence may come from them, and the graph has none.
    """
    entities = read("entities")
    known = {entity.id for entity in entities}
    yield "entities", frames.entity_frame(entities)
    del entities
    yield "links", frames.link_frame(read("links"), known)
    splits = read("splits")
    split_of = {split.entity_id: split.split for split in splits}
    yield "splits", frames.split_frame(splits, known)
    del splits
    yield "items", frames.item_frame(read("items"), split_of)
    yield "passages", frames.passage_frame(read("passages"), known)
    formats = read("formats")
    yield "formats", frames.format_frame(formats)
    tasks = read("tasks")
    digests = {one.id: frames.task_digest(one) for one in tasks}
    yield "tasks", frames.task_frame(tasks, known, split_of, {one.task for one in formats})
    del tasks
    rows = read("rows")
    row_ids = {row.id for row in rows}
    yield "rows", frames.row_frame(rows, known, split_of, digests)
    del rows
    yield "evidence", frames.evidence_frame(read("evidence"), row_ids, known | set(pages))


def output_frames(
    train: Sequence[TrainingRow],
    dev: Sequence[TrainingRow],
    clusters: Sequence[ClusterRow],
    findings: Sequence[SafetyFinding],
    row_ids: Collection[str],
) -> Iterator[tuple[str, frames.Frame]]:
    """Name and columns of the tables that are about to be written; `row_ids` are those of all rows that came in."""
    yield "train", frames.training_frame(train)
    yield "dev", frames.training_frame(dev)
    yield "clusters", frames.cluster_frame(clusters, {row.id for rows in (train, dev) for row in rows})
    yield "safety", frames.safety_frame(findings, row_ids)


class Inspected(NamedTuple):
    """Results of the suites, and the counts that drift looks at."""

    results: list[SuiteResult]
    counts: TableCounts

    def joined(self, other: "Inspected") -> "Inspected":
        """Both."""
        counts = TableCounts(self.counts.tables | other.counts.tables, self.counts.small | other.counts.small)
        return Inspected(self.results + other.results, counts)


def inspect(runner: SuiteRunner, tables: Iterable[tuple[str, frames.Frame]], params: ValidateParams) -> Inspected:
    """Run the suite of each table; nothing of a table stays in memory but the result and the counts."""
    results, counts = [], TableCounts({}, {})
    for name, frame in progress(tables, label="suites", unit="tables"):
        checks = checks_of(name, params.letter_excess)
        results.append(runner.run(name, PATHS[name], frame, checks, id_column=_IDS.get(name, "id"), show=params.offending_rows))
        counts.add(name, frame)
        del frame
    return Inspected(results, counts)


def warnings_of(results: Sequence[SuiteResult]) -> list[str]:
    """One paragraph per warning, with the first offending rows."""
    return [describe(result, failure).strip() for result in results for failure in result.failed("warning")]


def summary(results: Sequence[SuiteResult]) -> dict[str, Any]:
    """The deterministic figures of the suites: per table expectations and failures by severity."""
    return {
        result.table: {
            "rows": result.rows,
            "expectations": len(result.outcomes),
            "failed_critical": len(result.failed("critical")),
            "failed_warning": len(result.failed("warning")),
            "warning_rows": {failure.check.name: failure.rows for failure in result.failed("warning")},
        }
        for result in results
    }
