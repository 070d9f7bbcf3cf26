"""From predictions to scores, comparisons, retention and the plot table. Nothing else decides a score."""

import csv
import io
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from stages.benchmarks.schema import BenchmarkItem
from stages.evaluate.consistency import consistency
from stages.evaluate.params import EvaluateParams
from stages.evaluate.retrieval import keyed_rows
from stages.evaluate.schema import Cost, Prediction
from stages.evaluate.variations import PLAIN, variation_of
from stages.statistics import (
    Interval,
    centred_on_chance,
    mcnemar_exact,
    paired_difference,
    retention,
    wilson_interval,
)
from stages.validate.schema import TrainingRow
from stages.variants import VARIANTS

PLOT_COLUMNS = ("benchmark", "protocol", "system", "score", "low", "high", "label")
NOTES = (
    "Intervals are Wilson's; differences and retention are paired over the same items by bootstrap.",
    "Cheap baselines and few-shot prompts draw on every training row, fine-tuning only on those that its token budget holds. "
    "A label is `seen` by a system if a row that it learns from carries it; the base model is split as its tuned variants are.",
    "`untouched` scores only the items that no row had given away when validation looked; the rows themselves were dropped.",
    "The longest-option baseline is a check of the benchmark: above chance it would mean that options give answers away.",
)

Answers = dict[str, Prediction]  # by item id
Table = dict[tuple[str, str, str], Answers]  # by benchmark, protocol, system


def summarise(
    predictions: Sequence[Prediction],
    items: Sequence[BenchmarkItem],
    train: Sequence[TrainingRow],
    trained: Collection[str],
    params: EvaluateParams,
    base_note: str,
    touched: Collection[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Everything in `metrics/evaluate.json`, nested benchmark, protocol, system; `trained` are the ids of the rows fine-tuned on.

    Answers to a question with a format after it are no scores of the benchmark: they stand under `consistency` alone.
    `touched` are (benchmark, item id) that some row gave away before validation dropped it: `untouched` scores the others.
    """
    plain = [one for one in predictions if variation_of(one.system)[1] == PLAIN]
    table = tabulate(plain)
    untouched = tabulate(one for one in plain if (one.benchmark, one.item_id) not in touched)
    varied = consistency(predictions, _settings(params))
    by_id = {item.id: item for item in items}
    tuned = [row for row in train if row.id in trained]
    return {
        "base_note": base_note,
        "confidence": params.confidence,
        "notes": list(NOTES),
        "benchmarks": _benchmarks(items, train, tuned),
        "scores": _nested(table, lambda answers: _score(answers, by_id, params.confidence)),
        "untouched": _nested(untouched, lambda answers: _score(answers, by_id, params.confidence)),
        "comparisons": _comparisons(table, params),
        "retention": _retention(table, params),
        "by_task": _nested(table, lambda answers: _by(answers, lambda item: item.task, by_id)),
        "by_key_in_training": _nested(table, _seen_keys(by_id, train, tuned)),
        **({"consistency": varied} if varied else {}),
    }


def tabulate(predictions: Iterable[Prediction]) -> Table:
    """Predictions by benchmark, protocol and system, in that order."""
    table: Table = defaultdict(dict)
    for one in predictions:
        table[one.benchmark, one.protocol, one.system][one.item_id] = one
    return dict(sorted(table.items()))


def plot_csv(scores: Mapping[str, Any]) -> str:
    """The score table for DVC plots, a line per benchmark, protocol and system."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(PLOT_COLUMNS)
    for benchmark, protocols in sorted(scores.items()):
        for protocol, systems in sorted(protocols.items()):
            for system, score in sorted(systems.items()):
                label = f"{benchmark} {protocol} {system}"
                writer.writerow([benchmark, protocol, system, score["accuracy"], score["low"], score["high"], label])
    return file.getvalue()


def cost_table(costs: Iterable[Cost]) -> dict[str, Any]:
    """Figures of this machine for `metrics/timings/evaluate.json`."""
    nested: dict[str, Any] = {}
    for cost in costs:
        per_second = 1 / cost.seconds if cost.seconds else 0.0
        nested.setdefault(cost.benchmark, {}).setdefault(cost.protocol, {})[cost.system] = {
            "items": cost.items,
            "seconds": round(cost.seconds, 3),
            "seconds_per_item": round(cost.seconds / max(1, cost.items), 4),
            "p50_seconds": round(cost.p50_seconds, 3),
            "p95_seconds": round(cost.p95_seconds, 3),
            "prompt_tokens_per_second": round(cost.prompt_tokens * per_second, 1),
            "new_tokens_per_second": round(cost.new_tokens * per_second, 1),
            "peak_memory_mb": round(cost.peak_memory_mb, 1),
        }
    return nested


def _benchmarks(items: Sequence[BenchmarkItem], train: Sequence[TrainingRow], tuned: Sequence[TrainingRow]) -> dict[str, Any]:
    """Size and chance level per benchmark, and for labels the share of items that a learnt label can answer.

    That share is given for all training rows, from which baselines learn, and for those that were fine-tuned on.
    """
    described: dict[str, Any] = {}
    for benchmark in sorted({item.benchmark for item in items}):
        own = [item for item in items if item.benchmark == benchmark]
        kind = own[0].key_kind
        described[benchmark] = {"items": len(own), "key_kind": kind, "chance": _rounded(_chance(own))}
        if kind != "letter":
            for name, rows in (("training", train), ("finetuning", tuned)):
                learnt = {key for row in keyed_rows(rows, kind) for key in row.answer_key}
                described[benchmark][f"labels_in_{name}"] = len(learnt)
                answerable = sum(not learnt.isdisjoint(item.key) for item in own)
                described[benchmark][f"key_in_{name}"] = _rounded(answerable / len(own))
    return described


def _score(answers: Answers, by_id: Mapping[str, BenchmarkItem], confidence: float) -> dict[str, Any]:
    right = sum(one.correct for one in answers.values())
    interval = wilson_interval(right, len(answers), confidence)
    chance = _chance([by_id[item_id] for item_id in answers])
    return {
        "n": len(answers),
        "correct": right,
        "accuracy": _rounded(interval.value),
        "low": _rounded(interval.low),
        "high": _rounded(interval.high),
        "unparseable": sum(not one.parsed_ok for one in answers.values()),
        "centred": _rounded(centred_on_chance(interval.value, chance)),
    }


def _chance(items: Sequence[BenchmarkItem]) -> float:
    """Expected accuracy of a random option; 0 for open questions."""
    return sum(1 / len(item.options) if item.options else 0.0 for item in items) / len(items)


def _comparisons(table: Table, params: EvaluateParams) -> dict[str, Any]:
    """Paired comparisons nested benchmark, protocol, system, reference.

    Every system against `base` under the same protocol, and `finetuned` against every system of the benchmark
    that is no model variant. `beats_...` means that the whole interval is above zero.
    """
    nested: dict[str, Any] = {}
    names = _reference_names(table)
    for ours in table:
        benchmark, protocol, system = ours
        for theirs in table:
            if theirs == (benchmark, protocol, "base") and ours != theirs:
                verdict = "beats_base"
            elif system == "finetuned" and theirs[0] == benchmark and theirs[2] not in VARIANTS:
                verdict = "beats_baseline"
            else:
                continue
            compared = _compare(table[ours], table[theirs], params, verdict)
            nested.setdefault(benchmark, {}).setdefault(protocol, {}).setdefault(system, {})[names[theirs]] = compared
    return nested


def _reference_names(table: Table) -> dict[tuple[str, str, str], str]:
    """How a comparison names its reference: the system, with its protocol where a benchmark has it under several."""
    protocols = Counter((benchmark, system) for benchmark, _, system in table if system not in VARIANTS)
    return {
        (benchmark, protocol, system): f"{system} ({protocol})" if protocols[benchmark, system] > 1 else system
        for benchmark, protocol, system in table
    }


def _compare(ours: Answers, theirs: Answers, params: EvaluateParams, verdict: str) -> dict[str, Any]:
    first, second = _paired(ours, theirs)
    interval = paired_difference(first, second, **_settings(params))
    return {
        "n": len(first),
        "difference": _rounded(interval.value),
        "low": _rounded(interval.low),
        "high": _rounded(interval.high),
        "mcnemar_p": _rounded(mcnemar_exact(first, second), 6),
        verdict: interval.low > 0,
    }


def _settings(params: EvaluateParams) -> dict[str, Any]:
    """What a paired bootstrap needs."""
    return {"confidence": params.confidence, "resamples": params.resamples, "seed": params.seed}


def _retention(table: Table, params: EvaluateParams) -> dict[str, Any]:
    """Accuracy of the quantised variants as a share of the fine-tuned model's, on the same items."""
    nested: dict[str, Any] = {}
    for benchmark, protocol, system in table:
        reference = table.get((benchmark, protocol, "finetuned"))
        if system in ("int8", "nf4") and reference:
            first, second = _paired(table[benchmark, protocol, system], reference)
            interval = retention(first, second, confidence=params.confidence, resamples=params.resamples, seed=params.seed)
            nested.setdefault(benchmark, {}).setdefault(protocol, {})[system] = {"n": len(first), **_shown(interval)}
    return nested


def _paired(ours: Answers, theirs: Answers) -> tuple[list[bool], list[bool]]:
    """Outcomes on the items that both answered, by item id."""
    shared = sorted(ours.keys() & theirs.keys())
    return [ours[item_id].correct for item_id in shared], [theirs[item_id].correct for item_id in shared]


def _by(answers: Answers, group: Any, by_id: Mapping[str, BenchmarkItem]) -> dict[str, Any]:
    """n and accuracy per group of items."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for item_id, one in sorted(answers.items()):
        groups[group(by_id[item_id])].append(one.correct)
    return {name: {"n": len(right), "accuracy": _rounded(sum(right) / len(right))} for name, right in sorted(groups.items())}


def _seen_keys(by_id: Mapping[str, BenchmarkItem], train: Sequence[TrainingRow], tuned: Sequence[TrainingRow]) -> Any:
    """A breakdown of label questions by whether rows that the system learns from carry a right label; nothing for multiple choice."""
    of_all, of_tuned = ({(row.key_kind, key) for row in rows for key in row.answer_key} for rows in (train, tuned))

    def breakdown(answers: Answers) -> dict[str, Any]:
        open_questions = {item_id: one for item_id, one in answers.items() if not by_id[item_id].options}
        learnt = of_tuned if next(iter(answers.values())).system in VARIANTS else of_all

        def group(item: BenchmarkItem) -> str:
            return "seen" if any((item.key_kind, key) in learnt for key in item.key) else "unseen"

        return _by(open_questions, group, by_id)

    return breakdown


def _nested(table: Table, figure: Any) -> dict[str, Any]:
    """`figure` of every cell that has one, nested benchmark, protocol, system."""
    nested: dict[str, Any] = {}
    for (benchmark, protocol, system), answers in table.items():
        value = figure(answers)
        if value:
            nested.setdefault(benchmark, {}).setdefault(protocol, {})[system] = value
    return nested


def _shown(interval: Interval) -> dict[str, float | None]:
    return {"ratio": _rounded(interval.value), "low": _rounded(interval.low), "high": _rounded(interval.high)}


def _rounded(value: float, digits: int = 4) -> float | None:
    """JSON has no NaN: what is not defined is null."""
    return None if math.isnan(value) else round(value, digits)
