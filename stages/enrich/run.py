"""The stage, read top to bottom: calibrate the judge, enrich the grounded rows, pass the others through."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from stages.engine.engine import open_engine
from stages.enrich.audit import audit
from stages.enrich.calibration import calibrate, report
from stages.enrich.core import Job, Outcome, enrich_row
from stages.enrich.describe import bare_attempts, describe
from stages.enrich.format_figures import CONFIDENCE, Paid, tallied, tried_of
from stages.enrich.params import EnrichParams
from stages.enrich.results import Results, SpentByKey, bare
from stages.enrich.schema import EnrichedRow, RewriteAttempt
from stages.errors import InputError
from stages.formats.schema import Format
from stages.ground.schema import Evidence, GroundedRow
from stages.ingest.schema import Entity
from stages.llm.asking import Chat
from stages.llm.params import LLMParams
from stages.llm.schema import StoredResponse
from stages.llm.spool import Codec, Spool
from stages.llm.used import UsedResponses
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.tables import read_rows, write_json
from stages.tasks.schema import InstructionRow


def run_enrich(stage: Stage) -> None:
    """Every instruction row comes out, with its template answer or a rewrite that passed everything."""
    params, llm = stage.section("enrich", EnrichParams), stage.section("llm", LLMParams)
    rows = stage.read("data/tasks/rows.parquet", InstructionRow)
    jobs = make_jobs(
        rows,
        stage.read("data/formats/formats.parquet", Format),
        stage.read("data/ground/rows.parquet", GroundedRow),
        stage.read("data/ground/evidence.parquet", Evidence),
    )
    entities = {entity.id: entity for entity in stage.read("data/graph/entities.parquet", Entity)}
    outcomes, responses, measured, timings = asyncio.run(_enrich(stage, jobs, entities, params, llm))
    results = Results(outcomes, jobs, rows)
    stage.write("data/enrich/rows.parquet", results.rows(), EnrichedRow)
    stage.write("data/enrich/attempts.parquet", results.attempts(), RewriteAttempt)
    stage.write_rejects("data/enrich/rejects.parquet", results.rejects())
    stage.write("data/enrich/responses.parquet", responses, StoredResponse)
    asked = chain(stage.stream("data/ground/responses.parquet", StoredResponse), responses)
    formats = format_metrics(jobs, outcomes, SpentByKey(asked), stage.section("runtime", RuntimeParams))
    write_json("metrics/enrich_formats.json", formats)
    kept, attempts = [bare(row) for row in results.rows()], bare_attempts(results.attempts())
    found = audited(read_rows("data/enrich/rows.parquet", EnrichedRow), rows, entities, jobs)
    stage.metrics({**describe(kept, attempts, params), "kept": found, **measured, "judge_counts": params.keep.judge})
    stage.timings(timings)
    rewritten = sum(row.decision == "rewritten" for row in kept)
    stage.finish({"rows": len(rows), "to rewrite": len(jobs)}, {"rows": len(kept), "rewritten": rewritten})


def audited(
    written: Iterable[EnrichedRow], rows: list[InstructionRow], entities: dict[str, Entity], jobs: list[Job]
) -> dict[str, Any]:
    """The audit of the finished table; what it finds is told at once, for the keep rule should have left nothing."""
    evidence = {job.row.id: job.evidence for job in jobs}
    found = audit(written, {row.id: row for row in rows}, entities, evidence).metrics()
    if found["offending"]:
        print(
            f"[enrich] warning: rows of data/enrich/rows.parquet break the keep rule: {', '.join(found['offending'])} "
            f"(keys lost {found['keys_lost']}, invented ids {found['invented_ids']}, unsupported ids {found['unsupported_ids']}, "
            f"altered {found['rows_altered']}). Do not use the table; please report it.",
            file=sys.stderr,
        )
    return found


def make_jobs(
    rows: list[InstructionRow], formats: list[Format], grounded: list[GroundedRow], evidence: list[Evidence]
) -> list[Job]:
    """One job per grounded row, in the order of `grounded`. Raises InputError if the tables are not of one build."""
    by_id, by_task, passages = {row.id: row for row in rows}, {form.task: form for form in formats}, defaultdict(list)
    for passage in evidence:
        passages[passage.row_id].append(passage)
    strange = [found.row_id for found in grounded if found.row_id not in by_id or found.task not in by_task]
    if strange:
        raise InputError(
            f"data/ground/rows.parquet has {len(strange)} row(s) without an instruction or a format, the first is {strange[0]}.",
            allowed="rows of data/tasks/rows.parquet whose task stands in data/formats/formats.parquet",
            remedy="The tables are of different builds: run `dvc repro enrich`.",
        )
    return [Job(by_id[found.row_id], by_task[found.task], found, passages[found.row_id]) for found in grounded]


def format_metrics(
    jobs: list[Job], outcomes: Sequence[Outcome], by_key: Mapping[str, Paid], runtime: RuntimeParams
) -> dict[str, Any]:
    """Figures of each task's format over the rows tried with it, and of all tried rows."""
    pairs = zip(jobs, outcomes, strict=True)
    every, tasks = tallied(tried_of(outcome.row, job.form, by_key, runtime.prices) for job, outcome in pairs)
    return {"all": every, "confidence": CONFIDENCE, "tasks": tasks}


async def _enrich(
    stage: Stage, jobs: list[Job], entities: dict[str, Entity], params: EnrichParams, llm: LLMParams
) -> tuple[Sequence[Outcome], UsedResponses, dict[str, Any], dict[str, float]]:
    """Outcomes in the order of `jobs`, the responses used, figures of judge and calls, and times."""
    runtime = stage.section("runtime", RuntimeParams)
    spool = Spool(stage.scratch("rows.spool"), Codec(Outcome), len(jobs))
    async with open_engine(stage.name, llm, runtime, Path("models/base")) as engine:
        client = engine.client
        calibration = await calibrate(client, params, runtime.concurrency) if jobs else report([], params.calibration)
        if jobs and params.keep.judge and not calibration["passed"]:
            print(f"[{stage.name}] warning: {failed_examination(calibration)}", file=sys.stderr)
        passed = calibration["passed"]

        def make_worker(client: Chat) -> Callable[[Job], Awaitable[Outcome]]:
            return lambda job: enrich_row(job, client, entities, params, passed)

        outcomes: Any = await engine.map_rows(jobs, make_worker, spool, label="rewriting", tally=tally)
        measured = {"calibration": calibration, "same_model": client.same_model, "llm": client.ledger.metrics()}
        return outcomes, client.used(), measured, client.ledger.timings()


def failed_examination(calibration: Mapping[str, Any]) -> str:
    """Which examinations the judge failed, and what that means."""
    claims, failed = calibration["claims"], []
    if not calibration["pairs_passed"]:
        shares = [
            f"{name} {'not asked' if share is None else f'{share:.0%} right'}" for name, share in calibration["accuracy"].items()
        ]
        failed.append(f"on pairs ({', '.join(shares)})")
    if claims and not claims["passed"]:
        failed.append(f"on claims ({claims['accuracy'] or 0:.0%} right; `enrich.claims: off` leaves them out)")
    return f"the judge did not pass its calibration {' and '.join(failed)}; no rewrite is kept on its word."


def tally(outcome: Outcome) -> str:
    """What became of a row, for those who watch."""
    return "rejected" if outcome.reject else "kept" if outcome.row.decision == "rewritten" else "template"
