"""Find rows that give benchmark items away: by identifier, by the item's own words, by most of them, or cut off.

An n-gram that stands in `boilerplate_documents` or more distinct subject documents is common language and does
not count; the report holds the counts with and without that rule. Every overlap is verified on the words.
What only means the same as an item is found by `paraphrase`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from stages.validate.beginnings import RULE, find_beginnings, first_words
from stages.validate.benchmark_index import BenchmarkIndex, GramTable, identifiers_in
from stages.validate.ngrams import words
from stages.validate.overlap import Corpus, Document, Hits, corpus_of, distinct_grams, find_hits, pairs_of, telling
from stages.validate.params import DecontaminationParams

NEAR = "near-duplicate"


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One row that holds one item."""

    row: str
    item: str
    benchmark: str
    rule: str  # identifier, 13-gram, 8-gram, whole-text, near-duplicate, beginning, embedding
    level: str
    overlap: float  # share of the item's own words that the row holds; cosine for `embedding`; 1 for an identifier
    evidence: str  # the identifier, shared words, or the passage that means the same


class Contamination(NamedTuple):
    """All matches, best first per row, and what the boilerplate rule did."""

    matches: list[Match]
    rows_before_boilerplate: dict[str, int]  # rule -> rows with any shared n-gram
    rows_after_boilerplate: dict[str, int]
    boilerplate_grams: int


def find_contamination(documents: Sequence[Document], index: BenchmarkIndex, params: DecontaminationParams) -> Contamination:
    """Matches of `documents` with the items of `index`, sorted by row and falling overlap."""
    corpus = corpus_of(documents)
    matches = _by_identifier(documents, index)
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    common = 0
    *shared, first = find_hits(corpus.texts, [*index.tables, *index.shingles, first_words(index, params)])
    for table, hits in zip(index.tables, shared, strict=False):
        kept = telling(hits, table, corpus, index, params)
        common += distinct_grams(table, hits) - distinct_grams(table, kept)
        found = _by_grams(kept, table, corpus, documents, index)
        before[table.rule] = len(set(corpus.owners[hits.texts].tolist()))
        after[table.rule] = len({match.row for match in found})
        matches.extend(found)
    known = {(match.row, match.benchmark, match.item) for match in matches}
    for table, hits in zip(index.shingles, shared[len(index.tables) :], strict=True):
        near = _by_share(telling(hits, table, corpus, index, params), table, corpus, documents, index, params)
        matches.extend(match for match in near if (match.row, match.benchmark, match.item) not in known)
    known = {(match.row, match.benchmark, match.item) for match in matches}
    cut = _by_beginning(corpus, documents, index, first, params)
    matches.extend(match for match in cut if (match.row, match.benchmark, match.item) not in known)
    return Contamination(sorted_matches(matches), before, after, common)


def sorted_matches(matches: Sequence[Match]) -> list[Match]:
    """By row and falling overlap; the order does not depend on that of the rows."""
    return sorted(matches, key=lambda match: (match.row, -match.overlap, match.rule, match.item, match.level, match.evidence))


def _by_identifier(documents: Sequence[Document], index: BenchmarkIndex) -> list[Match]:
    if not index.by_identifier:
        return []
    matches = []
    for document in documents:
        levels = [*((level, "\n".join(texts)) for level, texts in document.texts.items()), ("subject", document.named)]
        for level, text in levels:
            for name in sorted(identifiers_in(text) & index.by_identifier.keys()):
                matches.extend(
                    _match(document, index, item, "identifier", level, 1.0, name) for item in index.by_identifier[name]
                )
    return matches


def _by_grams(hits: Hits, table: GramTable, corpus: Corpus, documents: Sequence[Document], index: BenchmarkIndex) -> list[Match]:
    """One verified match per (text, item)."""
    if not len(hits.texts):
        return []
    pairs = pairs_of(hits, table, index)
    return _verified(pairs.first, pairs.coverage, hits, table, corpus, documents, index)


def _by_share(
    hits: Hits,
    table: GramTable,
    corpus: Corpus,
    documents: Sequence[Document],
    index: BenchmarkIndex,
    params: DecontaminationParams,
) -> list[Match]:
    """One verified match per (text, item) for texts that hold enough of the item in short runs of words."""
    if not len(hits.texts):
        return []
    pairs = pairs_of(hits, table, index)
    enough = (pairs.coverage >= params.near_share) & (pairs.words >= params.near_words)
    return _verified(pairs.first[enough], pairs.coverage[enough], hits, table, corpus, documents, index)


def _by_beginning(
    corpus: Corpus, documents: Sequence[Document], index: BenchmarkIndex, hits: Hits, params: DecontaminationParams
) -> list[Match]:
    return [
        _match(documents[corpus.owners[one.text]], index, one.item, RULE, corpus.levels[one.text], round(one.share, 4), one.words)
        for one in find_beginnings(corpus, index, hits, params)
    ]


def _verified(
    first: np.ndarray,
    shares: np.ndarray,
    hits: Hits,
    table: GramTable,
    corpus: Corpus,
    documents: Sequence[Document],
    index: BenchmarkIndex,
) -> list[Match]:
    matches = []
    for hit, share in zip(first.tolist(), shares.tolist(), strict=True):
        text, entry = int(hits.texts[hit]), int(hits.entries[hit])
        item = int(table.items[entry])
        ours = _run(words(corpus.texts[text]), int(hits.positions[hit]), table.n)
        if ours == _run(index.own_words[item], int(table.positions[entry]), table.n):  # not only the hashes are equal
            document, level = documents[corpus.owners[text]], corpus.levels[text]
            matches.append(_match(document, index, item, table.rule, level, round(share, 4), " ".join(ours)))
    return matches


def _run(all_words: Sequence[str], start: int, n: int) -> Sequence[str]:
    return all_words[start : start + n]


def _match(document: Document, index: BenchmarkIndex, item: int, rule: str, level: str, overlap: float, evidence: str) -> Match:
    found = index.items[item]
    return Match(
        row=document.id, item=found.id, benchmark=found.benchmark, rule=rule, level=level, overlap=overlap, evidence=evidence
    )
