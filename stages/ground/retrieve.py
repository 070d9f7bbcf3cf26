"""BM25 over the stems of the usable passages: one engine, built once per run, ties broken by passage id."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from stages.ground.anchors import NONE, Anchors
from stages.ground.order import Scores, best_first, candidates
from stages.ingest.schema import Passage

if TYPE_CHECKING:
    import numpy as np

LEXICAL = "bm25"  # its name among the engines
STOP_WORDS = "english"
# Anserini's defaults. Against 1.5 and 0.75, which are meant for longer texts: recall@4 on 105 descriptions in other words
# 0.31 instead of 0.24, on the questions written by hand 0.56 instead of 0.52 (`python -m stages.ground.recall`).
K1, B = 0.9, 0.4


class Hit(msgspec.Struct, frozen=True):
    """A passage found by one query; rank 0 is the best. `scores` by engine; `score` orders hits of one search only."""

    passage: Passage
    rank: int
    score: float
    scores: dict[str, float] = {}


class PassageIndex:
    """An index over `passages`; equal passages in any order give equal hits.

    The sentences of `anchors` that lead to a passage are indexed as a text of their own, and the passage's score is its own
    words' plus theirs times the weight: a passage with many sentences is not a long one. These texts count as any other in the
    rarity of a word and in the mean length, so a passage without sentences scores a little differently beside them, too.
    """

    name = LEXICAL

    def __init__(self, passages: Sequence[Passage], anchors: Anchors = NONE) -> None:
        import bm25s
        import numpy as np

        self.passages = by_id(passages)
        owners = [place for place, passage in enumerate(self.passages) if passage.id in anchors.texts]
        texts = [passage_text(passage) for passage in self.passages]
        texts += [" ".join(anchors.texts[self.passages[place].id]) for place in owners]
        tokenized = bm25s.tokenize(texts, stopwords=STOP_WORDS, stemmer=_english_stemmer(), show_progress=False)
        self.vocabulary: dict[str, int] = tokenized.vocab  # of stems
        self._weights, self._places, self._starts = np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
        if any(tokenized.ids):
            engine = bm25s.BM25(k1=K1, b=B)
            engine.index(tokenized, show_progress=False)
            self._weights, self._places = engine.scores["data"].astype(np.float64), engine.scores["indices"]
            self._starts = engine.scores["indptr"]
        own = self._places < len(self.passages)
        self._having = np.diff(np.concatenate([[0], np.cumsum(own)])[self._starts])  # passages by stem
        self._weights[~own] *= anchors.weight
        self._places = np.concatenate([np.arange(len(self.passages)), np.array(owners, dtype=np.int64)])[self._places]

    def search(self, query: str, hits: int) -> list[Hit]:
        """At most `hits` passages with a positive score, best first. A query of unknown words finds nothing."""
        return self.search_many([query], hits)[0]

    def search_many(self, queries: Sequence[str], hits: int) -> list[list[Hit]]:
        """What `search` gives for each query. Several times faster than bm25s, which sorts all passages for each."""
        return [self._hits(words, hits) for words in _words(queries)]

    def score_many(self, queries: Sequence[str]) -> "Iterator[Scores]":
        """Each query's scores of all passages."""
        for words in _words(queries):
            scores = self._scores(words)
            yield Scores(scores, scores.__getitem__)

    def _hits(self, words: Sequence[str], hits: int) -> list[Hit]:
        scores = self._scores(words)
        places = candidates(scores, hits)
        found = best_first(places, scores[places], hits)
        return [Hit(self.passages[place], rank, score, {self.name: score}) for rank, (place, score) in enumerate(found)]

    def _scores(self, words: Sequence[str]) -> "np.ndarray":
        """Sum of the words' weights in each passage, float64 of (passages,)."""
        import numpy as np

        known = [number for word in words if (number := self._number(word)) is not None]
        spans = [slice(self._starts[number], self._starts[number + 1]) for number in known]
        places = np.concatenate([self._places[:0], *(self._places[span] for span in spans)])
        weights = np.concatenate([self._weights[:0], *(self._weights[span] for span in spans)])
        return np.bincount(places, weights=weights, minlength=len(self.passages))

    def query_words(self, text: str) -> list[str]:
        """The words of `text` as they stand there, in lower case and in order, stop words left out."""
        return _words([text])[0]

    def rarity(self, word: str) -> int:
        """In how many passages `word` stands in some form; 0 for a word that no passage has."""
        number = self._number(word)
        return 0 if number is None else int(self._having[number])

    def _number(self, word: str) -> int | None:
        at = self.vocabulary.get(_stem(word))
        return at if at is not None and at + 1 < len(self._starts) else None


def by_id(passages: Sequence[Passage]) -> list[Passage]:
    """In the order in which every engine holds them."""
    return sorted(passages, key=lambda passage: (passage.id, passage.text))


def passage_text(passage: Passage) -> str:
    """What is searched of a passage."""
    return f"{passage.title}. {passage.text}"


@cache
def _english_stemmer() -> Any:
    """Snowball's English stemmer (PyStemmer): recall@4 on questions in the field's own terms 0.86, without it 0.78."""
    import Stemmer

    return Stemmer.Stemmer("english")


def _stem(word: str) -> str:
    return _english_stemmer().stemWord(word)


def _words(texts: Sequence[str]) -> list[list[str]]:
    import bm25s

    return bm25s.tokenize(list(texts), stopwords=STOP_WORDS, show_progress=False, return_ids=False)
