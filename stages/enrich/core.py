"""Enrichment of one row: rewrite, checks by code, judge, keep rule. Whatever fails, the template answer stays."""

from collections.abc import Mapping, Sequence

import msgspec

from stages.enrich.attempts import Attempt, Job, rewrites
from stages.enrich.checks import CheckResult, check_result, steps_found
from stages.enrich.claims import NO_CLAIMS, Claims, Sources, judge_claims, sentences
from stages.enrich.judge import NO_VERDICT, Verdict, judge_pair
from stages.enrich.params import EnrichParams, Keep
from stages.enrich.schema import EnrichedRow, RewriteAttempt
from stages.ground.schema import WEB, Evidence
from stages.ingest.schema import Entity
from stages.llm.asking import Chat
from stages.llm.client import CallFailed
from stages.tables import Reject
from stages.tasks.schema import InstructionRow

UNSUPPORTED = "unsupported-claim"
__all__ = ["Job", "Outcome", "enrich_row", "untouched"]


class Outcome(msgspec.Struct, frozen=True):
    """The enriched row with the grounds of its decision, and a reject if a call failed for good (the template then stays)."""

    row: EnrichedRow
    checks: list[CheckResult]  # of the last rewrite, passed and failed, in a fixed order
    verdict: Verdict  # NO_VERDICT if the judge was not asked
    shown: list[Evidence]  # to the teacher, for the last rewrite
    hashes: list[str]  # every request of the row, as `row.request_hashes`
    attempts: list[RewriteAttempt]  # every call of the teacher, in order
    reject: Reject | None = None


class Ruling(msgspec.Struct, frozen=True):
    """The judge's word on one rewrite, and the call that failed, the teacher's or the judge's."""

    verdict: Verdict = NO_VERDICT  # with the keys of all its requests
    claims: Claims = NO_CLAIMS
    failure: CallFailed | None = None


async def enrich_row(job: Job, client: Chat, entities: Mapping[str, Entity], params: EnrichParams, judge_passed: bool) -> Outcome:
    """Rewrite `job`'s answer and keep it only if every check and verdict allows it."""
    tried = await rewrites(job, client, entities, params)
    last = tried[-1]
    ruling = await ruled(job, client, last, params, judge_passed)
    reject = None
    if failure := ruling.failure:
        reject = Reject("enrich", job.row.id, f"call-failed:{failure.reason}", failure.detail)
    row = decided(job, tried, ruling.verdict, reasons_of(last, ruling, params, judge_passed), entities)
    checks = [*last.checks, *([check_result(UNSUPPORTED, found)] if (found := ruling.claims.unsupported) else [])]
    attempts = recorded(row, tried, ruling.verdict)
    return Outcome(row, checks, ruling.verdict, last.shown.passages, row.request_hashes, attempts, reject)


async def ruled(job: Job, client: Chat, last: Attempt, params: EnrichParams, judge_passed: bool) -> Ruling:
    """Readability and facts where code has refused nothing, and then claims where these two allow the rewrite."""
    claims = NO_CLAIMS
    if not last.rewrite or (last.reasons and not params.judge_all):
        return Ruling(failure=last.failure)
    verdict = await judge_pair(client, job.row.instruction, job.row.answer, last.text, params.verdict_tokens)
    if verdict.failure:
        return Ruling(verdict, failure=CallFailed(*verdict.failure) if params.keep.judge else None)
    try:
        if params.claims == "judge" and (params.judge_all or not refusals(verdict, params.keep, judge_passed)):
            claims = await claims_of(client, job, last, params)
    except CallFailed as failed:
        return Ruling(verdict, failure=failed if params.keep.judge else None)
    return Ruling(msgspec.structs.replace(verdict, hashes=[*verdict.hashes, *claims.hashes]), claims)


def reasons_of(last: Attempt, ruling: Ruling, params: EnrichParams, judge_passed: bool) -> list[str]:
    """Every reason why the template answer stays; empty if the rewrite takes its place."""
    if ruling.failure is not None:
        return [*last.reasons, f"call-failed:{ruling.failure.reason}"]
    if not judged(ruling.verdict) or not params.keep.judge:
        return last.reasons
    said = [*refusals(ruling.verdict, params.keep, judge_passed), *claim_refusals(ruling.claims)]
    return list(dict.fromkeys([*last.reasons, *said]))


async def claims_of(client: Chat, job: Job, tried: Attempt, params: EnrichParams) -> Claims:
    """What the judge says of the sentences of a rewrite. Raises CallFailed."""
    told = sentences(tried.text, keyed=bool(job.row.answer_key))
    evidence = [*(passage.text for passage in tried.shown.passages), tried.shown.summary]
    return await judge_claims(client, Sources(job.row.instruction, job.row.answer, evidence), told, params.verdict_tokens)


def claim_refusals(claims: Claims) -> list[str]:
    """Why the judge's word on single sentences does not allow the rewrite: reasons, empty if it does."""
    return ["judge-unparsed"] if claims.unsupported is None else [UNSUPPORTED] if claims.unsupported else []


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


def decided(
    job: Job, tried: Sequence[Attempt], verdict: Verdict, reasons: list[str], entities: Mapping[str, Entity]
) -> EnrichedRow:
    """The row with the answer that stays; sources and licences of the evidence count only if the rewrite is kept."""
    last, kept = tried[-1], not reasons
    used = last.shown.passages if kept else []
    sources = {entities[passage.entity_id].source for passage in used if passage.entity_id in entities}
    sources |= {WEB for passage in used if passage.entity_id.startswith(f"{WEB}:")}
    return as_enriched(
        job.row,
        answer=last.text if kept else job.row.answer,
        rewrite=last.rewrite,
        sources=sorted({*job.row.sources, *sources}),
        licences=sorted({*job.row.licences, *(passage.licence for passage in used)}),
        decision="rewritten" if kept else "template",
        reasons=reasons,
        readability=verdict.readability,
        factuality=verdict.factuality,
        format_sha256=job.form.sha256,
        steps_followed=steps_found(last.rewrite, len(job.form.steps)),
        evidence_ids=[passage.passage_id for passage in last.shown.passages],
        request_hashes=[*job.grounded.request_hashes, *(key for one in tried for key in one.hashes), *verdict.hashes],
    )


def recorded(row: EnrichedRow, tried: Sequence[Attempt], verdict: Verdict) -> list[RewriteAttempt]:
    """Every attempt as a record of the table of attempts; the verdict, and what the row's reasons add, are of the last one."""
    records = [
        RewriteAttempt(
            row_id=row.id, attempt=one.number, text=one.text,
            reasons=[f"call-failed:{one.failure.reason}"] if one.failure else one.reasons,
            evidence_ids=[passage.passage_id for passage in one.shown.passages],
            readability="", places=["", ""], factuality=None, request_hashes=one.hashes,
        )
        for one in tried
    ]  # fmt: skip
    last = msgspec.structs.replace(
        records[-1], reasons=row.reasons, readability=verdict.readability, places=list(verdict.places),
        factuality=verdict.factuality, request_hashes=[*records[-1].request_hashes, *verdict.hashes],
    )  # fmt: skip
    return [*records[:-1], last]


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
