"""How many rows would match if the thresholds were others: what a report shows beside its verdict."""

from collections.abc import Callable, Sequence

import numpy as np

from stages.validate.benchmark_index import BenchmarkIndex, gram_tables
from stages.validate.overlap import Corpus, Document, corpus_of, find_hits, pairs_of, telling
from stages.validate.params import DecontaminationParams
from stages.validate.paraphrase import Similar

NGRAMS = (8, 10, 13, 16, 20)
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)
COSINES = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
MARGINS = (0.2, 0.24, 0.28, 0.32, 0.36, 0.4)

Sweep = dict[str, dict[str, int]]  # threshold -> its value -> rows


def sweep(
    documents: Sequence[Document], index: BenchmarkIndex, similar: Sequence[Similar], params: DecontaminationParams
) -> dict[str, Sweep]:
    """Per benchmark the rows at each threshold, all others as in `params`.

    `cosine` counts passages by that alone; `margin` is the embedding rule with another margin. Both count rows that no
    other rule found.
    """
    names = sorted({item.benchmark for item in index.items})
    rows: dict[str, dict[str, dict[str, set[str]]]] = {name: {} for name in names}

    def add(kind: str, value: float, found: Sequence[tuple[str, str]]) -> None:
        for name in names:
            rows[name].setdefault(kind, {}).setdefault(str(value), set())
        for benchmark, row in found:
            rows[benchmark][kind][str(value)].add(row)

    corpus = corpus_of(documents)
    tables = [*gram_tables(index, NGRAMS, params), *index.shingles]
    found = dict(zip([table.n for table in tables], zip(tables, find_hits(corpus.texts, tables), strict=True), strict=True))
    for n in NGRAMS:
        add("ngram", n, _rows_by_words(found, n, 0.0, 0, documents, corpus, index, params))
    for share in SHARES:
        add("near", share, _rows_by_words(found, params.near_shingle, share, params.near_words, documents, corpus, index, params))
    for kind, values, passes in _OF_VECTORS:
        for value in values:
            chosen = [one.match for one in similar if passes(one, value, params)]
            add(kind, value, [(match.benchmark, match.row) for match in chosen])
    return {name: {kind: {v: len(own) for v, own in by.items()} for kind, by in kinds.items()} for name, kinds in rows.items()}


def _rows_by_words(
    found: dict[int, tuple],  # type: ignore[type-arg]
    n: int,
    share: float,
    least: int,
    documents: Sequence[Document],
    corpus: Corpus,
    index: BenchmarkIndex,
    params: DecontaminationParams,
) -> list[tuple[str, str]]:
    """(benchmark, row) of the pairs that share enough words in runs of `n`."""
    if n not in found:
        return []
    table, hits = found[n]
    hits = telling(hits, table, corpus, index, params)
    if not len(hits.texts):
        return []
    pairs = pairs_of(hits, table, index)
    first = pairs.first[(pairs.coverage >= share) & (pairs.words >= least)]
    owners, items = corpus.owners[hits.texts[first]], table.items[hits.entries[first]]
    return [(index.items[item].benchmark, documents[owner].id) for owner, item in np.stack([owners, items], axis=1).tolist()]


def _near_enough(one: Similar, value: float, _: DecontaminationParams) -> bool:
    return one.match.overlap >= value


def _far_from_others(one: Similar, value: float, params: DecontaminationParams) -> bool:
    return one.margin >= value and one.match.overlap >= params.embedding_cosine


_OF_VECTORS: tuple[tuple[str, tuple[float, ...], Callable[[Similar, float, DecontaminationParams], bool]], ...] = (
    ("cosine", COSINES, _near_enough),
    ("margin", MARGINS, _far_from_others),
)
