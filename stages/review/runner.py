"""One row through the real path: grounding, rewriting, checks and judge, as the stages `ground` and `enrich` do it."""

import msgspec

from stages.enrich.core import Job, Outcome, enrich_row
from stages.enrich.format_figures import tried_of
from stages.formats.schema import Format
from stages.ground.core import Grounding, Library, ground_row
from stages.llm.client import Client, StoredResponse
from stages.review.data import EntityTable
from stages.review.meter import Meter
from stages.review.schema import RowResult
from stages.review.settings import Settings
from stages.runtime import RuntimeParams
from stages.tables import Reject
from stages.tasks.schema import InstructionRow


class Bedrock(msgspec.Struct, frozen=True):
    """What all rows of a run share."""

    client: Client
    library: Library
    entities: EntityTable
    settings: Settings
    judge_passed: bool


async def try_row(run_id: str, row: InstructionRow, form: Format, bedrock: Bedrock) -> RowResult:
    """What becomes of `row` under `form`. A call that failed for good stands in the result; LLMError is raised."""
    meter, settings = Meter(bedrock.client), bedrock.settings
    grounding = await ground_row(row, form, meter, bedrock.library, settings.ground)  # type: ignore[arg-type]
    if isinstance(grounding, Reject):
        return _failed(run_id, row, grounding, meter)
    job = Job(row, form, grounding.row, grounding.evidence)
    outcome = await enrich_row(job, meter, bedrock.entities, settings.enrich, bedrock.judge_passed)  # type: ignore[arg-type]
    return _result(run_id, job, grounding, outcome, meter, settings.runtime)


def _result(run_id: str, job: Job, grounding: Grounding, outcome: Outcome, meter: Meter, runtime: RuntimeParams) -> RowResult:
    enriched, usage = outcome.row, meter.usage()
    return RowResult(
        run_id=run_id,
        row_id=enriched.id,
        evidence=grounding.evidence,
        shown=[passage.passage_id for passage in outcome.shown],
        queries=grounding.row.queries,
        kept_queries=grounding.row.kept_queries,
        rewrite=enriched.rewrite,
        kept=enriched.decision == "rewritten",
        reasons=enriched.reasons,
        checks=outcome.checks,
        readability=enriched.readability,
        places=list(outcome.verdict.places),
        factuality=enriched.factuality,
        tried=None if outcome.reject else tried_of(enriched, job.form, _responses(meter), runtime.prices),
        seconds=round(meter.seconds, 3),
        cached=usage.cached,
        usage=usage,
        error=_said(outcome.reject) if outcome.reject else "",
    )


def _failed(run_id: str, row: InstructionRow, reject: Reject, meter: Meter) -> RowResult:
    """A row whose grounding failed has nothing else to show."""
    usage = meter.usage()
    return RowResult(
        run_id=run_id, row_id=row.id, evidence=[], shown=[], queries=[], kept_queries=[], rewrite="", kept=False,
        reasons=[reject.reason], checks=[], readability="", places=["", ""], factuality=None, tried=None,
        seconds=round(meter.seconds, 3), cached=usage.cached, usage=usage, error=_said(reject),
    )  # fmt: skip


def _said(reject: Reject) -> str:
    return f"{reject.source}: {reject.reason}{f' ({reject.detail})' if reject.detail else ''}"


def _responses(meter: Meter) -> dict[str, StoredResponse]:
    """What the row's requests got, by key."""
    llm = meter.client.llm
    return {
        reply.key: StoredResponse(
            key=reply.key,
            namespace=request.purpose,
            model=(llm.teacher if request.role == "teacher" else llm.judge).model,
            text=reply.text,
            finish_reason=reply.finish_reason,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
        )
        for request, reply in meter.replies
    }
