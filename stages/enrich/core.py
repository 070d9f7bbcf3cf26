"""Enrichment of one row: rewrite, checks by code, judge, keep rule. Whatever fails, the template answer stays."""

from collections.abc import Mapping, Sequence

import msgspec

from stages.enrich.checks import FORM, CheckResult, Known, check_result, ids_in, run_checks, steps_found
from stages.enrich.judge import NO_VERDICT, Verdict, judge_pair
from stages.enrich.params import EnrichParams, Keep
from stages.enrich.rewrite import clean_rewrite, evidence_for, rewrite_request
from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.ground.schema import Evidence, GroundedRow
from stages.ingest.schema import Entity
from stages.llm.client import CallFailed, Client, Reply
from stages.tables import Reject
from stages.tasks.schema import InstructionRow


class Job(msgspec.Struct, frozen=True):
    """One row to rewrite, with all that the rewrite may rest on."""

    row: InstructionRow
    form: Format
    grounded: GroundedRow
    evidence: list[Evidence]


class Attempt(msgspec.Struct, frozen=True):
    """The last rewrite that was tried."""

    text: str
    checks: list[CheckResult]  # none if the call failed
    evidence: list[Evidence]  # shown to the teacher
    hashes: list[str]
    failure: CallFailed | None = None

    @property
    def reasons(self) -> list[str]:
        """Sorted names of the checks that failed."""
        return sorted(check.name for check in self.checks if not check.passed)


class Outcome(msgspec.Struct, frozen=True):
    """The enriched row with the grounds of its decision, and a reject if a call failed for good (the template then stays)."""

    row: EnrichedRow
    checks: list[CheckResult]  # of the last rewrite, passed and failed, in a fixed order
    verdict: Verdict  # NO_VERDICT if the judge was not asked
    shown: list[Evidence]  # to the teacher, for the last rewrite
    hashes: list[str]  # every request of the row, as `row.request_hashes`
    reject: Reject | None = None


async def enrich_row(
    job: Job, client: Client, entities: Mapping[str, Entity], params: EnrichParams, judge_passed: bool
) -> Outcome:
    """Rewrite `job`'s answer and keep it only if every check and verdict allows it."""
    tried = await rewrite(job, client, entities, params)
    failure, verdict = tried.failure, NO_VERDICT
    if failure is None and (params.judge_all or not tried.reasons):
        try:
            verdict = await judge_pair(client, job.row.instruction, job.row.answer, tried.text, params.verdict_tokens)
        except CallFailed as failed:
            failure = failed if params.keep.judge else None
    reject, reasons = None, tried.reasons
    if failure is not None:
        reject = Reject("enrich", job.row.id, f"call-failed:{failure.reason}", failure.detail)
        reasons = [*reasons, reject.reason]
    elif judged(verdict) and params.keep.judge:
        reasons = [*reasons, *refusals(verdict, params.keep, judge_passed)]
    row = decided(job, tried, verdict, reasons, entities)
    return Outcome(row, tried.checks, verdict, tried.evidence, row.request_hashes, reject)


async def rewrite(job: Job, client: Client, entities: Mapping[str, Entity], params: EnrichParams) -> Attempt:
    """Up to `params.attempts` rewrites, each with less evidence than the one before; the first whole text is the last."""
    tried, hashes = Attempt("", [], [], []), []
    for attempt in range(params.attempts):
        shown = evidence_for(attempt, job.evidence, params.evidence_tokens)
        try:
            reply = await client.chat(rewrite_request(job.row, job.form, shown, attempt))
        except CallFailed as failure:
            tried = Attempt("", [], shown, hashes, failure)
            continue
        hashes = [*hashes, reply.key]
        text, known = clean_rewrite(reply.text), Known(entities, ids_here(job.row, shown))
        checks = [*run_checks(job.row, job.form, text, known, params.length), whole(reply)]
        tried = Attempt(text, checks, shown, hashes)
        if not FORM & set(tried.reasons):
            break
    return tried


def whole(reply: Reply) -> CheckResult:
    """Whether the reply ended by itself; if not, how long it is and the words it was cut after."""
    cut = reply.finish_reason == "length"
    end = " ".join(reply.text.split())[-60:]
    return check_result("truncated", [f"cut after {reply.completion_tokens} tokens: …{end}"] if cut else [])


def ids_here(row: InstructionRow, evidence: Sequence[Evidence]) -> set[str]:
    """Every id that stands in the row, its grounding documents or its evidence."""
    texts = "\n".join([row.instruction, row.answer, *(passage.text for passage in evidence)])
    return ids_in(texts) | {*row.entity_ids, *row.document_ids} | {passage.entity_id for passage in evidence}


def judged(verdict: Verdict) -> bool:
    """Whether the judge was asked."""
    return bool(verdict.hashes)


def refusals(verdict: Verdict, keep: Keep, judge_passed: bool) -> list[str]:
    """Why the judge's word does not allow the rewrite: reasons, empty if it does."""
    found = {
        "judge-not-calibrated": not judge_passed,
        "judge-unparsed": not verdict.readability or verdict.factuality is None,
        "less-readable": bool(verdict.readability) and verdict.readability not in keep.readability,
        "not-factual": verdict.factuality is not None and verdict.factuality < keep.factuality,
    }
    return [reason for reason, is_so in found.items() if is_so]


def decided(job: Job, tried: Attempt, verdict: Verdict, reasons: list[str], entities: Mapping[str, Entity]) -> EnrichedRow:
    """The row with the answer that stays; sources and licences of the evidence count only if the rewrite is kept."""
    kept = not reasons
    used = tried.evidence if kept else []
    sources = {entities[passage.entity_id].source for passage in used if passage.entity_id in entities}
    return as_enriched(
        job.row,
        answer=tried.text if kept else job.row.answer,
        rewrite=tried.text,
        sources=sorted({*job.row.sources, *sources}),
        licences=sorted({*job.row.licences, *(passage.licence for passage in used)}),
        decision="rewritten" if kept else "template",
        reasons=reasons,
        readability=verdict.readability,
        factuality=verdict.factuality,
        format_sha256=job.form.sha256,
        steps_followed=steps_found(tried.text, len(job.form.steps)),
        evidence_ids=[passage.passage_id for passage in tried.evidence],
        request_hashes=[*job.grounded.request_hashes, *tried.hashes, *verdict.hashes],
    )


def untouched(row: InstructionRow) -> EnrichedRow:
    """A row that was not selected for rewriting passes through with its template answer."""
    return as_enriched(
        row, answer=row.answer, rewrite="", sources=row.sources, licences=row.licences, decision="not-selected",
        reasons=[], readability="", factuality=None, format_sha256="", steps_followed=0, evidence_ids=[], request_hashes=[],
    )  # fmt: skip


def as_enriched(row: InstructionRow, **changed: object) -> EnrichedRow:
    """The fields of `row` that enrichment keeps, with those that it decides."""
    shared = ("id", "task", "family", "instruction", "key_kind", "answer_key", "subject", "entity_ids", "split", "labels")
    return EnrichedRow(**{name: getattr(row, name) for name in shared}, template_answer=row.answer, **changed)  # type: ignore[arg-type]
