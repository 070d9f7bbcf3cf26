"""Search by meaning: vectors of all passages, exact search by one matrix product, ties broken by passage id."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stages.embed.encoders import Encoder
from stages.ground.order import best_first, candidates
from stages.ground.retrieve import Hit, by_id, passage_text
from stages.ingest.schema import Passage

if TYPE_CHECKING:
    import numpy as np

BLOCK = 128  # queries of one matrix product: 26 MB of scores for 50,000 passages
MARGIN = 1e-3  # of a cosine: more than a matrix product's rounding differs between block sizes


class DenseIndex:
    """Cosine similarity; equal passages in any order give equal hits."""

    def __init__(self, passages: Sequence[Passage], encoder: Encoder) -> None:
        self.passages = by_id(passages)
        self.name, self._encoder = encoder.name, encoder
        self._vectors = encoder.learn([passage_text(passage) for passage in self.passages])

    def search(self, query: str, hits: int) -> list[Hit]:
        """At most `hits` passages with a positive cosine, best first. A query without a known token finds nothing."""
        return self.search_many([query], hits)[0]

    def search_many(self, queries: Sequence[str], hits: int) -> list[list[Hit]]:
        """What `search` gives for each query."""
        return [self._hits(query, scores, hits) for query, scores in self._scored(queries)]

    def _scored(self, queries: Sequence[str]) -> "Iterator[tuple[np.ndarray, np.ndarray]]":
        """Each query's vector and its scores, float32 of (passages,)."""
        vectors = self._encoder.encode(queries)
        for start in range(0, len(queries), BLOCK):
            block = vectors[start : start + BLOCK]
            yield from zip(block, block @ self._vectors.T, strict=True)

    def _hits(self, query: "np.ndarray", scores: "np.ndarray", hits: int) -> list[Hit]:
        """Candidates by the product, their order by sums that do not depend on its block size and threads."""
        import numpy as np

        places = candidates(scores, hits, MARGIN)
        exact = (self._vectors[places].astype(np.float64) * query).sum(axis=1)
        found = best_first(places, exact, hits)
        return [Hit(self.passages[place], rank, score, {self.name: score}) for rank, (place, score) in enumerate(found)]
