"""The reasoning format of a task, as the pipeline reads it from the library or drafts it."""

import msgspec


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """How the answers of one task are structured (arXiv 2510.14113, section on expert formats)."""

    task: str
    status: str  # approved, draft
    introduction: str  # what kind of task this is and what a good answer shows
    steps: list[str]  # ordered reasoning steps, one sentence each
    instructions: list[str]  # general rules
    answer_line: str  # the last line of a checkable answer, `Final answer: {key}`; empty if none
    search: bool  # retrieve evidence
    document: bool  # use the official entry as grounding document
    rewrite: bool  # False: the template answer stays
    author: str
    reviewer: str
    date: str
    version: int
    sha256: str  # of the file, or of the drafting request
