"""Rows in which a benchmark item was cut off: a line or the rest of a text that is the item's beginning, and nothing else.

Half of a short item is too few words to tell among the words of a text, but not where they stand alone between the
beginning of a sentence and the end of a line. Up to `boilerplate_documents` - 1 items, or subjects, may begin so.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

import numpy as np

from stages.validate.benchmark_index import BenchmarkIndex, GramTable
from stages.validate.ngrams import grams, tokens, words
from stages.validate.overlap import Corpus, Hits
from stages.validate.params import DecontaminationParams

RULE = "beginning"
_START = re.compile(
    r"(?<=[.!?:>\"\u201c\u201d\u2026])\s+|\n+"
)  # what stands between two sentences or lines, or after `Question:`
_LAST = "\uffff"  # sorts after every letter


class Beginning(NamedTuple):
    """A part of a text with which an item begins."""

    text: int  # number of the text in the corpus
    item: int
    share: float  # of the item's words
    words: str


def first_words(index: BenchmarkIndex, params: DecontaminationParams) -> GramTable:
    """The first `whole_words` words of every item, each run once: where one of them stands an item may begin."""
    found = grams(tokens([text for text, _ in _wholes(index)]), params.whole_words)
    hashes = np.unique(found.hashes[found.positions == 0])
    return GramTable(params.whole_words, RULE, hashes, *np.zeros((2, len(hashes)), np.int64))


def find_beginnings(corpus: Corpus, index: BenchmarkIndex, hits: Hits, params: DecontaminationParams) -> list[Beginning]:
    """Parts of texts that are at least `near_share` of an item from its first word on; `hits` are those of `first_words`."""
    wholes = _wholes(index)
    places: dict[int, set[int]] = {}
    for text, position in zip(hits.texts.tolist(), hits.positions.tolist(), strict=True):
        places.setdefault(text, set()).add(position)
    found = [
        one
        for text, starts in places.items()
        for part in _parts(corpus.texts[text], starts)
        for one in _begins(part, text, wholes, index, params)
    ]
    return _telling(found, corpus, params)


def _wholes(index: BenchmarkIndex) -> list[tuple[str, int]]:
    """(words, item), sorted: items with and without the words that many share."""
    spoken = [*(words(item.text) for item in index.items), *index.own_words]
    return sorted({(" ".join(own), number % len(index.items)) for number, own in enumerate(spoken) if own})


def _begins(
    part: Sequence[str], text: int, ordered: Sequence[tuple[str, int]], index: BenchmarkIndex, params: DecontaminationParams
) -> Iterator[Beginning]:
    """The items that begin with `part`, whose last word may be cut, too; none if they are many."""
    if len(part) < params.whole_words:
        return
    spoken = " ".join(part)
    low, high = bisect_left(ordered, (spoken, -1)), bisect_left(ordered, (spoken + _LAST, -1))
    same = ordered[low:high]
    if len({index.items[item].subject for _, item in same}) < params.boilerplate_documents:
        for whole, item in same:
            share = len(part) / (whole.count(" ") + 1)
            if share >= params.near_share:
                yield Beginning(text, item, share, spoken)


def _parts(text: str, starts: Set[int]) -> Iterator[Sequence[str]]:
    """Words from every start of a sentence or line, of those in `starts`, to the end of the line, and of the text."""
    lines = [[words(sentence) for sentence in _START.split(line)] for line in text.split("\n")]
    everything = [word for line in lines for sentence in line for word in sentence]
    start = 0
    for line in lines:
        end = start + sum(map(len, line))
        for sentence in line:
            if sentence and start in starts:
                yield from (everything[start:last] for last in sorted({end, len(everything)}))
            start += len(sentence)


def _telling(found: Sequence[Beginning], corpus: Corpus, params: DecontaminationParams) -> list[Beginning]:
    """Those whose words stand in fewer than `boilerplate_documents` subjects; rows that name none are copies of the item."""
    subjects: dict[str, set[int]] = {}
    for one in found:
        if not corpus.anonymous[one.text]:
            subjects.setdefault(one.words, set()).add(int(corpus.subjects[one.text]))
    best: dict[tuple[int, int], Beginning] = {}
    for one in sorted(found, key=lambda one: (-one.share, one)):
        if len(subjects.get(one.words, ())) < params.boilerplate_documents:
            best.setdefault((one.text, one.item), one)
    return [best[pair] for pair in sorted(best)]
