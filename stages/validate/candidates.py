"""Passages that may say what an item says, by vectors that are sums over a table: all rows in blocks, bounded memory."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from stages.validate.ngrams import Numbers
from stages.validate.overlap import Corpus
from stages.validate.params import DecontaminationParams
from stages.validate.windows import Windows, windows_of

_TEXTS = 4_096  # texts at a time: some 40,000 passages, 40 MB of vectors
_CHARACTERS = 8_000_000  # of all texts at a time: a file with one text of 50 MB takes 0.9 GB instead of 4.3
_BLOCK = 4_096  # passages compared with the items at a time
_LONGER = 3  # times as many words as the item a passage may have, or it as the passage
_LIKE = 6  # items that one passage may be a candidate of
_FEWEST, _MOST = 10, 64  # passages per item, whatever `embedding_passages` allows; 40 hold nine of ten paraphrases, 12 eight

Vectors = npt.NDArray[np.float32]


class TableEncoder(Protocol):
    """As `stages.embed.encoders.StaticEncoder`."""

    def sums(self, texts: Sequence[str]) -> Vectors:
        """Vectors that add up: float32 of (texts, dimensions)."""


class View(NamedTuple):
    """A text that stands for an item."""

    item: int
    text: str
    words: int


class Candidate(NamedTuple):
    """A passage that may paraphrase an item."""

    item: int
    text: int  # number of the text in the corpus
    passage: str
    cosine: float  # of table vectors


class _Seen(NamedTuple):
    """Parallel arrays: item, document, text, cosine, and the passage."""

    items: Numbers
    documents: Numbers
    texts: Numbers
    cosines: npt.NDArray[np.float32]
    passages: npt.NDArray[np.object_]

    def only(self, chosen: Numbers) -> "_Seen":
        return _Seen(*(array[chosen] for array in self))


def find_candidates(
    corpus: Corpus, views: Sequence[View], encoder: TableEncoder, params: DecontaminationParams, skip: set[tuple[int, int]]
) -> list[Candidate]:
    """The best passages per item, of different documents, in a fixed order: `embedding_passages` in all, if items are not many.

    `skip` holds pairs of document and item.
    """
    if not views or not corpus.texts:
        return []
    ordered = sorted(views, key=lambda view: (view.words, view.item, view.text))
    vectors = unit(encoder.sums([view.text for view in ordered]))
    codes = 1 + max(*(view.item for view in views), *(item for _, item in skip), 0)  # items without a view have numbers, too
    skipped = np.array(sorted(document * codes + item for document, item in skip), np.int64)
    count = min(_MOST, max(_FEWEST, params.embedding_passages // len({view.item for view in views})))
    best = _Seen(*(np.empty(0, np.int64) for _ in range(3)), np.empty(0, np.float32), np.empty(0, np.object_))
    needed = np.full(max(view.item for view in views) + 1, params.embedding_candidate_cosine, np.float32)
    for start, end in _blocks(corpus.texts):
        windows = windows_of(corpus.texts[start:end])
        if windows.sentences:
            for found in _near(windows, start, corpus, ordered, vectors, encoder, needed, params.embedding_words):
                fresh = np.flatnonzero(~np.isin(found.documents * codes + found.items, skipped))
                best = _best(_Seen(*(np.concatenate(both) for both in zip(best, found.only(fresh), strict=True))), count, needed)
    rows = zip(best.items.tolist(), best.texts.tolist(), best.passages.tolist(), best.cosines.tolist(), strict=True)
    return sorted(Candidate(*row) for row in rows)


def _blocks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """(first, end) of runs of texts: `_TEXTS` of them, or fewer where they are long."""
    first = size = 0
    for number, text in enumerate(texts):
        size += len(text)
        if size >= _CHARACTERS or number - first == _TEXTS - 1 or number == len(texts) - 1:
            yield first, number + 1
            first, size = number + 1, 0


def unit(vectors: Vectors) -> Vectors:
    """Rows of length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _near(
    windows: Windows,
    first: int,
    corpus: Corpus,
    views: Sequence[View],
    vectors: Vectors,
    encoder: TableEncoder,
    needed: npt.NDArray[np.float32],
    least: int,
) -> Iterator[_Seen]:
    """Per block of passages of like lengths the nearest items of like length, where the cosine is what the item needs."""
    lengths = np.array([view.words for view in views])
    items = np.array([view.item for view in views])
    running = _running_sums(windows.sentences, encoder)
    for start in range(0, len(windows.words), _BLOCK):
        part = slice(start, start + _BLOCK)
        words = windows.words[part]
        low, high = np.searchsorted(lengths, [words[0] / _LONGER, words[-1] * _LONGER + 1])
        if low == high:
            continue
        cosines = unit(running[windows.ends[part]] - running[windows.starts[part]]) @ vectors[low:high].T
        near = cosines >= needed[items[low:high]]
        alive = np.flatnonzero(near.any(axis=1) & (words >= least))
        cosines = np.where(near[alive], cosines[alive], -1)
        place = np.arange(len(alive))
        chosen: list[tuple[Numbers, Numbers, npt.NDArray[np.float32]]] = []
        for _ in range(min(_LIKE, high - low)):
            view = cosines.argmax(axis=1)
            value = cosines[place, view]
            found = np.flatnonzero(value > -1)
            chosen.append((alive[found], items[view[found] + low], value[found]))
            cosines[place, view] = -1
        where = np.concatenate([one for one, _, _ in chosen])
        texts = windows.texts[part][where] + first
        passages = np.empty(len(where), np.object_)
        passages[:] = [windows.passage(start + number) for number in where.tolist()]
        yield _Seen(
            np.concatenate([one for _, one, _ in chosen]),
            corpus.owners[texts],
            texts,
            np.concatenate([one for _, _, one in chosen]),
            passages,
        )


def _running_sums(sentences: Sequence[str], encoder: TableEncoder) -> npt.NDArray[np.float64]:
    """Row k is the sum over the first k sentences; each different sentence is encoded once."""
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(sentence, len(numbers)) for sentence in sentences]
    sums = encoder.sums(list(numbers))
    running = np.zeros((len(sentences) + 1, sums.shape[1]))
    np.cumsum(sums[places], axis=0, out=running[1:])
    return running


def _best(seen: _Seen, count: int, needed: npt.NDArray[np.float32]) -> _Seen:
    """The `count` best passages per item, one per document; `needed` becomes what a better one must have."""
    order = np.lexsort((seen.texts, -seen.cosines, seen.documents, seen.items))
    items, documents = seen.items[order], seen.documents[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (items[1:] != items[:-1]) | (documents[1:] != documents[:-1])
    kept = seen.only(order[first])
    order = np.lexsort((kept.documents, -kept.cosines, kept.items))
    items = kept.items[order]
    place = np.arange(len(order)) - np.searchsorted(items, items)
    taken = kept.only(order[place < count])
    full = order[place == count - 1]
    needed[kept.items[full]] = kept.cosines[full]
    return taken
