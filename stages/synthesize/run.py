"""The stage, read top to bottom: calibrate the evaluator, choose documents, write pairs over them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.enrich.schema import EnrichedRow
from stages.graph.schema import Split
from stages.ingest.schema import Entity
from stages.llm.client import map_rows, open_client
from stages.llm.params import LLMParams
from stages.llm.schema import StoredResponse
from stages.llm.used import UsedResponses
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.synthesize.core import Document, Outcome, choose_documents, distinct, synthesize
from stages.synthesize.evaluator import examine
from stages.synthesize.params import SynthesizeParams
from stages.tasks.schema import InstructionRow
from stages.taxonomy import load_taxonomy


def run_synthesize(stage: Stage) -> None:
    """No model is loaded when no document is asked for."""
    params, llm = stage.section("synthesize", SynthesizeParams), stage.section("llm", LLMParams)
    splits = {row.entity_id: row.split for row in stage.read("data/graph/splits.parquet", Split)}
    entities = stage.read("data/graph/entities.parquet", Entity)
    documents = choose_documents(entities, splits, stage.read("data/tasks/rows.parquet", InstructionRow), params)
    outcomes, responses, figures, timings = [], [], {}, {}
    if documents:
        outcomes, responses, figures, timings = asyncio.run(_synthesize(stage, documents, params, llm))
    rows = distinct(outcomes)
    rejects = [reject for outcome in outcomes for reject in outcome.rejects]
    stage.write("data/synthesize/rows.parquet", rows, EnrichedRow)
    stage.write_rejects("data/synthesize/rejects.parquet", rejects)
    stage.write("data/synthesize/responses.parquet", responses, StoredResponse)
    by_method, reasons = Counter(row.task for row in rows), Counter(reject.reason for reject in rejects)
    tried = params.iterations * len(documents)
    stage.metrics(
        {"documents": len(documents), "tried": tried, "rows": len(rows), "by_task": dict(sorted(by_method.items()))}
        | {"reasons": dict(sorted(reasons.items())), **figures}
    )
    stage.timings(timings)
    stage.finish({"documents": len(documents), "tries": tried}, {"rows": len(rows)})


async def _synthesize(
    stage: Stage, documents: list[Document], params: SynthesizeParams, llm: LLMParams
) -> tuple[Sequence[Outcome], UsedResponses, dict[str, Any], dict[str, float]]:
    runtime, taxonomy = stage.section("runtime", RuntimeParams), load_taxonomy()
    async with open_client(stage.name, llm, runtime, base_model=Path("models/base")) as client:
        calibration = await examine(client, params, runtime.concurrency)

        async def work(document: Document) -> Outcome:
            return await synthesize(document, client, params, taxonomy, calibration["passed"])

        outcomes = await map_rows(
            documents, work, concurrency=runtime.concurrency, label="synthesis", client=client,
            tally=lambda outcome: "with pairs" if outcome.rows else "without",
        )  # fmt: skip
        figures = {"calibration": calibration, "same_model": client.same_model, "llm": client.ledger.metrics()}
        return outcomes, client.used(), figures, client.ledger.timings()
