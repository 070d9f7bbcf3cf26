"""Near duplicates: MinHash LSH by the library rensa, each candidate confirmed by its exact Jaccard similarity.

Only texts with equal keys are compared. Signatures of 100,000 rows take 50 MB, their shingles 100 to 200 MB.
"""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from stages.validate.ngrams import Hashes, chunks, grams
from stages.validate.params import DuplicateParams

Pair = tuple[int, int]

_BUCKET = 16  # a row is compared with so many rows before it in an LSH bucket, and with the first of the bucket


def near_pairs(texts: Iterable[str], keys: Sequence[str], params: DuplicateParams) -> dict[Pair, float]:
    """Pairs (smaller index first) with equal keys and shingle Jaccard similarity >= the threshold, with it."""
    shingles = _shingle_sets(texts, params.shingle)
    long_enough = np.array([index for index, shingle_set in enumerate(shingles) if len(shingle_set)], np.int64)
    if len(long_enough) < 2:
        return {}
    signatures = _signatures([shingles[index] for index in long_enough], params)
    key_ids = _identify([keys[index] for index in long_enough])
    left, right = _candidates(signatures, key_ids, params)
    rows = params.permutations // params.bands
    estimate = _estimates(signatures[:, : rows * params.bands], left, right)
    likely = np.flatnonzero(estimate >= params.threshold - 4 * 0.5 / np.sqrt(params.permutations))  # four standard errors
    found = {}
    for one, two in zip(long_enough[left[likely]].tolist(), long_enough[right[likely]].tolist(), strict=True):
        similarity = jaccard(shingles[one], shingles[two])
        if similarity >= params.threshold:
            found[min(one, two), max(one, two)] = similarity
    return found


def jaccard(one: Hashes, two: Hashes) -> float:
    """Jaccard similarity of two sorted arrays of distinct hashes."""
    shared = len(np.intersect1d(one, two, assume_unique=True))
    return shared / (len(one) + len(two) - shared)


def _shingle_sets(texts: Iterable[str], size: int) -> list[Hashes]:
    """Sorted distinct shingle hashes per text."""
    sets: list[Hashes] = []
    for _, part in chunks(texts):
        found = grams(part, size)
        bounds = np.searchsorted(found.texts, np.arange(len(part.offsets)))
        sets.extend(np.unique(found.hashes[start:end]) for start, end in itertools.pairwise(bounds.tolist()))
    return sets


def _signatures(shingles: Sequence[Hashes], params: DuplicateParams) -> npt.NDArray[np.uint32]:
    """MinHash signatures, one row per text, `permutations` columns."""
    from rensa import RMinHash

    parts = []
    for batch in (shingles[start : start + 5000] for start in range(0, len(shingles), 5000)):
        offsets = np.concatenate([np.zeros(1, np.uint64), np.cumsum([len(hashes) for hashes in batch], dtype=np.uint64)])
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(np.concatenate(batch), offsets, params.permutations, params.seed)
        parts.append(np.array(matrix.to_rows(), np.uint32))
    return np.concatenate(parts)


def _identify(values: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.unique(np.array(values), return_inverse=True)[1]


def _candidates(
    signatures: npt.NDArray[np.uint32], keys: npt.NDArray[np.int64], params: DuplicateParams
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of rows that agree in one whole band and in the key, each pair once."""
    rows = params.permutations // params.bands
    seen = [np.empty(0, np.int64)]
    for band in range(params.bands):
        columns = np.ascontiguousarray(signatures[:, band * rows : (band + 1) * rows]).astype(np.uint64)
        mixed = keys.astype(np.uint64)
        for column in columns.T:
            mixed = (mixed * np.uint64(0xD6E8FEB86659FD93)) ^ column
            mixed ^= mixed >> np.uint64(29)
        order = np.argsort(mixed, kind="stable")
        values = mixed[order]
        starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
        sizes = np.diff(np.concatenate([starts, [len(values)]]))
        place = np.arange(len(values)) - np.repeat(starts, sizes)
        for step in range(1, min(int(sizes.max()), _BUCKET)):
            later = np.flatnonzero(place >= step)
            seen.append(order[later - step] * len(signatures) + order[later])
        beyond = np.flatnonzero(place >= _BUCKET)
        seen.append(order[beyond - place[beyond]] * len(signatures) + order[beyond])
    pairs = np.unique(np.concatenate(seen))
    return pairs // len(signatures), pairs % len(signatures)


def _estimates(
    signatures: npt.NDArray[np.uint32], left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Share of equal signature places of each pair, in blocks that bound the memory."""
    blocks = [slice(start, start + 100_000) for start in range(0, len(left), 100_000)]
    parts = [(signatures[left[block]] == signatures[right[block]]).mean(axis=1) for block in blocks]
    return np.concatenate(parts) if parts else np.empty(0)
