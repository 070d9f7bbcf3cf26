"""BM25 over the usable passages: one engine, built once per run, ties broken by passage id."""

from collections.abc import Sequence

import msgspec

from stages.ingest.schema import Passage

STOP_WORDS = "english"


class Hit(msgspec.Struct, frozen=True):
    """A passage found by one query; rank 0 is the engine's best."""

    passage: Passage
    rank: int
    score: float


class PassageIndex:
    """An index over `passages`; equal passages in any order give equal hits."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        import bm25s

        self.passages = sorted(passages, key=lambda passage: passage.id)
        texts = [f"{passage.title}. {passage.text}" for passage in self.passages]
        tokenized = bm25s.tokenize(texts, stopwords=STOP_WORDS, show_progress=False)
        self.vocabulary: dict[str, int] = tokenized.vocab
        self._engine = bm25s.BM25()
        self._frequencies = _document_frequencies(tokenized.ids, len(self.vocabulary))
        if self.vocabulary:
            self._engine.index(tokenized, show_progress=False)

    def search(self, query: str, hits: int) -> list[Hit]:
        """At most `hits` passages with a positive score, best first. A query of unknown words finds nothing."""
        known = [word for word in self.query_words(query) if word in self.vocabulary]
        if not known or not self.passages:
            return []
        wanted = min(len(self.passages), 4 * hits)  # more than asked for, so that ties at the edge are cut by id
        found, scores = self._engine.retrieve([known], k=wanted, show_progress=False, n_threads=0)
        ranked = sorted(
            ((float(score), self.passages[int(at)]) for at, score in zip(found[0], scores[0], strict=True) if score > 0),
            key=lambda pair: (-round(pair[0], 4), pair[1].id),
        )
        return [Hit(passage, rank, score) for rank, (score, passage) in enumerate(ranked[:hits])]

    def query_words(self, text: str) -> list[str]:
        """The words of `text` as the index sees them, stop words left out, in order."""
        import bm25s

        return bm25s.tokenize([text], stopwords=STOP_WORDS, show_progress=False, return_ids=False)[0]

    def rarity(self, word: str) -> int:
        """In how many passages `word` stands; 0 for a word that no passage has."""
        at = self.vocabulary.get(word)
        return self._frequencies[at] if at is not None else 0


def _document_frequencies(documents: Sequence[Sequence[int]], vocabulary: int) -> list[int]:
    frequencies = [0] * vocabulary
    for document in documents:
        for word in set(document):
            frequencies[word] += 1
    return frequencies
