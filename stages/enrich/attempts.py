"""The teacher's part: rewrites of one row until one is whole, with less evidence where there was too much."""

from collections.abc import Collection, Sequence

import msgspec

from stages.enrich.checks import FORM, CheckResult, Known, check_result, run_checks
from stages.enrich.identifiers import ids_in
from stages.enrich.params import EnrichParams
from stages.enrich.rewrite import Shown, clean_rewrite, material, rewrite_request, why_kept
from stages.formats.schema import Format
from stages.ground.schema import Evidence, GroundedRow
from stages.llm.asking import Chat
from stages.llm.client import CallFailed, Reply
from stages.tasks.schema import InstructionRow

TOO_LONG = "too-long"  # the reason of a call whose prompt the model has no room for
DECLINED = "format-does-not-suit"


class Job(msgspec.Struct, frozen=True):
    """One row to rewrite, with all that the rewrite may rest on."""

    row: InstructionRow
    form: Format
    grounded: GroundedRow
    evidence: list[Evidence]


class Attempt(msgspec.Struct, frozen=True):
    """One call of the teacher and what code says of the text."""

    number: int
    shown: Shown
    text: str = ""
    checks: list[CheckResult] = []  # none if the call failed
    hashes: list[str] = []
    failure: CallFailed | None = None

    @property
    def reasons(self) -> list[str]:
        """Sorted names of the checks that failed."""
        return sorted(check.name for check in self.checks if not check.passed)

    @property
    def rewrite(self) -> str:
        """The text, unless it says that there is none."""
        return "" if DECLINED in self.reasons else self.text


async def rewrites(job: Job, client: Chat, entities: Collection[str], params: EnrichParams) -> list[Attempt]:
    """Every call of the teacher, the decisive one last: `params.attempts` samples at most, up to the first whole text.

    Later samples see half the evidence. A prompt that is too long is sent again with fewer passages, which uses up
    no sample; where it is too long without any, no further sample is taken.
    """
    tried: list[Attempt] = []
    for number in range(params.attempts):
        for shown in material(number, job.evidence, job.grounded.summary, params.evidence_tokens):
            tried.append(await one_rewrite(job, client, entities, params, number, shown))
            if not overflowed(tried[-1]):
                break
        last = tried[-1]
        if overflowed(last) or (last.failure is None and not FORM & set(last.reasons)):
            break
    return tried


async def one_rewrite(
    job: Job, client: Chat, entities: Collection[str], params: EnrichParams, number: int, shown: Shown
) -> Attempt:
    """The teacher's answer with its checks, or why there is none."""
    request = rewrite_request(job.row, job.form, shown.passages, number, summary=shown.summary, adaptive=params.adaptive)
    try:
        reply = await client.chat(request)
    except CallFailed as failure:
        return Attempt(number, shown, failure=failure)
    text = clean_rewrite(reply.text)
    why = why_kept(text) if params.adaptive else ""
    checks = [check_result(DECLINED, [why])] if why else checks_of(job, text, reply, shown, entities, params)
    return Attempt(number, shown, text, checks, [reply.key])


def checks_of(
    job: Job, text: str, reply: Reply, shown: Shown, entities: Collection[str], params: EnrichParams
) -> list[CheckResult]:
    """All that code can say of `text`, which came as `reply`."""
    known = Known(entities, ids_here(job.row, shown), source_texts(job.row, shown))
    return [*run_checks(job.row, job.form, text, known, params.length), whole(reply)]


def overflowed(tried: Attempt) -> bool:
    """Whether the model had no room for the prompt."""
    return tried.failure is not None and tried.failure.reason == TOO_LONG


def whole(reply: Reply) -> CheckResult:
    """Whether the reply ended by itself; if not, how long it is and the words it was cut after."""
    cut = reply.finish_reason == "length"
    end = " ".join(reply.text.split())[-60:]
    return check_result("truncated", [f"cut after {reply.completion_tokens} tokens: …{end}"] if cut else [])


def ids_here(row: InstructionRow, shown: Shown) -> set[str]:
    """Every id that stands in the row, its grounding documents, its evidence or the summary of these."""
    return (
        ids_in("\n".join(source_texts(row, shown)))
        | {*row.entity_ids, *row.document_ids}
        | {passage.entity_id for passage in shown.passages}
    )


def source_texts(row: InstructionRow, shown: Shown) -> Sequence[str]:
    """All that a rewrite may state: the question, the original answer, the passages and their summary."""
    return [row.instruction, row.answer, *(passage.text for passage in shown.passages), shown.summary]
