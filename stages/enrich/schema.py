"""Rows after enrichment: the answer that stays, the rewrite that was tried and why it was kept or not."""

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
