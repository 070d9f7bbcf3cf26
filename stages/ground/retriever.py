"""What rows are searched in: the engines of `ground.engines` behind one interface, fused by rank if they are several."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from stages.embed.encoders import MiniLMEncoder, StaticEncoder
from stages.ground.fuse import fuse
from stages.ground.params import GroundParams
from stages.ground.retrieve import Hit, PassageIndex
from stages.ingest.schema import Passage
from stages.runtime import RuntimeParams

DEPTH = 5  # times the hits that are asked for: so many of each engine are fused, since one may rank low what another ranks high


class Engine(Protocol):
    """One way to search."""

    name: str

    def search_many(self, queries: Sequence[str], hits: int) -> list[list[Hit]]:
        """At most `hits` passages for each query, best first."""


class Retriever:
    """Equal passages in any order give equal hits."""

    def __init__(self, lexical: PassageIndex, engines: Sequence[Engine] = (), rrf: int = 60) -> None:
        """`lexical` knows the words of the passages, whichever `engines` search; without any it searches itself."""
        self.lexical, self.engines, self.rrf = lexical, list(engines) or [lexical], rrf

    def search(self, query: str, hits: int) -> list[Hit]:
        """At most `hits` passages, best first; none for a query that no passage has to do with."""
        return self.search_many([query], hits)[0]

    def search_many(self, queries: Sequence[str], hits: int) -> list[list[Hit]]:
        """What `search` gives for each query, faster."""
        if len(self.engines) == 1:
            return self.engines[0].search_many(queries, hits)
        found = [engine.search_many(queries, DEPTH * hits) for engine in self.engines]
        return [fuse(of_query, self.rrf, hits) for of_query in zip(*found, strict=True)]


def open_retriever(passages: Sequence[Passage], params: GroundParams, encoder: Path, runtime: RuntimeParams) -> Retriever:
    """The engines of `params` over `passages`; `encoder` is the folder that stage `encoder` makes.

    Raises InputError if an engine's files are not there.
    """
    lexical = PassageIndex(passages)
    return Retriever(lexical, [open_engine(name, lexical, encoder, runtime) for name in params.engines], params.rrf)


def open_engine(name: str, lexical: PassageIndex, encoder: Path, runtime: RuntimeParams) -> Engine:
    """The engine `name` (bm25, static, minilm) over the passages of `lexical`."""
    if name == lexical.name:
        return lexical
    from stages.ground.dense import DenseIndex

    folder = encoder / name
    return DenseIndex(lexical.passages, StaticEncoder(folder) if name == "static" else MiniLMEncoder(folder, runtime))
