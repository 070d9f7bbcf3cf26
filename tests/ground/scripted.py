"""A row's way through the stage with a teacher whose replies are given by purpose, in the order of the calls."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from stages.ground.core import Grounding, Library, ground_row, group_by_entity
from stages.ground.params import GroundParams
from stages.ground.retrieve import PassageIndex
from stages.ground.retriever import Retriever
from stages.llm.client import Request
from stages.tables import Reject
from tests.fake_client import FakeClient
from tests.toy_rows import make_format, make_passage, make_row

PASSAGES = [
    make_passage("cwe:CWE-79", "Script handler flaws let a browser run attacker code. Encoding of output stops them."),
    make_passage("cwe:CWE-120", "Buffer handler flaws overwrite memory of the router. A bounds check stops them."),
    make_passage("cwe:CWE-89", "Query handler flaws change a statement of the forum. Bound parameters stop them."),
    make_passage("cwe:CWE-693", "A content policy header tells which sources a page may load code from."),
]
ROW = make_row("What can a script handler do in a browser?", "SECRET ANSWER of the draft.", document_ids=["cwe:CWE-89"])
# by purpose: always the same, or one after the other; None: a failed call
Replies = Mapping[str, str | Sequence[str | None] | None]


def scripted(replies: Replies) -> FakeClient:
    """A client that answers by purpose; the last reply of a list is given for ever."""
    asked: dict[str, int] = {}

    def answer(request: Request) -> str | None:
        said = replies[request.purpose]
        if said is None or isinstance(said, str):
            return said
        at = asked.get(request.purpose, 0)
        asked[request.purpose] = at + 1
        return said[min(at, len(said) - 1)]

    return FakeClient(answer)


def grounded(client: FakeClient, *, document: bool = False, web: Any = None, **params: Any) -> Grounding | Reject:
    """ROW, grounded in PASSAGES."""
    library = Library(Retriever(PassageIndex(PASSAGES)), group_by_entity(PASSAGES), {}, web)
    return asyncio.run(ground_row(ROW, make_format(document=document), client, library, GroundParams(**params)))


def purposes(client: FakeClient) -> list[str]:
    """What was asked, in order, without the stage's name."""
    return [request.purpose.removeprefix("ground.") for request in client.requests]
