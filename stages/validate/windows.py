"""Passages of texts at several lengths, so that a short text is found inside a long one."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from stages.validate.ngrams import Numbers

SHORTEST, LONGEST = 6, 160  # words of a passage; a longer sentence is one passage
_STEP = 1.5  # with 2 one paraphrase in ten that stands between other sentences is lost
_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"\w")


class Windows(NamedTuple):
    """Passages are runs of sentences; parallel arrays, shortest passage first."""

    sentences: list[str]  # of all texts, in order
    texts: Numbers  # number of the text
    starts: Numbers  # first sentence
    ends: Numbers  # sentence after the last
    words: Numbers  # words of the passage

    def passage(self, number: int) -> str:
        """The words of one passage."""
        return " ".join(self.sentences[self.starts[number] : self.ends[number]])


def sentences_of(text: str) -> list[str]:
    """Sentences and lines of `text` that hold a letter or digit."""
    return [part for part in _END.split(text) if _WORD.search(part)]


def windows_of(texts: Sequence[str]) -> Windows:
    """From every sentence on the passages that first reach 6, 9, 14, 21 ... words, or the text's end."""
    sentences: list[str] = []
    rows: list[tuple[int, int, int, int]] = []
    for number, text in enumerate(texts):
        own = sentences_of(text)
        rows.extend((number, *row) for row in _runs([len(one.split()) for one in own], len(sentences)))
        sentences += own
    table = np.array(sorted(rows, key=lambda row: row[3]), np.int64).reshape(-1, 4)
    return Windows(sentences, *table.T)


def _runs(lengths: Sequence[int], first: int) -> Iterator[tuple[int, int, int]]:
    """(start, end, words) of each passage; sentences are numbered from `first`."""
    for start in range(len(lengths)):
        words, wanted = 0, float(SHORTEST)
        for end in range(start, len(lengths)):
            words += lengths[end]
            if words >= wanted or end == len(lengths) - 1:
                yield first + start, first + end + 1, words
                while wanted <= words:
                    wanted *= _STEP
            if words > LONGEST:
                break
