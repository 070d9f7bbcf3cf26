"""Find rows that give benchmark items away: by identifier, or by the item's own words.

An n-gram that stands in `boilerplate_documents` or more distinct subject documents is common language and does
not count; the report holds the counts with and without that rule. Every overlap is verified on the words.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from stages.validate.benchmark_index import BenchmarkIndex, GramTable, identifiers_in
from stages.validate.ngrams import Grams, Numbers, chunks, grams, words
from stages.validate.params import DecontaminationParams

_COPY = 0.5  # a text with this share of an item's words is a copy of the item, not a document of its own
_FILTER = np.uint64((1 << 24) - 1)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one row, by level. `subject` is empty where it is not known."""

    id: str
    subject: str = ""
    texts: Mapping[str, Sequence[str]]  # level (instruction, answer, evidence, or a column) -> texts
    named: str = ""  # further text that may name identifiers: the ids of the row's entities


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One row that holds one item."""

    row: str
    item: str
    benchmark: str
    rule: str  # identifier, 13-gram, 8-gram, whole-text
    level: str
    overlap: float  # share of the item's own words that the row holds; 1 for an identifier
    evidence: str  # the identifier, or shared words


class Contamination(NamedTuple):
    """All matches, best first per row, and what the boilerplate rule did."""

    matches: list[Match]
    rows_before_boilerplate: dict[str, int]  # rule -> rows with any shared n-gram
    rows_after_boilerplate: dict[str, int]
    boilerplate_grams: int


class _Hits(NamedTuple):
    """Shared n-grams: text, word position in the text, entry of the gram table. Parallel arrays."""

    texts: Numbers
    positions: Numbers
    entries: Numbers


class _Corpus(NamedTuple):
    """All texts of all documents in a row, with their document and level."""

    texts: list[str]
    owners: Numbers
    levels: list[str]
    subjects: Numbers  # of each text; its own number where the document names none
    anonymous: npt.NDArray[np.bool_]  # the document names no subject


def find_contamination(documents: Sequence[Document], index: BenchmarkIndex, params: DecontaminationParams) -> Contamination:
    """Matches of `documents` with the items of `index`, sorted by row and falling overlap."""
    corpus = _corpus(documents)
    matches = _by_identifier(documents, index)
    before: dict[str, set[int]] = {table.rule: set() for table in index.tables}
    after: dict[str, set[str]] = {table.rule: set() for table in index.tables}
    common = 0
    for table, hits in zip(index.tables, _hits(corpus.texts, index.tables), strict=True):
        before[table.rule].update(corpus.owners[hits.texts].tolist())
        telling = _telling(hits, table, corpus, index, params)
        common += _distinct(table, hits) - _distinct(table, telling)
        found = _by_grams(telling, table, corpus, documents, index)
        after[table.rule].update(match.row for match in found)
        matches.extend(found)
    matches.sort(key=lambda match: (match.row, -match.overlap, match.rule, match.item, match.level, match.evidence))
    counts = [{rule: len(rows) for rule, rows in counted.items()} for counted in (before, after)]
    return Contamination(matches, counts[0], counts[1], common)


def _corpus(documents: Sequence[Document]) -> _Corpus:
    flat = [(text, number, level) for number, one in enumerate(documents) for level, texts in one.texts.items() for text in texts]
    owners = np.array([number for _, number, _ in flat], np.int64)
    numbers: dict[str, int] = {}
    subjects = np.array(
        [numbers.setdefault(one.subject or f"\x00{place}", len(numbers)) for place, one in enumerate(documents)], np.int64
    )
    anonymous = np.array([not one.subject for one in documents], np.bool_)
    return _Corpus([text for text, _, _ in flat], owners, [level for _, _, level in flat], subjects[owners], anonymous[owners])


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


def _hits(texts: Sequence[str], tables: Sequence[GramTable]) -> list[_Hits]:
    """Per table every n-gram of the texts that an item has; one hit per item that has it."""
    filters = [_filter(table) for table in tables]
    parts: list[list[_Hits]] = [[_Hits(*(np.empty(0, np.int64) for _ in range(3)))] for _ in tables]
    for first, part in chunks(texts):
        for table, present, found in zip(tables, filters, parts, strict=True):
            found.append(_table_hits(grams(part, table.n), first, table, present))
    return [_Hits(*(np.concatenate(arrays) for arrays in zip(*found, strict=True))) for found in parts]


def _table_hits(shared: Grams, first: int, table: GramTable, present: npt.NDArray[np.bool_]) -> _Hits:
    """Hits of one chunk, whose first text has the number `first`."""
    maybe = np.flatnonzero(present[shared.hashes & _FILTER])
    start = np.minimum(np.searchsorted(table.hashes, shared.hashes[maybe]), len(table.hashes) - 1)
    equal = table.hashes[start] == shared.hashes[maybe]
    maybe, start = maybe[equal], start[equal]
    counts = np.searchsorted(table.hashes, shared.hashes[maybe], "right") - start
    repeated = np.repeat(maybe, counts)
    entries = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(start, counts)
    return _Hits(shared.texts[repeated] + first, shared.positions[repeated], entries)


def _filter(table: GramTable) -> npt.NDArray[np.bool_]:
    """Most n-grams are in no item: one look-up in this table rules them out."""
    present = np.zeros(int(_FILTER) + 1, np.bool_)
    present[table.hashes & _FILTER] = True
    return present


def _telling(hits: _Hits, table: GramTable, corpus: _Corpus, index: BenchmarkIndex, params: DecontaminationParams) -> _Hits:
    """Hits whose n-gram stands in fewer than `boilerplate_documents` distinct subject documents.

    Rows of foreign data name no subject; there all copies of one item are one document, or a leak that was
    repeated often enough would pass as common language.
    """
    if not len(hits.texts):
        return hits
    pair, share = _coverage(hits, table, index)
    copies = corpus.anonymous[hits.texts] & (share[pair] >= _COPY)
    subjects = np.where(copies, -1 - table.items[hits.entries], corpus.subjects[hits.texts])
    distinct, numbers = np.unique(table.hashes[hits.entries], return_inverse=True)
    stands_in = np.unique(np.stack([numbers, subjects]), axis=1)
    telling = np.bincount(stands_in[0], minlength=len(distinct))[numbers] < params.boilerplate_documents
    return _Hits(*(array[telling] for array in hits))


def _distinct(table: GramTable, hits: _Hits) -> int:
    return len(np.unique(table.hashes[hits.entries]))


def _coverage(hits: _Hits, table: GramTable, index: BenchmarkIndex) -> tuple[Numbers, npt.NDArray[np.float64]]:
    """(number of the (text, item) pair of each hit, per pair the share of the item's own words that its n-grams cover)."""
    items, positions = table.items[hits.entries], table.positions[hits.entries]
    _, pair = np.unique(hits.texts * len(index.items) + items, return_inverse=True)
    order = np.lexsort((positions, pair))
    pair_sorted, places = pair[order], positions[order]
    new = np.concatenate([[True], pair_sorted[1:] != pair_sorted[:-1]])
    added = np.where(new, table.n, np.minimum(np.diff(places, prepend=0), table.n))
    lengths = np.array([len(own) for own in index.own_words])
    return pair, np.bincount(pair_sorted, weights=added) / lengths[items[order][new]]


def _by_grams(
    hits: _Hits, table: GramTable, corpus: _Corpus, documents: Sequence[Document], index: BenchmarkIndex
) -> list[Match]:
    """One verified match per (text, item)."""
    if not len(hits.texts):
        return []
    pair, share = _coverage(hits, table, index)
    matches = []
    for number, first in enumerate(np.unique(pair, return_index=True)[1].tolist()):
        text, entry = int(hits.texts[first]), int(hits.entries[first])
        item = int(table.items[entry])
        ours = _run(words(corpus.texts[text]), int(hits.positions[first]), table.n)
        if ours == _run(index.own_words[item], int(table.positions[entry]), table.n):  # not only the hashes are equal
            document, level = documents[corpus.owners[text]], corpus.levels[text]
            matches.append(_match(document, index, item, table.rule, level, round(float(share[number]), 4), " ".join(ours)))
    return matches


def _run(all_words: Sequence[str], start: int, n: int) -> Sequence[str]:
    return all_words[start : start + n]


def _match(document: Document, index: BenchmarkIndex, item: int, rule: str, level: str, overlap: float, evidence: str) -> Match:
    found = index.items[item]
    return Match(
        row=document.id, item=found.id, benchmark=found.benchmark, rule=rule, level=level, overlap=overlap, evidence=evidence
    )
