"""A question with the entries that answer it."""

import msgspec


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for, and what counts as found."""

    question: str
    answers: list[str]  # ids of entities, or of passages where only one section answers; any of them is a hit
    kind: str  # entity type of the first answer
    # By hand: `field` (the field's own terms) or `plain` (everyday words). By code: `quotes` and `held-out` repeat a passage's
    # words (of a row, of a benchmark item), `describes` says it in others.
    wording: str
