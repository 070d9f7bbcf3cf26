"""Find rows that give benchmark items away: by identifier, by n-gram overlap, or as the whole text.

An n-gram that stands in `boilerplate_documents` or more distinct subject documents is common language and does
not count; the report holds the counts with and without that rule. Every overlap is verified on the words.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from stages.validate.benchmark_index import BenchmarkIndex, GramTable, identifiers_in, whole_texts
from stages.validate.ngrams import Numbers, chunks, grams, normalise, words
from stages.validate.params import DecontaminationParams

_COPY = 0.5  # a text with this share of an item's words is a copy of the item, not a document of its own
_FILTER_BITS = 22


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
    overlap: float  # share of the item's words that the row holds; 1 for an identifier or the whole text
    evidence: str  # the identifier, or the shared words


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


class _Texts(NamedTuple):
    """All texts of all documents in a row, with their document and level."""

    texts: list[str]
    owners: Numbers
    levels: list[str]


def find_contamination(documents: Sequence[Document], index: BenchmarkIndex, params: DecontaminationParams) -> Contamination:
    """Matches of `documents` with the items of `index`, sorted by row and falling overlap."""
    texts = _flatten(documents)
    matches = [*_by_identifier(documents, index), *_by_whole_text(documents, index)]
    before, after, common = {}, {}, 0
    for table in index.tables:
        hits = _hits(texts.texts, table)
        before[f"{table.n}-gram"] = len(np.unique(texts.owners[hits.texts]))
        telling = _telling(hits, table, texts, documents, index, params)
        common += len(np.unique(table.hashes[hits.entries])) - len(np.unique(table.hashes[telling.entries]))
        found = _by_grams(telling, table, texts, documents, index)
        after[f"{table.n}-gram"] = len({match.row for match in found})
        matches.extend(found)
    matches.sort(key=lambda match: (match.row, -match.overlap, match.rule, match.item, match.level))
    return Contamination(matches, before, after, common)


def _flatten(documents: Sequence[Document]) -> _Texts:
    flat = [
        (text, number, level) for number, document in enumerate(documents)
        for level, texts in document.texts.items() for text in texts
    ]  # fmt: skip
    return _Texts([one[0] for one in flat], np.array([one[1] for one in flat], np.int64), [one[2] for one in flat])


def _by_identifier(documents: Sequence[Document], index: BenchmarkIndex) -> list[Match]:
    if not index.by_identifier:
        return []
    matches = []
    for document in documents:
        levels = [*((level, "\n".join(texts)) for level, texts in document.texts.items()), ("subject", document.named)]
        for level, text in levels:
            for name in sorted(identifiers_in(text) & index.by_identifier.keys()):
                matches.extend(
                    _match(document, index, number, "identifier", level, 1.0, name) for number in index.by_identifier[name]
                )
    return matches


def _by_whole_text(documents: Sequence[Document], index: BenchmarkIndex) -> list[Match]:
    """Items too short for n-grams: a text of the row is the item, word for word."""
    whole = whole_texts(index)
    if not whole:
        return []
    longest = 4 * max(map(len, whole))  # spares normalising long texts
    matches = []
    for document in documents:
        for level, texts in document.texts.items():
            for text in texts:
                number = whole.get(" ".join(words(text))) if len(text) <= longest else None
                if number is not None:
                    matches.append(_match(document, index, number, "whole-text", level, 1.0, normalise(text).strip()))
    return matches


def _hits(texts: Sequence[str], table: GramTable) -> _Hits:
    """Every n-gram of the texts that an item has; one hit per item that has it."""
    if not len(table.hashes):
        empty = np.empty(0, np.int64)
        return _Hits(empty, empty, empty)
    mask = np.uint64((1 << _FILTER_BITS) - 1)
    present = np.zeros(1 << _FILTER_BITS, np.bool_)  # most n-grams are in no item: one look-up rules them out
    present[table.hashes & mask] = True
    parts = []
    for first, part in chunks(texts):
        found = grams(part, table.n)
        maybe = np.flatnonzero(present[found.hashes & mask])
        start = np.searchsorted(table.hashes, found.hashes[maybe], "left")
        counts = np.searchsorted(table.hashes, found.hashes[maybe], "right") - start
        repeated = np.repeat(maybe, counts)
        entries = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(start, counts)
        parts.append(_Hits(found.texts[repeated] + first, found.positions[repeated], entries))
    return _Hits(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True))) if parts else _hits([], _EMPTY)


def _telling(
    hits: _Hits,
    table: GramTable,
    texts: _Texts,
    documents: Sequence[Document],
    index: BenchmarkIndex,
    params: DecontaminationParams,
) -> _Hits:
    """Hits whose n-gram stands in fewer than `boilerplate_documents` distinct subject documents."""
    if not len(hits.texts):
        return hits
    owners = texts.owners[hits.texts]
    subjects = _identify([documents[number].subject or f"\x00{number}" for number in range(len(documents))])[owners]
    unknown = np.array([not document.subject for document in documents])[owners]
    pair, share = _coverage(hits.texts, hits.entries, table, index)
    copies = unknown & (share[pair] >= _COPY)
    subjects = np.where(copies, -1 - table.items[hits.entries], subjects)
    distinct, numbers = np.unique(table.hashes[hits.entries], return_inverse=True)
    stands_in = np.unique(np.stack([numbers, subjects]), axis=1)
    telling = np.bincount(stands_in[0], minlength=len(distinct))[numbers] < params.boilerplate_documents
    return _Hits(*(array[telling] for array in hits))


def _coverage(texts: Numbers, entries: Numbers, table: GramTable, index: BenchmarkIndex) -> tuple[Numbers, np.ndarray]:
    """(number of the (text, item) pair of each hit, share of the item's words that the pair's n-grams cover)."""
    items, positions = table.items[entries], table.positions[entries]
    _, pair = np.unique(texts * len(index.items) + items, return_inverse=True)
    order = np.lexsort((positions, pair))
    pair_sorted, places = pair[order], positions[order]
    new = np.concatenate([[True], pair_sorted[1:] != pair_sorted[:-1]])
    added = np.where(new, table.n, np.minimum(np.diff(places, prepend=0), table.n))
    covered = np.bincount(pair_sorted, weights=added)
    return pair, covered / index.word_counts[items[order][new]]


def _by_grams(hits: _Hits, table: GramTable, texts: _Texts, documents: Sequence[Document], index: BenchmarkIndex) -> list[Match]:
    """One verified match per (text, item)."""
    if not len(hits.texts):
        return []
    pair, share = _coverage(hits.texts, hits.entries, table, index)
    matches = []
    for number, first in enumerate(np.unique(pair, return_index=True)[1].tolist()):
        text, item = int(hits.texts[first]), int(table.items[hits.entries[first]])
        shared = _shared_words(
            texts.texts[text],
            int(hits.positions[first]),
            index.items[item].text,
            int(table.positions[hits.entries[first]]),
            table.n,
        )
        if shared:
            document = documents[texts.owners[text]]
            overlap = round(min(1.0, float(share[number])), 4)
            matches.append(_match(document, index, item, f"{table.n}-gram", texts.levels[text], overlap, shared))
    return matches


def _shared_words(text: str, place: int, item: str, item_place: int, n: int) -> str:
    """The n words that both hold there, or nothing if only the hashes were equal."""
    ours, theirs = words(text)[place : place + n], words(item)[item_place : item_place + n]
    return " ".join(ours) if ours == theirs else ""


def _match(document: Document, index: BenchmarkIndex, number: int, rule: str, level: str, overlap: float, evidence: str) -> Match:
    item = index.items[number]
    return Match(
        row=document.id, item=item.id, benchmark=item.benchmark, rule=rule, level=level, overlap=overlap, evidence=evidence
    )


def _identify(values: Sequence[str]) -> Numbers:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)


_EMPTY = GramTable(0, np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))
