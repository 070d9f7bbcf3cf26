"""What rows are searched in: the engines of `ground.engines` behind one interface, joined if they are several."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from stages.embed.encoders import MiniLMEncoder, StaticEncoder
from stages.ground.anchors import NONE, Anchors
from stages.ground.combine import combine
from stages.ground.order import Scores
from stages.ground.params import GroundParams
from stages.ground.retrieve import Hit, PassageIndex
from stages.ingest.schema import Passage
from stages.runtime import RuntimeParams


class Engine(Protocol):
    """One way to search; places are those of the passages in the order of `by_id`."""

    name: str

    def search_many(self, queries: Sequence[str], hits: int) -> list[list[Hit]]:
        """At most `hits` passages for each query, best first."""

    def score_many(self, queries: Sequence[str]) -> Iterator[Scores]:
        """Each query's scores of all passages."""


class Retriever:
    """Equal passages in any order give equal hits."""

    def __init__(self, lexical: PassageIndex, engines: Sequence[Engine] = ()) -> None:
        """`lexical` knows the words of the passages, whichever `engines` search; without any it searches itself."""
        self.lexical, self.engines = lexical, list(engines) or [lexical]

    def search(self, query: str, hits: int) -> list[Hit]:
        """At most `hits` passages, best first; none for a query that no passage has to do with."""
        return self.search_many([query], hits)[0]

    def search_many(self, queries: Sequence[str], hits: int) -> list[list[Hit]]:
        """What `search` gives for each query, faster."""
        if len(self.engines) == 1:
            return self.engines[0].search_many(queries, hits)
        names = [engine.name for engine in self.engines]
        scored = zip(*(engine.score_many(queries) for engine in self.engines), strict=True)
        return [combine(self.lexical.passages, dict(zip(names, of_query, strict=True)), hits) for of_query in scored]


def open_retriever(
    passages: Sequence[Passage], params: GroundParams, encoder: Path, runtime: RuntimeParams, anchors: Anchors = NONE
) -> Retriever:
    """The engines of `params` over `passages`; `encoder` is the folder that stage `encoder` makes.

    Raises InputError if an engine's files are not there.
    """
    lexical = PassageIndex(passages, anchors)
    return Retriever(lexical, [open_engine(name, lexical, encoder, runtime, anchors) for name in params.engines])


def open_engine(name: str, lexical: PassageIndex, encoder: Path, runtime: RuntimeParams, anchors: Anchors = NONE) -> Engine:
    """The engine `name` (bm25, static, minilm) over the passages of `lexical`."""
    if name == lexical.name:
        return lexical
    from stages.ground.dense import DenseIndex

    folder = encoder / name
    coder = StaticEncoder(folder) if name == "static" else MiniLMEncoder(folder, runtime)
    return DenseIndex(lexical.passages, coder, anchors)
