"""Exact, near and semantic duplicates among rows with the same answer key.

Which row stays: a row of dev before one of train, since a train row with a twin in dev gives the dev split away; then a
rewritten answer before a template answer, then the smallest id. Rows are taken in that order and a row goes only if it
duplicates one that stays, so every dropped row has its twin in the data.
Rows with different keys are never duplicates: an option moved from A to C, or another verdict, is another row.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from stages.embed.encoders import Encoder
from stages.enrich.schema import EnrichedRow
from stages.tables import Reject, content_id
from stages.validate.near import Pair, near_pairs
from stages.validate.ngrams import chunks, text_hashes
from stages.validate.params import DuplicateParams
from stages.validate.schema import ClusterRow
from stages.validate.semantic import semantic_pairs

KINDS = ("exact", "near", "semantic")  # strictest first
NOT_CHECKED = "not checked"
PairCounts = dict[str, dict[str, int] | str]  # kind -> pairs within train, within dev and across, or NOT_CHECKED


class Twin(NamedTuple):
    """Why a row goes: the row that stays, by which kind of likeness, and how alike."""

    index: int
    kind: str
    similarity: float


class Duplicates(NamedTuple):
    """What stays, what goes, and the counts."""

    rows: list[EnrichedRow]
    rejects: list[Reject]
    members: list[ClusterRow]  # of clusters of two or more, each headed by the row that stays
    pairs: PairCounts

    @property
    def clusters(self) -> int:
        """Kept rows that have at least one dropped twin."""
        return sum(one.kept for one in self.members)

    @property
    def largest(self) -> int:
        """Rows of the largest cluster, the kept one included."""
        return max(Counter(one.cluster for one in self.members).values(), default=0)

    @property
    def leaks(self) -> int:
        """Train rows that went because a twin is in dev."""
        dev = {one.row for one in self.members if one.kept and one.split == "dev"}
        return sum(one.cluster in dev and one.split == "train" for one in self.members)


def remove_duplicates(rows: Sequence[EnrichedRow], params: DuplicateParams, encoder: Encoder | None = None) -> Duplicates:
    """Drop rows that duplicate a preferred row; each reject names the row that stays and the similarity.

    Without `encoder` semantic duplicates are not looked for, and the counts say so.
    """
    ordered = sorted(rows, key=lambda row: (row.split != "dev", row.decision != "rewritten", row.id))
    keys = [content_id(row.key_kind, *sorted(row.answer_key)) for row in ordered]
    found: dict[str, Mapping[Pair, float]] = {
        "exact": exact_pairs((f"{row.instruction}\n{'' if row.answer_key else row.answer}" for row in ordered), keys),
        "near": near_pairs((f"{row.instruction}\n{row.answer}" for row in ordered), keys, params),
    }
    if encoder is not None:
        found["semantic"] = semantic_pairs(ordered, keys, encoder, params.semantic)
    twin_of = _choose(len(ordered), found)
    return Duplicates(
        rows=sorted((row for index, row in enumerate(ordered) if index not in twin_of), key=lambda row: row.id),
        rejects=[_reject(ordered[index], ordered[twin.index], twin) for index, twin in twin_of.items()],
        members=list(_members(ordered, twin_of)),
        pairs=_counts(ordered, found),
    )


def conflicting(rows: Sequence[EnrichedRow]) -> list[tuple[EnrichedRow, EnrichedRow]]:
    """Pairs of rows that ask the same question but carry different keys: one of the two is wrong."""
    keyed = sorted((row for row in rows if row.answer_key), key=lambda row: row.id)
    first: dict[int, EnrichedRow] = {}
    pairs = []
    for row, value in zip(keyed, _whole(row.instruction for row in keyed), strict=True):
        other = first.setdefault(value, row)
        if set(other.answer_key) != set(row.answer_key):
            pairs.append((other, row))
    return pairs


def exact_pairs(texts: Iterable[str], keys: Sequence[str]) -> dict[Pair, float]:
    """(first, later) for texts with the same words in the same order, and the same key; their similarity is 1."""
    first: dict[tuple[int, str], int] = {}
    pairs = {}
    for index, identity in enumerate(zip(_whole(texts), keys, strict=True)):
        earlier = first.setdefault(identity, index)
        if earlier != index:
            pairs[earlier, index] = 1.0
    return pairs


def _whole(texts: Iterable[str]) -> Iterator[int]:
    """One hash per text over all its words in order, chunk by chunk: the words of all texts are never there at once."""
    for _, part in chunks(texts):
        yield from text_hashes(part).tolist()


def _choose(count: int, found: Mapping[str, Mapping[Pair, float]]) -> dict[int, Twin]:
    """Greedy in index order: the twin of each row that goes, the strictest kind first, then the most alike."""
    neighbours: dict[int, list[Twin]] = {}
    for kind, pairs in found.items():
        for (one, two), similarity in sorted(pairs.items()):
            neighbours.setdefault(two, []).append(Twin(one, kind, similarity))
    twin_of: dict[int, Twin] = {}
    for index in range(count):
        twins = [twin for twin in neighbours.get(index, ()) if twin.index not in twin_of]
        if twins:
            twin_of[index] = min(twins, key=lambda twin: (KINDS.index(twin.kind), -twin.similarity, twin.index))
    return twin_of


def _reject(row: EnrichedRow, kept: EnrichedRow, twin: Twin) -> Reject:
    detail = f"of {kept.id}, similarity {twin.similarity:.3f}"
    return Reject(source="validate", record=row.id, reason=f"duplicate-{twin.kind}", detail=detail)


def _members(rows: Sequence[EnrichedRow], twin_of: Mapping[int, Twin]) -> Iterator[ClusterRow]:
    """Cluster after cluster by the id of the row that stays, that row first."""
    by_head = sorted(twin_of, key=lambda index: (rows[twin_of[index].index].id, rows[index].id))
    for head, dropped in itertools.groupby(by_head, key=lambda index: twin_of[index].index):
        yield _member(rows[head], rows[head], "", 1.0)
        for index in dropped:
            yield _member(rows[head], rows[index], twin_of[index].kind, twin_of[index].similarity)


def _member(head: EnrichedRow, row: EnrichedRow, kind: str, similarity: float) -> ClusterRow:
    return ClusterRow(
        cluster=head.id, row=row.id, kept=not kind, kind=kind, similarity=round(similarity, 4), task=row.task, split=row.split
    )


def _counts(rows: Sequence[EnrichedRow], found: Mapping[str, Mapping[Pair, float]]) -> PairCounts:
    """A pair counts once, for its strictest kind."""
    seen: set[Pair] = set()
    counts: PairCounts = {}
    for kind in KINDS:
        if kind not in found:
            counts[kind] = NOT_CHECKED
            continue
        new = found[kind].keys() - seen
        seen |= new
        splits = Counter(rows[one].split if rows[one].split == rows[two].split else "across" for one, two in new)
        counts[kind] = {"within_train": splits["train"], "within_dev": splits["dev"], "train_and_dev": splits["across"]}
    return counts
