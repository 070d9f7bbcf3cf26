"""Training rows: what a fine-tune sees, and nothing it does not need; and what was unsafe in their texts."""

import msgspec


class TrainingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One clean row; its id leads back through every earlier table."""

    id: str
    task: str
    family: str
    instruction: str
    answer: str
    key_kind: str
    answer_key: list[str]
    decision: str  # rewritten, template, not-selected; synthesized for rows of the second step
    licences: list[str]


class RowApart(TrainingRow, frozen=True, kw_only=True):
    """A clean row whose licence keeps it out of both sets: no stage trains on it, an export has it in a configuration of its own."""

    split: str  # train or dev
    licence_class: str  # share-alike, copyleft or non-commercial


class ClusterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a cluster of duplicates: the one that stays, or one that was dropped for it."""

    cluster: str  # id of the row that stays
    row: str
    kept: bool
    kind: str  # exact, near or semantic; empty for the row that stays
    similarity: float  # to the row that stays: 1, Jaccard of shingles, or the lesser cosine of question and answer
    task: str
    split: str


class SafetyFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One unsafe place in the text of a row that came in."""

    row: str
    task: str
    kind: str  # secret, offensive, prompt-injection, control-token, personal-data, live-indicator
    rule: str
    field: str  # instruction, answer, or sources for a row of a denied source
    action: str  # reject: the row was dropped; neutralise: the place was changed; report: neither
    sample: str  # the place, harmless; a fingerprint for credentials and personal data


class TouchedItem(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark item that rows gave away before these were dropped; evaluation may score it apart."""

    benchmark: str
    item: str
    rules: list[str]  # identifier, 13-gram, near-duplicate, embedding, ...
    rows: int
