"""What rows are searched in: the engines of section `ground` behind one interface."""

from collections.abc import Sequence
from pathlib import Path

from stages.ground.params import GroundParams
from stages.ground.retrieve import Hit, PassageIndex
from stages.ingest.schema import Passage


class Retriever:
    """Equal passages in any order give equal hits."""

    def __init__(self, lexical: PassageIndex) -> None:
        self.lexical = lexical  # the words of the passages, whichever engines search

    @property
    def passages(self) -> list[Passage]:
        """All passages, by id."""
        return self.lexical.passages

    def search(self, query: str, hits: int) -> list[Hit]:
        """At most `hits` passages, best first; none for a query that no passage has to do with."""
        return self.lexical.search(query, hits)

    def search_many(self, queries: Sequence[str], hits: int) -> list[list[Hit]]:
        """What `search` gives for each query, faster."""
        return [self.search(query, hits) for query in queries]


def open_retriever(passages: Sequence[Passage], params: GroundParams, encoder: Path) -> Retriever:
    """The engines of `params` over `passages`; `encoder` is the folder that stage `encoder` makes."""
    return Retriever(PassageIndex(passages))
