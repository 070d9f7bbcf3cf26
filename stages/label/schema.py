"""What was declared of a row, and what a model said."""

import msgspec


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """One row that a model labelled by the taxonomy of `stages/taxonomy.yaml`."""

    row_id: str
    task: str
    declared: list[str]  # by its task and by rule
    named: list[str]  # by the model
    request_hashes: list[str]  # the question, and the repair where the reply could not be read
