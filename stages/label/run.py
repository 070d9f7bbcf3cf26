"""The stage, read top to bottom: sample, ask the judge, compare with what is declared."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.label.core import agreement, label, sample
from stages.label.params import LabelParams
from stages.label.schema import Labelled
from stages.llm.client import map_rows, open_client
from stages.llm.params import LLMParams
from stages.llm.schema import StoredResponse
from stages.llm.used import UsedResponses
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.tables import Reject
from stages.tasks.schema import InstructionRow
from stages.taxonomy import load_taxonomy


def run_label(stage: Stage) -> None:
    """No model is loaded when no row is to be labelled."""
    params, llm = stage.section("label", LabelParams), stage.section("llm", LLMParams)
    rows = sample(stage.read("data/tasks/rows.parquet", InstructionRow), params.rows)
    outcomes, responses, figures, timings = asyncio.run(_label(stage, rows, params, llm)) if rows else ([], [], {}, {})
    labelled = [one for one in outcomes if isinstance(one, Labelled)]
    rejects = [one for one in outcomes if isinstance(one, Reject)]
    stage.write("data/label/labels.parquet", labelled, Labelled)
    stage.write_rejects("data/label/rejects.parquet", rejects)
    stage.write("data/label/responses.parquet", responses, StoredResponse)
    stage.metrics({"rows": len(rows), "labelled": len(labelled), "llm": figures, **agreement(labelled, load_taxonomy())})
    stage.timings(timings)
    stage.finish({"rows": len(rows)}, {"labelled": len(labelled)})


async def _label(
    stage: Stage, rows: list[InstructionRow], params: LabelParams, llm: LLMParams
) -> tuple[Sequence[Labelled | Reject], UsedResponses, dict[str, Any], dict[str, float]]:
    runtime, taxonomy = stage.section("runtime", RuntimeParams), load_taxonomy()
    async with open_client(stage.name, llm, runtime, base_model=Path("models/base")) as client:

        async def work(row: InstructionRow) -> Labelled | Reject:
            return await label(row, client, taxonomy, params)

        outcomes = await map_rows(
            rows, work, concurrency=runtime.concurrency, label="labelling", client=client,
            tally=lambda outcome: "rejected" if isinstance(outcome, Reject) else "labelled",
        )  # fmt: skip
        return outcomes, client.used(), client.ledger.metrics(), client.ledger.timings()
