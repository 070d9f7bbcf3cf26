"""Semantic duplicates: rows that ask the same and answer the same in other words, found by vectors of their texts.

As SemDeDup (Abbas et al. 2023, arXiv 2303.09540), but exact: within a group every vector is compared with every other.
Rows of one task come from a few templates, so that rows about different things lie close too: with cosines alone 1,500
pairs of the default build are above 0.95, 19 of 20 about different entries. A pair is a duplicate here only if both rows
have the task and the key in common, name exactly the same things (`names`), and lie close in the question as well as in
the answer. Of what is left each pair above the threshold was read once (README, duplicates).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stages.embed.encoders import Encoder, StaticEncoder
from stages.enrich.schema import EnrichedRow
from stages.validate.names import names_by_row

ENCODER = Path("models/encoder")
_BATCH = 4_096  # rows whose vectors are in memory at once, unless one group has more: 8 MB
_BLOCK = 2_048  # rows of a group that are compared with as many others at once: 34 MB


def load_encoder(folder: Path = ENCODER) -> Encoder | None:
    """The static encoder of stage `encoder`; None where that stage made no vectors (`encoder.kind: none`)."""
    return StaticEncoder(folder / "static") if (folder / "static").is_dir() else None


def semantic_pairs(
    rows: Sequence[EnrichedRow], keys: Sequence[str], encoder: Encoder, threshold: float
) -> dict[tuple[int, int], float]:
    """Pairs (smaller index first) with the lesser cosine of their questions and of their answers, where it is >= `threshold`."""
    found = {}
    for batch in _batches(_groups(rows, keys)):
        numbers = [index for group in batch for index in group]
        questions = encoder.encode([rows[index].instruction for index in numbers])
        answers = encoder.encode([rows[index].answer for index in numbers])
        start = 0
        for group in batch:
            mine = slice(start, start + len(group))
            start += len(group)
            for one, two, cosine in _close(questions[mine], answers[mine], threshold):
                found[group[one], group[two]] = cosine
    return found


def _groups(rows: Sequence[EnrichedRow], keys: Sequence[str]) -> list[list[int]]:
    """Indexes of rows that have task, key and names in common, two or more together, in the order of the rows."""
    names = names_by_row([row.task for row in rows], (f"{row.instruction}\n{row.answer}" for row in rows))
    groups: dict[tuple[str, str, tuple[str, ...]], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[row.task, keys[index], names[index]].append(index)
    return [group for group in groups.values() if len(group) > 1]


def _batches(groups: Sequence[list[int]]) -> Iterator[list[list[int]]]:
    batch: list[list[int]] = []
    for group in groups:
        if batch and sum(map(len, batch)) + len(group) > _BATCH:
            yield batch
            batch = []
        batch.append(group)
    if batch:
        yield batch


def _close(questions: Any, answers: Any, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Pairs of one group, block of rows by block of rows."""
    import numpy as np

    starts = range(0, len(questions), _BLOCK)
    for top, left in ((top, left) for top in starts for left in starts if left >= top):
        rows, columns = slice(top, top + _BLOCK), slice(left, left + _BLOCK)
        cosines = np.minimum(questions[rows] @ questions[columns].T, answers[rows] @ answers[columns].T)
        ones, twos = np.nonzero(cosines >= threshold)
        for one, two in zip(ones.tolist(), twos.tolist(), strict=True):
            if top + one < left + two:
                yield top + one, left + two, float(cosines[one, two])
