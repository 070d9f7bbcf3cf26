"""A question with the entries that answer it."""

import msgspec


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for, and what counts as found."""

    question: str
    answers: list[str]  # ids of entities, or of passages where only one section answers; any of them is a hit
    kind: str  # entity type of the first answer
    wording: str  # hand-written: `field` (the field's own terms) or `plain` (everyday words); else `quotes` or `describes`
