"""Runs the suites: on the tables that come in, and on the sets that go out."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

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
from stages.validate.params import ValidateParams
from stages.validate.schema import TrainingRow
from stages.validate.suites import SuiteResult, SuiteRunner, describe, require_clean

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
}
_IDS = {"links": "link", "splits": "entity_id", "formats": "task", "evidence": "pair"}


class Inputs(msgspec.Struct, frozen=True):
    """Every table that this stage reads."""

    entities: list[Entity]
    links: list[Link]
    splits: list[Split]
    items: list[BenchmarkItem]
    rows: list[EnrichedRow]
    evidence: list[Evidence]
    passages: list[Passage]
    formats: list[Format]
    tasks: list[InstructionRow]
    pages: set[str] = set()  # ids of pages of the web: evidence may come from them, and the graph has none


def input_frames(inputs: Inputs) -> dict[str, frames.Frame]:
    """Columns of every input table, with the facts that tie the tables together."""
    known = {entity.id for entity in inputs.entities}
    split_of = {split.entity_id: split.split for split in inputs.splits}
    return {
        "entities": frames.entity_frame(inputs.entities),
        "links": frames.link_frame(inputs.links, known),
        "splits": frames.split_frame(inputs.splits, known),
        "items": frames.item_frame(inputs.items, split_of),
        "passages": frames.passage_frame(inputs.passages, known),
        "formats": frames.format_frame(inputs.formats),
        "tasks": frames.task_frame(inputs.tasks, known, split_of, {one.task for one in inputs.formats}),
        "rows": frames.row_frame(inputs.rows, known, split_of, {one.id: one for one in inputs.tasks}),
        "evidence": frames.evidence_frame(inputs.evidence, {row.id for row in inputs.rows}, known | inputs.pages),
    }


def output_frames(train: Sequence[TrainingRow], dev: Sequence[TrainingRow]) -> dict[str, frames.Frame]:
    """Columns of the sets that are about to be written."""
    return {"train": frames.training_frame(train), "dev": frames.training_frame(dev)}


def inspect(runner: SuiteRunner, tables: Mapping[str, frames.Frame], params: ValidateParams) -> list[SuiteResult]:
    """Run the suite of each table. Raises InputError, with the first offending rows, if a critical check fails."""
    results = [
        runner.run(
            name,
            PATHS[name],
            frame,
            checks_of(name, params.letter_excess),
            id_column=_IDS.get(name, "id"),
            show=params.offending_rows,
        )
        for name, frame in progress(tables.items(), total=len(tables), label="suites", unit="tables")
    ]
    require_clean(results)
    return results


def warnings_of(results: Sequence[SuiteResult]) -> list[str]:
    """One paragraph per warning, with the first offending rows."""
    return [describe(result, failure).strip() for result in results for failure in result.failed("warning")]


def summary(results: Sequence[SuiteResult]) -> dict[str, Any]:
    """The deterministic figures of the suites: per table expectations and failures by severity."""
    return {
        result.table: {
            "rows": result.rows,
            "expectations": result.checks,
            "failed_critical": len(result.failed("critical")),
            "failed_warning": len(result.failed("warning")),
            "warning_rows": {failure.check: failure.rows for failure in result.failed("warning")},
        }
        for result in results
    }
