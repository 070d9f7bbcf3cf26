"""Training rows: what a fine-tune sees, and nothing it does not need."""

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
