"""Exact and near duplicates among rows with the same answer key.

Which row stays: a rewritten answer before a template answer, then the smallest id. Rows are taken in that
order and a row goes only if it duplicates one that stays, so every dropped row has its twin in the data.
Rows with different keys are never duplicates: an option moved from A to C, or another verdict, is another row.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stages.enrich.schema import EnrichedRow
from stages.tables import Reject, content_id
from stages.validate.ngrams import Hashes, chunks, grams, text_hashes, tokens
from stages.validate.params import DuplicateParams

Pair = tuple[int, int]

_BUCKET = 16  # a row is compared with so many rows before it in an LSH bucket, and with the first of the bucket


class Duplicates(NamedTuple):
    """What stays, what goes, and the counts."""

    rows: list[EnrichedRow]
    rejects: list[Reject]
    clusters: int  # kept rows that have at least one dropped twin
    largest: int  # rows of the largest cluster, the kept one included


def remove_duplicates(rows: Sequence[EnrichedRow], params: DuplicateParams) -> Duplicates:
    """Drop rows that duplicate a preferred row; each reject names the row that stays and the similarity."""
    ordered = sorted(rows, key=lambda row: (row.decision != "rewritten", row.id))
    texts = [f"{row.instruction}\n{row.answer}" for row in ordered]
    exact = exact_pairs([f"{row.instruction}\n{'' if row.answer_key else row.answer}" for row in ordered], _keys(ordered))
    near = near_pairs(texts, _keys(ordered), params)
    twin_of, kept = _choose(len(ordered), exact, near)
    rejects = [_reject(ordered[index], ordered[twin], similarity) for index, (twin, similarity) in twin_of.items()]
    sizes = Counter(twin for twin, _ in twin_of.values())
    kept_rows = sorted((ordered[index] for index in kept), key=lambda row: row.id)
    return Duplicates(kept_rows, rejects, len(sizes), max(sizes.values(), default=-1) + 1)


def conflicting(rows: Sequence[EnrichedRow]) -> list[tuple[EnrichedRow, EnrichedRow]]:
    """Pairs of rows that ask the same question but carry different keys: one of the two is wrong."""
    keyed = sorted((row for row in rows if row.answer_key), key=lambda row: row.id)
    first: dict[int, EnrichedRow] = {}
    pairs = []
    for row, value in zip(keyed, text_hashes(tokens([row.instruction for row in keyed])).tolist(), strict=True):
        other = first.setdefault(value, row)
        if set(other.answer_key) != set(row.answer_key):
            pairs.append((other, row))
    return pairs


def exact_pairs(texts: Sequence[str], keys: Sequence[str]) -> list[Pair]:
    """(first, later) for texts with the same words in the same order, and the same key."""
    first: dict[tuple[int, str], int] = {}
    pairs = []
    for index, identity in enumerate(zip(text_hashes(tokens(texts)).tolist(), keys, strict=True)):
        earlier = first.setdefault(identity, index)
        if earlier != index:
            pairs.append((earlier, index))
    return pairs


def near_pairs(texts: Sequence[str], keys: Sequence[str], params: DuplicateParams) -> dict[Pair, float]:
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


def _keys(rows: Sequence[EnrichedRow]) -> list[str]:
    return [content_id(row.key_kind, *sorted(row.answer_key)) for row in rows]


def _choose(count: int, exact: list[Pair], near: dict[Pair, float]) -> tuple[dict[int, tuple[int, float]], list[int]]:
    """Greedy in index order: {dropped: (kept twin, similarity)} and the kept indexes."""
    neighbours: dict[int, list[tuple[int, float]]] = {}
    for (one, two), similarity in itertools.chain(((pair, 1.0) for pair in exact), sorted(near.items())):
        neighbours.setdefault(two, []).append((one, similarity))
    twin_of: dict[int, tuple[int, float]] = {}
    kept = []
    for index in range(count):
        twins = [twin for twin in neighbours.get(index, ()) if twin[0] not in twin_of]
        if twins:
            twin_of[index] = max(twins, key=lambda twin: (twin[1], -twin[0]))
        else:
            kept.append(index)
    return twin_of, kept


def _reject(row: EnrichedRow, twin: EnrichedRow, similarity: float) -> Reject:
    reason = "duplicate-exact" if similarity == 1.0 else "duplicate-near"
    return Reject(source="validate", record=row.id, reason=reason, detail=f"of {twin.id}, similarity {similarity:.3f}")


def _shingle_sets(texts: Sequence[str], size: int) -> list[Hashes]:
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
