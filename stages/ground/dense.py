"""Search by meaning: vectors of all passages, exact search by one matrix product, ties broken by passage id."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stages.embed.encoders import Encoder, scaled
from stages.ground.anchors import NONE, Anchors
from stages.ground.order import MARGIN, Scores, best_first, candidates
from stages.ground.retrieve import Hit, by_id, passage_text
from stages.ingest.schema import Passage

if TYPE_CHECKING:
    import numpy as np

BLOCK = 128  # queries of one matrix product: 26 MB of scores for 50,000 passages


class DenseIndex:
    """Cosine similarity; equal passages in any order give equal hits.

    A passage's vector is drawn towards the mean of the sentences of `anchors` that lead to it, by their weight.
    """

    def __init__(self, passages: Sequence[Passage], encoder: Encoder, anchors: Anchors = NONE) -> None:
        self.passages = by_id(passages)
        self.name, self._encoder = encoder.name, encoder
        self._vectors = encoder.learn([passage_text(passage) for passage in self.passages])
        self._draw(anchors)

    def _draw(self, anchors: Anchors) -> None:
        import numpy as np

        places = [place for place, passage in enumerate(self.passages) if anchors.texts.get(passage.id)]
        if not places:
            return
        groups = [anchors.texts[self.passages[place].id] for place in places]
        vectors = self._encoder.encode_kept([text for group in groups for text in group])
        starts = np.cumsum([0, *(len(group) for group in groups[:-1])])
        towards = scaled(np.add.reduceat(vectors.astype(np.float64), starts, axis=0))
        self._vectors[places] = scaled(self._vectors[places] + anchors.weight * towards)

    def search(self, query: str, hits: int) -> list[Hit]:
        """At most `hits` passages with a positive cosine, best first. A query without a known token finds nothing."""
        return self.search_many([query], hits)[0]

    def search_many(self, queries: Sequence[str], hits: int) -> list[list[Hit]]:
        """What `search` gives for each query."""
        return [self._hits(scores, hits) for scores in self.score_many(queries)]

    def score_many(self, queries: Sequence[str]) -> Iterator[Scores]:
        """Each query's cosines; exact are sums that do not depend on the product's block size and threads."""
        vectors = self._encoder.encode(queries)
        for start in range(0, len(queries), BLOCK):
            block = vectors[start : start + BLOCK]
            for query, rough in zip(block, block @ self._vectors.T, strict=True):
                yield Scores(rough, lambda places, query=query: self._exact(query, places))

    def _exact(self, query: "np.ndarray", places: "np.ndarray") -> "np.ndarray":
        import numpy as np

        return (self._vectors[places].astype(np.float64) * query).sum(axis=1)

    def _hits(self, scores: Scores, hits: int) -> list[Hit]:
        places = candidates(scores.rough, hits, MARGIN)
        found = best_first(places, scores.exact(places), hits)
        return [Hit(self.passages[place], rank, score, {self.name: score}) for rank, (place, score) in enumerate(found)]
