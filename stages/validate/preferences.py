"""Preference pairs out of rewrites: which kept and refused texts make one, and what a text must pass before it may be shown."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.enrich.schema import EnrichedRow, RewriteAttempt
from stages.errors import InputError
from stages.ground.schema import Evidence
from stages.licences import load_classes
from stages.tables import content_id
from stages.validate.benchmark_hashes import HashedBenchmarks
from stages.validate.benchmark_index import build_index, own_items
from stages.validate.core import documents
from stages.validate.decontaminate import find_contamination
from stages.validate.hashed import find_hashed
from stages.validate.licences import filter_licences
from stages.validate.params import ValidateParams
from stages.validate.safety import make_safe
from stages.validate.schema import TrainingRow

Kind = Literal["key", "ids", "facts", "format", "readability"]

# A refused rewrite makes a pair if what is wrong with it is worth learning; the gravest reason gives the kind.
PAIRS: dict[str, Kind] = {
    "key-changed": "key",
    "unknown-id": "ids",
    "unsupported-id": "ids",
    "unsupported-number": "facts",
    "unsupported-quote": "facts",
    "unsupported-claim": "facts",
    "not-factual": "facts",
    "format-not-followed": "format",
    "text-below-answer": "format",
    "mentions-evidence": "format",
    "less-readable": "readability",  # only if the judge preferred the original in both orders
}
JUDGED = frozenset({"unsupported-claim", "not-factual", "less-readable"})  # nothing, if the judge failed its examination
IGNORED = frozenset({"judge-not-calibrated", "judge-unparsed"})  # of the judge and not of the text: other reasons still count
NO_PAIR = {
    "empty": "there is no text",
    "call-failed": "a call failed",
    "format-does-not-suit": "there is no rewrite",
    "control-tokens": "a text that opens turns of its own is no example of anything",
    "fence-leaked": "an artefact of the prompt, which no user writes",
    "copies-example": "an artefact of the prompt, which no user writes",
    "truncated": "cut by a limit, and not by choice",
    "loops": "broken at first sight: the pair teaches nothing about the subject",
    "other-language": "broken at first sight: the pair teaches nothing about the subject",
    "too-short": "the pair would teach length, to which preference training is prone anyway",
    "too-long": "the pair would teach length, to which preference training is prone anyway",
}


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    """One pair in plain text; `chosen` stands in the validated set."""

    row_id: str
    split: str  # train or dev
    task: str
    family: str
    kind: Kind
    reasons: list[str]  # why the rejected text was refused; empty if it is the original answer of a rewrite that was kept
    licences: list[str]  # of row and evidence
    passages: list[str]  # ids of the passages that one of the texts was made from
    prompt: str
    chosen: str
    rejected: str


class Judge(NamedTuple):
    """How far the judge's word counts."""

    passed: bool  # its examination
    factuality: int  # score of a rewrite below which a fact was lost or added


class Found(NamedTuple):
    """Pairs sorted by split, row and text, and what was left out, by reason."""

    pairs: list[Preference]
    left_out: dict[str, int]


def preferences(
    training: Mapping[str, tuple[str, TrainingRow]],
    rows: Iterable[EnrichedRow],
    attempts: Sequence[RewriteAttempt],
    evidence: Sequence[Evidence],
    judge: Judge,
) -> Found:
    """Candidates before safety, licences and decontamination. `training` is by row id, with the split of each row.

    Raises InputError for a passage that `evidence` lacks: a text made from it has a licence that nobody knows.
    """
    licences, left_out = _licences(evidence), Counter[str]()
    by_row: dict[str, list[RewriteAttempt]] = defaultdict(list)
    for attempt in attempts:
        by_row[attempt.row_id].append(attempt)
    pairs = []
    for row in sorted((row for row in rows if row.id in by_row), key=lambda row: row.id):
        if row.id not in training:
            left_out["row-not-in-the-set"] += len(by_row[row.id])
            continue
        split, clean = training[row.id]
        for attempt in by_row[row.id]:
            kind = kind_of(attempt, judge)
            if kind not in get_args(Kind):
                left_out[kind] += 1
                continue
            pairs.append(_pair(row, split, clean, attempt, kind, licences))  # type: ignore[arg-type]
    return Found(pairs, dict(left_out))


def kind_of(attempt: RewriteAttempt, judge: Judge) -> str:
    """A Kind, or why there is no pair: a reason of NO_PAIR, or that nobody knows which text is better."""
    if not attempt.reasons:  # kept, though perhaps not by the judge: `enrich.keep.judge: false` asks and does not listen
        factual = attempt.factuality is not None and attempt.factuality >= judge.factuality
        return "readability" if judge.passed and factual and attempt.readability == "rewritten" else "kept-but-not-preferred"
    names = [reason.partition(":")[0] for reason in attempt.reasons]
    if without := [name for name in names if name in NO_PAIR]:
        return without[0]
    if not judge.passed or "judge-not-calibrated" in names:
        names = [name for name in names if name not in JUDGED]
    if attempt.readability != "original":
        names = [name for name in names if name != "less-readable"]
    kinds = {PAIRS[name] for name in names if name in PAIRS}
    return next((kind for kind in get_args(Kind) if kind in kinds), "no-verdict-to-rely-on")


def presentable(
    found: Found,
    rows: Sequence[EnrichedRow],
    items: Sequence[BenchmarkItem],
    params: ValidateParams,
    known: HashedBenchmarks,
) -> Found:
    """The pairs whose rejected text may be passed on, by the rules of the set: safety, licences, benchmarks; each text once.

    `rows` are those of the set: an n-gram is common language here where it is in the whole set.
    """
    by_id, left_out = {row.id: row for row in rows}, Counter(found.left_out)
    numbered = {f"{pair.row_id}#{number}": pair for number, pair in enumerate(found.pairs)}
    texts = [
        msgspec.structs.replace(
            by_id[pair.row_id], id=name, instruction=pair.prompt, answer=pair.rejected, licences=pair.licences
        )
        for name, pair in numbered.items()
    ]
    safe = make_safe(texts, params.safety)
    free = msgspec.structs.replace(params.licences, splits=())  # pairs have no split of their own
    licensed, unlicensed, _ = filter_licences(safe.rows, free, load_classes())
    left_out.update(reject.reason for reject in (*safe.rejects, *unlicensed))
    shown = documents([*rows, *licensed], [])
    found_in = find_contamination(shown, build_index(own_items(items), params.decontamination), params.decontamination).matches
    contaminated = {match.row for match in (*found_in, *find_hashed(shown, known, params.decontamination))}
    left_out["contaminated"] += sum(text.id in contaminated for text in licensed)
    clean = [msgspec.structs.replace(numbered[text.id], rejected=text.answer) for text in licensed if text.id not in contaminated]
    pairs = _distinct(clean)
    left_out["same-texts"] += len(clean) - len(pairs)
    return Found(pairs, {reason: count for reason, count in sorted(left_out.items()) if count})


def _pair(
    row: EnrichedRow, split: str, clean: TrainingRow, attempt: RewriteAttempt, kind: Kind, licences: Mapping[tuple[str, str], str]
) -> Preference:
    """The answer of the set against a refused rewrite, or against the original answer that the kept one replaced."""
    if unknown := [passage for passage in attempt.evidence_ids if (row.id, passage) not in licences]:
        raise InputError(
            f"data/enrich/attempts.parquet, row {row.id}: passage {unknown[0]} is not in the table of evidence, so its licence is unknown.",
            allowed="passages of data/ground/evidence.parquet",
            remedy="The tables are of different builds: run `dvc repro enrich`.",
        )
    used = [licences[row.id, passage] for passage in attempt.evidence_ids]
    return Preference(
        row_id=row.id, split=split, task=row.task, family=row.family, kind=kind, reasons=attempt.reasons,
        licences=sorted({*clean.licences, *used}), passages=attempt.evidence_ids, prompt=clean.instruction, chosen=clean.answer,
        rejected=attempt.text if attempt.reasons else row.template_answer,
    )  # fmt: skip


def _licences(evidence: Iterable[Evidence]) -> dict[tuple[str, str], str]:
    return {(one.row_id, one.passage_id): one.licence for one in evidence}


def _distinct(pairs: Iterable[Preference]) -> list[Preference]:
    """Each prompt with each rejected text once, and none that rejects what it chooses."""
    kept = {content_id(pair.prompt, pair.rejected): pair for pair in pairs if _plain(pair.chosen) != _plain(pair.rejected)}
    return sorted(kept.values(), key=lambda pair: (pair.split != "train", pair.row_id, pair.rejected))


def _plain(text: str) -> str:
    return " ".join(text.split())
