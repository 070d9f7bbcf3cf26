"""BM25 over training rows: few-shot examples and the nearest-neighbour baseline.

Questions and rows share their phrasing, which idf makes nearly weightless; what remains is the subject.
"""

from collections.abc import Sequence

from stages.validate.schema import TrainingRow


class TrainingIndex:
    """A BM25 index of texts, one per training row."""

    def __init__(self, rows: Sequence[TrainingRow], texts: Sequence[str]) -> None:
        import bm25s

        self.rows = list(rows)
        self._index = bm25s.BM25()
        tokens = bm25s.tokenize([text or "-" for text in texts], stopwords="en", return_ids=False, show_progress=False)
        self._index.index([row or ["-"] for row in tokens], show_progress=False)

    def scores(self, query: str) -> list[float]:
        """BM25 score of every row for `query`; zeros if no word of it occurs in any row."""
        import bm25s

        words = bm25s.tokenize([query], stopwords="en", return_ids=False, show_progress=False)[0]
        known = [word for word in words if word in self._index.vocab_dict]
        return self._index.get_scores(known).tolist() if known else [0.0] * len(self.rows)

    def nearest(self, query: str, count: int) -> list[TrainingRow]:
        """The `count` best rows, best first; equal scores by row id, so that ties do not depend on a library."""
        ranked = sorted(zip(self.scores(query), self.rows, strict=True), key=lambda pair: (-pair[0], pair[1].id))
        return [row for _, row in ranked[:count]]


def keyed_rows(rows: Sequence[TrainingRow], key_kind: str) -> list[TrainingRow]:
    """Training rows with an answer key of this kind, by id."""
    return sorted((row for row in rows if row.key_kind == key_kind and row.answer_key), key=lambda row: row.id)
