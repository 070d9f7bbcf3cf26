"""The stage's meeting with a model: only loaded when a task lacks a format, because the client is heavy."""

import asyncio
from pathlib import Path

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.formats.draft import TaskSummary, draft_formats, summarise_tasks
from stages.formats.evidence import usable_by_entity
from stages.formats.params import FormatsParams
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ingest.schema import Passage
from stages.llm.client import open_client
from stages.llm.params import LLMParams
from stages.llm.schema import StoredResponse
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.tables import Reject
from stages.tasks.schema import InstructionRow


class Drafted(msgspec.Struct, frozen=True):
    """What drafting gave, and what it cost."""

    formats: list[Format] = []
    rejects: list[Reject] = []
    responses: list[StoredResponse] = []
    ledger: dict = {}
    timings: dict = {}


def draft_missing(stage: Stage, rows: list[InstructionRow], tasks: list[str], params: FormatsParams) -> Drafted:
    """Draft a format for each of `tasks`."""
    wanted = set(tasks)
    summaries = _summaries(stage, [row for row in rows if row.task in wanted], params)
    llm, runtime = stage.section("llm", LLMParams), stage.section("runtime", RuntimeParams)

    async def draft() -> Drafted:
        async with open_client(stage.name, llm, runtime, base_model=Path("models/base")) as client:
            outcomes = await draft_formats(summaries, client, llm.teacher.model, params, runtime.concurrency)
            return Drafted(
                formats=[outcome for outcome in outcomes if isinstance(outcome, Format)],
                rejects=[outcome for outcome in outcomes if isinstance(outcome, Reject)],
                responses=list(client.used()),
                ledger=client.ledger.metrics(),
                timings=client.ledger.timings(),
            )

    return asyncio.run(draft())


def _summaries(stage: Stage, rows: list[InstructionRow], params: FormatsParams) -> list[TaskSummary]:
    """What the drafter may know; passages are read only if it is to see some."""
    if not params.evidence:
        return summarise_tasks(rows, params.examples)
    usable = usable_by_entity(
        stage.read("data/ingest/passages.parquet", Passage),
        stage.read("data/graph/splits.parquet", Split),
        stage.read("data/benchmarks/items.parquet", BenchmarkItem),
    )
    return summarise_tasks(rows, params.examples, usable, params.evidence)
