"""Where the words of texts and of benchmark items are the same, and which of those places tell something."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from stages.validate.benchmark_index import BenchmarkIndex, GramTable
from stages.validate.ngrams import Grams, Numbers, chunks, grams
from stages.validate.params import DecontaminationParams

_COPY = 0.5  # a text with this share of an item's words is a copy of the item, not a document of its own
_FILTER = np.uint64((1 << 24) - 1)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one row, by level. `subject` is empty where it is not known."""

    id: str
    subject: str = ""
    texts: Mapping[str, Sequence[str]]  # level (instruction, answer, evidence, or a column) -> texts
    named: str = ""  # further text that may name identifiers: the ids of the row's entities


class Corpus(NamedTuple):
    """All texts of all documents in a row, with their document and level."""

    texts: list[str]
    owners: Numbers
    levels: list[str]
    subjects: Numbers  # of each text; its own number where the document names none
    anonymous: npt.NDArray[np.bool_]  # the document names no subject


class Hits(NamedTuple):
    """Shared n-grams: text, word position in the text, entry of the gram table. Parallel arrays."""

    texts: Numbers
    positions: Numbers
    entries: Numbers

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Hits":
        """The hits that are marked."""
        return Hits(*(array[chosen] for array in self))


class Pairs(NamedTuple):
    """The (text, item) pairs behind some hits."""

    of_hit: Numbers  # number of the pair of each hit
    first: Numbers  # a hit of each pair
    coverage: npt.NDArray[np.float64]  # of each pair the share of the item's own words that its n-grams cover
    words: Numbers  # how many words that are


def corpus_of(documents: Sequence[Document]) -> Corpus:
    """Texts of `documents` in order."""
    flat = [(text, number, level) for number, one in enumerate(documents) for level, texts in one.texts.items() for text in texts]
    owners = np.array([number for _, number, _ in flat], np.int64)
    numbers: dict[str, int] = {}
    subjects = np.array(
        [numbers.setdefault(one.subject or f"\x00{place}", len(numbers)) for place, one in enumerate(documents)], np.int64
    )
    anonymous = np.array([not one.subject for one in documents], np.bool_)
    return Corpus([text for text, _, _ in flat], owners, [level for _, _, level in flat], subjects[owners], anonymous[owners])


def find_hits(texts: Sequence[str], tables: Sequence[GramTable]) -> list[Hits]:
    """Per table every n-gram of the texts that an item has; one hit per item that has it."""
    filters = [_filter(table) for table in tables]
    parts: list[list[Hits]] = [[Hits(*(np.empty(0, np.int64) for _ in range(3)))] for _ in tables]
    for first, part in chunks(texts):
        for table, present, found in zip(tables, filters, parts, strict=True):
            found.append(_table_hits(grams(part, table.n), first, table, present))
    return [Hits(*(np.concatenate(arrays) for arrays in zip(*found, strict=True))) for found in parts]


def telling(hits: Hits, table: GramTable, corpus: Corpus, index: BenchmarkIndex, params: DecontaminationParams) -> Hits:
    """Hits whose n-gram stands in fewer than `boilerplate_documents` distinct subject documents.

    Rows of foreign data name no subject; there all copies of one item are one document, or a leak that was
    repeated often enough would pass as common language.
    """
    if not len(hits.texts):
        return hits
    pairs = pairs_of(hits, table, index)
    copies = corpus.anonymous[hits.texts] & (pairs.coverage[pairs.of_hit] >= _COPY)
    subjects = np.where(copies, -1 - table.items[hits.entries], corpus.subjects[hits.texts])
    distinct, numbers = np.unique(table.hashes[hits.entries], return_inverse=True)
    stands_in = np.unique(np.stack([numbers, subjects]), axis=1)
    return hits.only(np.bincount(stands_in[0], minlength=len(distinct))[numbers] < params.boilerplate_documents)


def pairs_of(hits: Hits, table: GramTable, index: BenchmarkIndex) -> Pairs:
    """The pairs behind `hits`, ordered by text and item; there must be hits."""
    items, positions = table.items[hits.entries], table.positions[hits.entries]
    _, first, of_hit = np.unique(hits.texts * len(index.items) + items, return_index=True, return_inverse=True)
    order = np.lexsort((positions, of_hit))
    places, sorted_pairs = positions[order], of_hit[order]
    new = np.concatenate([[True], sorted_pairs[1:] != sorted_pairs[:-1]])
    added = np.where(new, table.n, np.minimum(np.diff(places, prepend=0), table.n))
    covered = np.bincount(sorted_pairs, weights=added)
    lengths = np.array([len(own) for own in index.own_words])
    return Pairs(of_hit, first, covered / lengths[items[first]], covered.astype(np.int64))


def distinct_grams(table: GramTable, hits: Hits) -> int:
    """How many different n-grams were hit."""
    return len(np.unique(table.hashes[hits.entries]))


def _table_hits(shared: Grams, first: int, table: GramTable, present: npt.NDArray[np.bool_]) -> Hits:
    """Hits of one chunk, whose first text has the number `first`."""
    maybe = np.flatnonzero(present[shared.hashes & _FILTER])
    start = np.minimum(np.searchsorted(table.hashes, shared.hashes[maybe]), len(table.hashes) - 1)
    equal = table.hashes[start] == shared.hashes[maybe]
    maybe, start = maybe[equal], start[equal]
    counts = np.searchsorted(table.hashes, shared.hashes[maybe], "right") - start
    repeated = np.repeat(maybe, counts)
    entries = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(start, counts)
    return Hits(shared.texts[repeated] + first, shared.positions[repeated], entries)


def _filter(table: GramTable) -> npt.NDArray[np.bool_]:
    """Most n-grams are in no item: one look-up in this table rules them out."""
    present = np.zeros(int(_FILTER) + 1, np.bool_)
    present[table.hashes & _FILTER] = True
    return present
