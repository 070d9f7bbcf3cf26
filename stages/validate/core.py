"""From checked tables to training rows: safety, licences, decontamination, duplicates, split - in this order.

Duplicates come last, so that the row that stays for a cluster is one that may stay.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.embed.encoders import Encoder
from stages.enrich.schema import EnrichedRow
from stages.errors import InputError
from stages.ground.schema import Evidence
from stages.licences import load_classes, strictest
from stages.tables import Reject
from stages.validate.benchmark_hashes import HashedBenchmarks
from stages.validate.benchmark_index import BenchmarkIndex, Item, own_items
from stages.validate.decontaminate import Contamination, Match
from stages.validate.duplicates import Duplicates, PairCounts, conflicting, remove_duplicates
from stages.validate.hashed import HashedFinding, find_hashed, hashed_findings
from stages.validate.leaks import find_leaks
from stages.validate.licences import filter_licences, kept_apart
from stages.validate.overlap import Document
from stages.validate.params import ValidateParams
from stages.validate.paraphrase import Encoders
from stages.validate.safety import disarmed_all, make_safe
from stages.validate.schema import ClusterRow, RowApart, SafetyFinding, TouchedItem, TrainingRow
from stages.validate.sweep import Sweep, sweep

NONE_KNOWN = HashedBenchmarks([], [])


class BenchmarkFinding(msgspec.Struct, frozen=True):
    """Decontamination against one benchmark. `items` is never 0 here: an absent benchmark was not checked."""

    items: int
    items_touched: int
    items_unsearchable: int  # no telling n-gram and no identifier: nothing could have been found
    rows_dropped: int
    by_rule: dict[str, int]  # rule -> rows


class Built(msgspec.Struct, frozen=True):
    """The rows that stay and everything counted on the way."""

    rows: list[EnrichedRow]  # sorted by id
    apart: list[EnrichedRow]  # clean rows of licence classes that have a split of their own, sorted by id
    rejects: list[Reject]
    rows_in: int
    findings: list[SafetyFinding]
    licence_classes: dict[str, int]
    benchmarks: dict[str, BenchmarkFinding]  # empty: not checked
    hashed_benchmarks: dict[str, HashedFinding]  # public ones, of which only hashes of n-grams are known
    embedding: str  # `checked`, or why rows were not searched for paraphrases of items
    sweeps: dict[str, Sweep]  # benchmark -> rows at other thresholds
    touched: list[TouchedItem]  # items that rows gave away, before these rows were dropped
    overlap_before: dict[str, int]  # rule -> rows, before the boilerplate rule
    overlap_after: dict[str, int]
    boilerplate_grams: int
    duplicate_clusters: int
    largest_cluster: int
    clusters: list[ClusterRow]
    duplicate_pairs: PairCounts
    dev_leaks: int  # train rows that went because a twin is in dev
    conflicts: list[str]  # `id id`: same question, different keys

    @property
    def drops(self) -> dict[str, int]:
        """Reason -> rows."""
        return dict(sorted(Counter(reject.reason for reject in self.rejects).items()))


def build(
    rows: Sequence[EnrichedRow],
    evidence: Sequence[Evidence],
    items: Sequence[BenchmarkItem],
    params: ValidateParams,
    known: HashedBenchmarks = NONE_KNOWN,
    encoder: Encoder | None = None,
    encoders: Encoders | None = None,
    others: Sequence[Item] = (),
) -> Built:
    """Apply every filter to `rows`. Raises InputError if no training row is left."""
    safe = make_safe(sorted(rows, key=lambda row: row.id), params.safety)
    licensed, unlicensed, classes = filter_licences(safe.rows, params.licences, load_classes())
    texts = documents(licensed, evidence)
    leaks = find_leaks(texts, [*own_items(items), *others], params.decontamination, encoders)
    contamination = leaks.contamination
    hashed = find_hashed(texts, known, params.decontamination)
    clean, contaminated = _without_matches(licensed, [*contamination.matches, *hashed])
    free, apart = kept_apart(clean, params.licences, load_classes())
    unique, others = remove_duplicates(free, params.duplicates, encoder), remove_duplicates(apart, params.duplicates, encoder)
    rejects = [*safe.rejects, *unlicensed, *contaminated, *unique.rejects, *others.rejects]
    _require_training_rows(unique.rows, rejects)
    return Built(
        rows=unique.rows,
        apart=others.rows,
        rejects=rejects,
        rows_in=len(rows),
        findings=safe.findings,
        licence_classes=classes,
        benchmarks=benchmark_findings(leaks.index, contamination.matches),
        embedding=leaks.embedding,
        sweeps=sweep(texts, leaks.index, leaks.similar, params.decontamination),
        touched=touched_items(contamination.matches),
        hashed_benchmarks=hashed_findings(known, hashed),
        conflicts=[f"{one.id} {two.id}" for one, two in conflicting(unique.rows)],
        **_counts(contamination, unique),
    )


def documents(rows: Sequence[EnrichedRow], evidence: Sequence[Evidence]) -> list[Document]:
    """Rows as decontamination reads them: instruction, answer, and every passage the teacher saw."""
    passages: dict[str, list[str]] = {}
    for one, text in zip(evidence, disarmed_all([one.text for one in evidence]), strict=True):  # a match quotes it
        passages.setdefault(one.row_id, []).append(text)
    return [
        Document(
            id=row.id,
            subject=row.subject,
            texts={"instruction": [row.instruction], "answer": [row.answer], "evidence": passages.get(row.id, [])},
            named=" ".join([row.subject, *row.entity_ids]),
        )
        for row in rows
    ]


def benchmark_findings(index: BenchmarkIndex, matches: Sequence[Match]) -> dict[str, BenchmarkFinding]:
    """What was found per benchmark; a benchmark without items has no entry."""
    hidden = Counter(index.items[number].benchmark for number in index.unsearchable)
    findings = {}
    for name, count in sorted(Counter(item.benchmark for item in index.items).items()):
        mine = [match for match in matches if match.benchmark == name]
        findings[name] = BenchmarkFinding(
            items=count,
            items_touched=len({match.item for match in mine}),
            items_unsearchable=hidden[name],
            rows_dropped=len({match.row for match in mine}),
            by_rule=dict(sorted(Counter(rule for _, rule in {(match.row, match.rule) for match in mine}).items())),
        )
    return findings


def touched_items(matches: Sequence[Match]) -> list[TouchedItem]:
    """Items that some row gave away, by benchmark and id."""
    rows: dict[tuple[str, str], set[str]] = {}
    rules: dict[tuple[str, str], set[str]] = {}
    for match in matches:
        rows.setdefault((match.benchmark, match.item), set()).add(match.row)
        rules.setdefault((match.benchmark, match.item), set()).add(match.rule)
    return [TouchedItem(benchmark=key[0], item=key[1], rules=sorted(rules[key]), rows=len(rows[key])) for key in sorted(rows)]


def training_rows(rows: Sequence[EnrichedRow], split: str) -> list[TrainingRow]:
    """The rows of one split as fine-tuning reads them."""
    names = [field.name for field in msgspec.structs.fields(TrainingRow)]
    return [TrainingRow(**{name: getattr(row, name) for name in names}) for row in rows if row.split == split]


def rows_apart(rows: Sequence[EnrichedRow]) -> list[RowApart]:
    """The rows of licence classes that have a split of their own, with that class."""
    classes, names = load_classes(), [field.name for field in msgspec.structs.fields(TrainingRow)]
    return [
        RowApart(**{name: getattr(row, name) for name in names}, split=row.split, licence_class=strictest(row.licences, classes))
        for row in rows
    ]


def rows_by_split(rows: Sequence[EnrichedRow]) -> dict[str, dict[str, int]]:
    """Licence class -> split -> rows, of the classes that are kept apart."""
    classes = load_classes()
    counts = Counter((strictest(row.licences, classes), row.split) for row in rows)
    return {kind: {split: counts[kind, split] for split in ("train", "dev")} for kind in sorted({kind for kind, _ in counts})}


def _without_matches(rows: Sequence[EnrichedRow], matches: Sequence[Match]) -> tuple[list[EnrichedRow], list[Reject]]:
    best: dict[str, Match] = {}
    for match in matches:
        best.setdefault(match.row, match)
    rejects = [
        Reject(
            source="validate",
            record=match.row,
            reason=f"contaminated-{match.rule}",
            detail=_detail(match),
        )
        for match in best.values()
    ]
    return [row for row in rows if row.id not in best], rejects


def _detail(match: Match) -> str:
    if not match.item:
        return f"{match.benchmark} in {match.level}, known by hashes: {match.evidence}"
    return f"{match.benchmark} item {match.item} in {match.level}, overlap {match.overlap:.2f}: {match.evidence}"


def _counts(contamination: Contamination, unique: Duplicates) -> dict[str, object]:
    return {
        "overlap_before": contamination.rows_before_boilerplate,
        "overlap_after": contamination.rows_after_boilerplate,
        "boilerplate_grams": contamination.boilerplate_grams,
        "duplicate_clusters": unique.clusters,
        "largest_cluster": unique.largest,
        "clusters": unique.members,
        "duplicate_pairs": unique.pairs,
        "dev_leaks": unique.leaks,
    }


def _require_training_rows(rows: Sequence[EnrichedRow], rejects: Sequence[Reject]) -> None:
    if not any(row.split == "train" for row in rows):
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in Counter(reject.reason for reject in rejects).most_common())
        raise InputError(
            f"No training row is left of data/enrich/rows.parquet (dropped: {reasons or 'nothing; it has no row of split train'}).",
            remedy="Read the reasons; if a licence class or a filter is to blame, change section `validate` of params.yaml.",
        )
