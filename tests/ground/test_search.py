"""One query over the passages and the web: what is left out of one list does not set it back against the other."""

import asyncio

from stages.ground.params import GroundParams
from stages.ground.retrieve import Hit, PassageIndex
from stages.ground.retriever import Retriever
from stages.ground.search import search_query
from stages.ground.trail import Trail
from tests.fake_client import FakeClient
from tests.toy_rows import make_passage, make_row

TEXT = "A script may read the cookies of a page. "


class Web:
    """Two pages for every query."""

    async def search(self, query: str, hits: int) -> list[Hit]:
        return [Hit(make_passage(f"web:{rank}", f"Page {rank} on scripts and cookies."), rank, 0.0) for rank in range(2)]


def test_documents_of_the_row_that_are_left_out_do_not_set_back_the_passages_below_them() -> None:
    passages = [make_passage(f"cwe:CWE-{number}", TEXT + "More words of it. " * number) for number in range(1, 5)]
    retriever = Retriever(PassageIndex(passages))
    alone = [hit.passage.entity_id for hit in retriever.search("script cookies page", 4)]
    shown, params = set(alone[:2]), GroundParams(hits=4)
    trail = Trail(FakeClient(lambda request: ""))
    row = make_row("Which flaw?", "An answer.")
    found = asyncio.run(search_query(row, "script cookies page", shown, retriever, Web(), params, trail))
    order = [hit.passage.entity_id for hit in found]
    assert set(order) == {*alone[2:], "web:0", "web:1"}
    assert {order[0], order[1]} == {alone[2], "web:0"} and {order[2], order[3]} == {alone[3], "web:1"}
