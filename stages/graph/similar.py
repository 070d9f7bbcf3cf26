"""Pairs of texts that share most of their wording: exact Jaccard similarity of word shingles, without comparing all pairs.

Two sets of similarity `s` or more share one of the rarest `n - ceil(s * n) + 1` members of either (prefix filtering,
Bayardo et al. 2007, "Scaling up all pairs similarity search"), so an index of those finds every pair.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import ceil

Shingles = frozenset[tuple[str, ...]]

_WORD = re.compile(r"\w+")


def shingles(text: str, size: int) -> Shingles:
    """Runs of `size` words, lower case and without punctuation; of a shorter text all of it; empty for no words."""
    words = _WORD.findall(text.lower())
    return frozenset(tuple(words[at : at + size]) for at in range(max(1, len(words) - size + 1))) if words else frozenset()


def similar_pairs(texts: Sequence[str], size: int, threshold: float) -> Iterator[tuple[int, int]]:
    """Positions of pairs of at least `threshold`, in a fixed order. Of equal texts each is paired with the first only."""
    first: dict[Shingles, int] = {}
    for position, text in enumerate(texts):
        found = shingles(text, size)
        if found and found in first:
            yield first[found], position
        elif found:
            first[found] = position
    yield from _near_pairs(first, threshold)


def _near_pairs(first: dict[Shingles, int], threshold: float) -> Iterator[tuple[int, int]]:
    """The pairs of different sets; `first` holds the position of each."""
    frequency = Counter(shingle for found in first for shingle in found)
    sets = sorted(first, key=lambda found: (len(found), first[found]))
    index: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, found in enumerate(sets):
        rarest = sorted(found, key=lambda shingle: (frequency[shingle], shingle))
        candidates: set[int] = set()
        for shingle in rarest[: len(found) - ceil(threshold * len(found)) + 1]:
            if frequency[shingle] > 1:
                candidates.update(index[shingle])
                index[shingle].append(number)
        for candidate in sorted(candidates):
            shared = len(found & sets[candidate])
            if shared >= threshold * (len(found) + len(sets[candidate]) - shared):
                yield first[sets[candidate]], first[found]
