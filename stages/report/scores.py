"""Scores of `metrics/evaluate.json` as charts and as sentences that say plainly what beats what, and what does not."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from stages.report.figures import Figures, dig
from stages.variants import TUNED, VARIANTS

NAMES = {
    "base": "base model",
    "finetuned": "fine-tuned",
    "int8": "fine-tuned, int8",
    "nf4": "fine-tuned, NF4",
    "majority": "majority answer",
    "longest-option": "longest option",
    "tfidf-similarity": "TF-IDF similarity",
    "tfidf-linear": "TF-IDF + linear",
    "bm25-nn": "BM25 nearest neighbour",
    "base-few-shot": "base model, few-shot",
}


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One system on one benchmark under one protocol; proportions in [0, 1]."""

    benchmark: str
    protocol: str
    system: str
    n: int
    value: float
    low: float
    high: float
    unparsed: int | None

    @property
    def name(self) -> str:
        """The system in words."""
        return NAMES.get(self.system, self.system)

    @property
    def is_model(self) -> bool:
        """True for what this build trained, as against the base model and the cheap baselines."""
        return self.system in TUNED


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A paired difference in accuracy on the same items, with its interval."""

    benchmark: str
    protocol: str
    system: str
    reference: str
    level: str  # of the interval
    n: int
    value: float
    low: float
    high: float


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the fine-tuned model's accuracy a quantised variant keeps, on the same items."""

    benchmark: str
    protocol: str
    system: str
    n: int
    ratio: float
    low: float
    high: float


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """All systems of one benchmark, best first, and the chance level if the stage gives one."""

    benchmark: str
    scores: list[Score]
    chance: float | None


class Verdict(msgspec.Struct, frozen=True):
    """One sentence of the headline; `kind` is better, worse or open."""

    kind: str
    text: str


def panels(figures: Figures) -> list[Panel]:
    """One panel for each benchmark."""
    scores = read_scores(figures)
    return [
        Panel(
            benchmark=benchmark,
            scores=sorted(
                (one for one in scores if one.benchmark == benchmark), key=lambda one: (-one.value, one.system, one.protocol)
            ),
            chance=dig(figures, f"benchmarks.{benchmark}.chance"),
        )
        for benchmark in sorted({score.benchmark for score in scores})
    ]


def read_scores(figures: Figures) -> list[Score]:
    """Every score that holds a number."""
    return [
        Score(benchmark=benchmark, protocol=protocol, system=system, n=cell["n"], value=cell["accuracy"], low=cell["low"], high=cell["high"],
              unparsed=cell.get("unparseable"))
        for (benchmark, protocol, system), cell in _cells(figures.get("scores"), 3)
        if cell.get("accuracy") is not None
    ]  # fmt: skip


def read_differences(figures: Figures) -> list[Difference]:
    """Paired comparisons that hold a number: every system against the base, the fine-tuned model against every baseline."""
    return [
        Difference(benchmark=benchmark, protocol=protocol, system=system, reference=reference, level=confidence_level(figures), n=cell["n"], value=cell["difference"],
                   low=cell["low"], high=cell["high"])
        for (benchmark, protocol, system, reference), cell in _cells(figures.get("comparisons"), 4)
        if cell.get("difference") is not None
    ]  # fmt: skip


def read_retention(figures: Figures) -> list[Retention]:
    """Shares of the fine-tuned model's accuracy that the quantised variants keep."""
    return [
        Retention(benchmark=benchmark, protocol=protocol, system=system, n=cell["n"], ratio=cell["ratio"], low=cell["low"], high=cell["high"])
        for (benchmark, protocol, system), cell in _cells(figures.get("retention"), 3)
        if cell.get("ratio") is not None
    ]  # fmt: skip


def read_seen(figures: Figures) -> list[tuple[tuple[str, ...], Figures]]:
    """Benchmark, protocol and system, and accuracy on questions whose right label the system has seen in training or not."""
    return list(_cells(figures.get("by_key_in_training"), 3))


def read_costs(timings: Figures) -> list[tuple[tuple[str, ...], Figures]]:
    """Benchmark, protocol and system, and what answering took on this machine."""
    return list(_cells(timings, 3))


def confidence_level(figures: Figures) -> str:
    """Confidence of every interval, as text: `95 %`."""
    level = figures.get("confidence")
    return f"{100 * level:g} %" if isinstance(level, float) else "–"


def verdicts(figures: Figures) -> list[Verdict]:
    """What the build may claim: tuned against base with the interval, then against the best cheap baseline."""
    differences = [one for one in read_differences(figures) if one.system == "finetuned"]
    values = {
        (one.benchmark, name): one.value
        for one in read_scores(figures)
        for name in (one.system, f"{one.system} ({one.protocol})")
    }
    against_base = [_against_base(one) for one in differences if one.reference == "base"]
    rivals: dict[tuple[str, str, bool], list[Difference]] = defaultdict(list)
    for one in differences:
        if one.reference not in VARIANTS and one.reference != "longest-option":  # a check of the benchmark, no system
            rivals[one.benchmark, one.protocol, _is_few_shot(one)].append(one)
    best = [max(found, key=lambda one: values.get((one.benchmark, one.reference), 0.0)) for _, found in sorted(rivals.items())]
    return against_base + [_against_baseline(one) for one in best]


def _against_base(one: Difference) -> Verdict:
    where, interval = f"{one.benchmark} ({one.protocol}, {one.n} items)", _interval(one)
    if one.low > 0:
        return Verdict("better", f"On {where} the fine-tuned model beats the base model: {interval}.")
    if one.high < 0:
        return Verdict("worse", f"On {where} the fine-tuned model is worse than the base model: {interval}.")
    return Verdict(
        "open", f"On {where} the fine-tuned model does not beat the base model: {interval}, which includes no difference."
    )


def _against_baseline(one: Difference) -> Verdict:
    """The baseline named is the one with the highest score on that benchmark; few-shot use of the base is its own rival."""
    where, name = f"{one.benchmark} ({one.protocol}, {one.n} items)", NAMES.get(one.reference, one.reference)
    rival = name if _is_few_shot(one) else f"best cheap baseline, {name}"
    if one.low > 0:
        return Verdict("better", f"On {where} the fine-tuned model beats the {rival}: {_interval(one)}.")
    if one.high < 0:
        return Verdict("worse", f"On {where} the {rival}, is better than the fine-tuned model: {_interval(one)}.")
    return Verdict(
        "open", f"On {where} the fine-tuned model does not beat the {rival}: {_interval(one)}, which includes no difference."
    )


def _is_few_shot(one: Difference) -> bool:
    return one.reference.partition(" ")[0].endswith("-few-shot")


def _interval(one: Difference) -> str:
    return f"{100 * one.value:+.1f} points, {one.level} interval {100 * one.low:+.1f} to {100 * one.high:+.1f}"


def _cells(nested: Any, depth: int, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Figures]]:
    """Innermost mappings of figures nested `depth` deep, with the names that lead to them."""
    if isinstance(nested, Mapping):
        if depth == 0:
            yield names, nested
        else:
            for name, inner in sorted(nested.items()):
                yield from _cells(inner, depth - 1, (*names, name))
