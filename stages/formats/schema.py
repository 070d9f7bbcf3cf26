"""The reasoning format of a task, as the pipeline reads it from the library or drafts it."""

from typing import Literal

import msgspec

Kind = Literal["search", "document", "rewrite-only", "untouched"]


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
    sha256: str  # of the file's text; of the drafting request for a draft that no file holds
    drafted_with: str = ""  # the model that drafted it; empty if a person wrote it
    prompt_sha256: str = ""  # hash of the drafting request
    tried_on: list[str] = []  # ids of the rows it was tried on
    note: str = ""  # the reviewer's


def kind(form: Format) -> Kind:
    """Where the facts of a rewrite come from: one of the four flags of the paper. The official entry outranks a search."""
    if not form.rewrite:
        return "untouched"
    return "document" if form.document else "search" if form.search else "rewrite-only"
