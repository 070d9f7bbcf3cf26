"""Rows after enrichment: the answer that stays, the rewrites that were tried and why they were kept or not."""

import msgspec


class EnrichedRow(msgspec.Struct, frozen=True, kw_only=True):
    """An instruction row with its final answer and the trail that led to it."""

    id: str
    task: str
    family: str
    instruction: str
    answer: str  # final: the rewrite if decision is `rewritten`, else the template answer
    template_answer: str
    rewrite: str  # the rewrite that was tried, empty if none
    key_kind: str
    answer_key: list[str]
    subject: str
    entity_ids: list[str]
    split: str
    labels: list[str]
    sources: list[str]  # of the template and of the evidence used
    licences: list[str]
    decision: str  # rewritten, template, not-selected; synthesized for rows of the second step
    reasons: list[str]  # why the rewrite was not kept: `key-changed`, `unknown-id`, `mentions-evidence`, ...
    readability: str  # rewritten, original, tie, inconsistent, or empty if not judged
    factuality: int | None  # 1-10
    format_sha256: str  # of the format that the rewrite was asked to follow, empty if none was tried
    steps_followed: int  # steps of that format that have a section in the rewrite
    evidence_ids: list[str]  # passage ids shown to the teacher
    request_hashes: list[str]


class RewriteAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One call of the teacher for one row, in the order in which they were made."""

    row_id: str
    attempt: int  # 0 is the first sample; a prompt that was too long is sent again, shorter, under the same number
    text: str  # what was written, without a code fence around it; empty if the call failed
    reasons: list[str]  # why it was not kept, or why another attempt followed; empty for the rewrite that was kept
    evidence_ids: list[str]  # passage ids that it may rest on
    readability: str  # as in EnrichedRow; verdicts are of the last attempt only
    places: list[str]  # answer named in each order: A, B, tie or empty; the rewrite stands in B first, then in A
    factuality: int | None
    request_hashes: list[str]  # of this attempt: the teacher's, then the judge's
