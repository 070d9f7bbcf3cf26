"""Pairs of texts that share most of their wording: exact Jaccard similarity of word shingles, without comparing all pairs.

Two sets of similarity `s` or more share one of the rarest `n - ceil(s * n) + 1` members of either (prefix filtering,
Bayardo et al. 2007, "Scaling up all pairs similarity search"), so the sets that share one of those are the candidates.
Sets are rows of a sparse matrix: the candidates and what they share are matrix products, 90,000 texts a matter of seconds.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

BLOCK = 512  # sets whose candidates are looked up at once: bounds the memory
_WORD = re.compile(r"\w+")


class ShingleSets(NamedTuple):
    """Distinct shingle sets: set i has the members `members[bounds[i]:bounds[i + 1]]`, rarest first."""

    members: "Numbers"  # ranks: 0 is the rarest shingle
    bounds: "Numbers"
    positions: "Numbers"  # of the first text with the set
    frequency: "Numbers"  # by rank: in how many sets


def similar_pairs(texts: Sequence[str], size: int, threshold: float) -> Iterator[tuple[int, int]]:
    """Positions of pairs of at least `threshold`, in a fixed order. Of equal texts each is paired with the first only.

    A shingle is a run of `size` words, lower case and without punctuation; of a shorter text all of it. Texts without
    words are like nothing.
    """
    shingles, owners = _shingles(texts, size)
    if not len(shingles):
        return
    same, sets = _distinct(shingles, owners)
    yield from same
    yield from _near_pairs(sets, threshold)


def _shingles(texts: Sequence[str], size: int) -> tuple["Numbers", "Numbers"]:
    """(shingle number, text) of all shingles, sorted by text and shingle, each once. Equal shingles have one number."""
    import numpy as np

    numbers: dict[str, int] = {}
    padding = 0  # stands for the words that a text shorter than a shingle does not have
    words = [[numbers.setdefault(word, len(numbers) + 1) for word in _WORD.findall(text.lower())] for text in texts]
    words = [own + [padding] * (size - len(own)) if own else own for own in words]
    lengths = np.array([len(own) for own in words], np.int64)
    flat = np.fromiter((number for own in words for number in own), np.int64, int(lengths.sum()))
    owners = np.repeat(np.arange(len(words)), lengths)
    starts = np.flatnonzero(owners[: len(flat) - size + 1] == owners[size - 1 :]) if len(flat) >= size else flat[:0]
    shingles = flat[starts]
    for step in range(1, size):  # numbered anew after each word, so that the products stay small
        shingles = np.unique(shingles * (len(numbers) + 1) + flat[starts + step], return_inverse=True)[1]
    count = int(shingles.max(initial=0)) + 1
    cells = np.sort(owners[starts] * count + shingles)
    cells = cells[np.diff(cells, prepend=-1) > 0]
    return cells % count, cells // count


def _distinct(shingles: "Numbers", owners: "Numbers") -> tuple[list[tuple[int, int]], ShingleSets]:
    """(pairs of texts with equal sets, the different sets by size and first text)."""
    import numpy as np

    bounds = np.flatnonzero(np.diff(owners, prepend=-1, append=-1))
    first: dict[bytes, int] = {}
    same, chosen = [], []
    for number, start in enumerate(bounds[:-1].tolist()):
        content = shingles[start : bounds[number + 1]].tobytes()
        if content in first:
            same.append((first[content], int(owners[start])))
        else:
            first[content] = int(owners[start])
            chosen.append(number)
    order = np.array(sorted(chosen, key=lambda number: (bounds[number + 1] - bounds[number], number)), np.int64)
    lengths = np.diff(bounds)[order]
    rows = np.repeat(np.arange(len(order)), lengths)
    inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return same, _ranked(shingles[bounds[order][rows] + inside], rows, owners[bounds[order]])


def _ranked(shingles: "Numbers", rows: "Numbers", positions: "Numbers") -> ShingleSets:
    """Members as ranks by rising frequency, sorted within each set."""
    import numpy as np

    counts = np.bincount(shingles)
    by_frequency = np.lexsort((np.arange(len(counts)), counts))
    ranks = np.empty(len(counts), np.int64)
    ranks[by_frequency] = np.arange(len(counts))
    members = np.sort(rows * len(counts) + ranks[shingles]) % len(counts)
    bounds = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(positions)))])
    return ShingleSets(members, bounds, positions, counts[by_frequency])


def _near_pairs(sets: ShingleSets, threshold: float) -> Iterator[tuple[int, int]]:
    """The pairs of different sets; a smaller set is never the second."""
    import numpy as np

    sizes = np.diff(sets.bounds)
    whole, prefix = _matrix(sets, sizes), _matrix(sets, sizes - np.ceil(threshold * sizes).astype(np.int64) + 1)
    back, marked = prefix.T.tocsr(), np.zeros(whole.shape[1], np.int32)
    for first in range(0, len(sizes), BLOCK):
        found = (prefix[first : first + BLOCK] @ back).tocsr()
        for number, start, end in zip(range(first, first + BLOCK), found.indptr, found.indptr[1:], strict=False):
            candidates = found.indices[start:end]
            candidates = np.sort(candidates[(candidates < number) & (sizes[candidates] >= threshold * sizes[number])])
            if not len(candidates):
                continue
            own = sets.members[sets.bounds[number] : sets.bounds[number + 1]]
            marked[own] = 1
            shared = whole[candidates] @ marked
            marked[own] = 0
            like = candidates[shared >= threshold * (sizes[number] + sizes[candidates] - shared)]
            yield from zip(sets.positions[like].tolist(), repeat(int(sets.positions[number])))


def _matrix(sets: ShingleSets, kept: "Numbers") -> Any:
    """Sets x shingles, 1 where a set has the shingle among its `kept` rarest. What only one set has is left out of prefixes."""
    import numpy as np
    from scipy.sparse import csr_matrix

    sizes = np.diff(sets.bounds)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    inside = np.arange(len(sets.members)) - sets.bounds[rows]
    use = inside < kept[rows]
    if (kept < sizes).any():
        use &= sets.frequency[sets.members] > 1
    cells = (np.ones(int(use.sum()), np.int32), (rows[use], sets.members[use]))
    return csr_matrix(cells, shape=(len(sizes), len(sets.frequency)))
