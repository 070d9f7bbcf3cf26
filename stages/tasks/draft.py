"""What a generator says about one question, before phrasing, balancing and splitting."""

import msgspec

from stages.options import Ask


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One question about `subject`. Several drafts of one subject are alternatives where a task is balanced."""

    subject: str  # the subject document, whose split decides
    slots: dict[str, str]  # values for the phrasing
    answer: str  # the template answer without its last line
    key: list[str] = []  # right values; empty for option letters, verdicts and free text
    options: list[str] = []  # texts of the options; the right one stands first unless `letter` is given
    ask: Ask | None = None  # how the wrong options are to be found, where `options` holds the right one only
    ids: dict[str, str] = {}  # ids of named options
    letter: str = ""  # the right letter where the options have a fixed order
    verdict: bool | None = None  # yes or no
    entities: list[str] = []  # further entities whose facts are used
    quoted: list[str] = []  # further entities whose text is quoted: none may be held out
    documents: list[str] = []  # entities whose entry is the grounding document


class Skip(msgspec.Struct, frozen=True):
    """A subject that makes no question, and why."""

    subject: str
    reason: str  # no-text, no-link, ambiguous-key, few-distractors, long-answer, ...
