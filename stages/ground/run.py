"""The stage, read top to bottom: select rows, clear the passages, index, ground, outputs."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from stages.benchmarks.schema import BenchmarkItem
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ground.core import Grounding, Library, ground_row, group_by_entity
from stages.ground.hygiene import usable_passages
from stages.ground.params import GroundParams
from stages.ground.queries import task_words
from stages.ground.retriever import open_retriever
from stages.ground.schema import Evidence, GroundedRow
from stages.ground.select import select_rows
from stages.ingest.schema import Passage
from stages.llm.client import map_rows, open_client
from stages.llm.params import LLMParams
from stages.llm.schema import StoredResponse
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.tables import Reject
from stages.tasks.schema import InstructionRow

ENCODER = Path("models/encoder")


def run_ground(stage: Stage) -> None:
    """Evidence is only ever drawn from passages that passed `usable_passages`."""
    params, llm = stage.section("ground", GroundParams), stage.section("llm", LLMParams)
    rows = stage.read("data/tasks/rows.parquet", InstructionRow)
    formats = {form.task: form for form in stage.read("data/formats/formats.parquet", Format)}
    passages, left_out = usable_passages(
        stage.read("data/ingest/passages.parquet", Passage),
        stage.read("data/graph/splits.parquet", Split),
        stage.read("data/benchmarks/items.parquet", BenchmarkItem),
        params.ngram,
        params.deny,
    )
    chosen, passed_over = select_rows(rows, formats, params.rows, params.row_tokens)
    retriever = open_retriever(passages if params.evidence else [], params, ENCODER)
    library = Library(retriever, group_by_entity(passages), task_words(rows))
    outcomes, responses, metrics, timings = asyncio.run(_ground(stage, chosen, formats, library, params, llm))
    grounded = sorted((found for found in outcomes if isinstance(found, Grounding)), key=lambda found: found.row.row_id)
    rejects = [outcome for outcome in outcomes if isinstance(outcome, Reject)]
    evidence = [item for found in grounded for item in found.evidence]
    stage.write("data/ground/rows.parquet", [found.row for found in grounded], GroundedRow)
    stage.write("data/ground/evidence.parquet", evidence, Evidence)
    stage.write_rejects("data/ground/rejects.parquet", rejects)
    stage.write("data/ground/responses.parquet", responses, StoredResponse)
    stage.metrics({**describe(grounded, rejects), "selection": passed_over, "passages": left_out, "llm": metrics})
    stage.timings(timings)
    stage.finish({"rows": len(rows), "passages": len(passages)}, {"grounded rows": len(grounded), "evidence": len(evidence)})


async def _ground(
    stage: Stage,
    rows: list[InstructionRow],
    formats: dict[str, Format],
    library: Library,
    params: GroundParams,
    llm: LLMParams,
) -> tuple[list[Grounding | Reject], list[StoredResponse], dict[str, Any], dict[str, Any]]:
    """Outcomes in the order of `rows`, the responses used, and the ledger's figures and times."""
    runtime = stage.section("runtime", RuntimeParams)
    async with open_client(stage.name, llm, runtime, base_model=Path("models/base")) as client:

        async def work(row: InstructionRow) -> Grounding | Reject:
            return await ground_row(row, formats[row.task], client, library, params)

        outcomes = await map_rows(rows, work, concurrency=runtime.concurrency, label="grounding")
        return outcomes, client.used(), client.ledger.metrics(), client.ledger.timings()


def describe(grounded: list[Grounding], rejects: list[Reject]) -> dict[str, Any]:
    """Counts of rows, evidence, gaps, summaries and everything that went another way than planned."""
    counts = sum((found.counts for found in grounded), Counter[str]())
    evidence = [item for found in grounded for item in found.evidence]
    return {
        "rows": len(grounded),
        "tasks": len({found.row.task for found in grounded}),
        "queries": {
            "built": sum(len(found.row.queries) for found in grounded),
            "kept": sum(len(found.row.kept_queries) for found in grounded),
        },
        "evidence": {
            "documents": sum(not item.query for item in evidence),
            "retrieved": sum(bool(item.query) for item in evidence),
        },
        "gaps": {"rows": counts["gap"], "closed": counts["gap-closed"]},
        "summaries": counts["summary"],
        "licences": dict(Counter(item.licence for item in evidence)),
        "events": {event: count for event, count in counts.items() if count and event not in ("gap", "gap-closed", "summary")},
        "reasons": dict(Counter(reject.reason for reject in rejects)),
    }
