"""Scores of `metrics/evaluate.json` as charts and as sentences that say plainly what beats what, and what does not."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from stages.report.figures import Figures, first

MODELS = ("base", "finetuned", "int8", "nf4")
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
        return self.system in MODELS[1:]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A paired difference in accuracy on the same items, with its interval."""

    benchmark: str
    protocol: str
    system: str
    reference: str
    n: int
    value: float
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
            chance=_number(first(figures, f"benchmarks.{benchmark}.chance", f"chance.{benchmark}")),
        )
        for benchmark in sorted({score.benchmark for score in scores})
    ]


def read_scores(figures: Figures) -> list[Score]:
    """Scores that hold a number; others (no items) are left to the list of all figures."""
    return [score for entry in figures.get("scores", []) if not math.isnan((score := _score(entry)).value)]


def read_differences(figures: Figures) -> list[Difference]:
    """Paired comparisons with an interval."""
    found = [_difference(entry) for entry in figures.get("comparisons", [])]
    return [one for one in found if not math.isnan(one.value)]


def verdicts(figures: Figures) -> list[Verdict]:
    """What the build may claim: tuned against base with the interval, then where a cheap baseline is better."""
    scores = read_scores(figures)
    against_base = [
        _against_base(one) for one in read_differences(figures) if (one.system, one.reference) == ("finetuned", "base")
    ]
    return against_base + [verdict for panel in panels(figures) for verdict in _against_baselines(panel.scores)] if scores else []


def _against_base(one: Difference) -> Verdict:
    where = f"{one.benchmark} ({one.protocol}, {one.n} items)"
    interval = f"{100 * one.value:+.1f} points, 95 % interval {100 * one.low:+.1f} to {100 * one.high:+.1f}"
    if one.low > 0:
        return Verdict("better", f"On {where} the fine-tuned model beats the base model: {interval}.")
    if one.high < 0:
        return Verdict("worse", f"On {where} the fine-tuned model is worse than the base model: {interval}.")
    return Verdict(
        "open", f"On {where} the fine-tuned model does not beat the base model: {interval}, which includes no difference."
    )


def _against_baselines(scores: Sequence[Score]) -> list[Verdict]:
    """One sentence about the best cheap baseline, if it scores at least what the best fine-tuned row does."""
    tuned = [one for one in scores if one.system == "finetuned"]
    cheap = [one for one in scores if not one.system.startswith(MODELS)]
    if not tuned or not cheap:
        return []
    best, model = max(cheap, key=lambda one: one.value), max(tuned, key=lambda one: one.value)
    figures = f"{100 * best.value:.1f} % against {100 * model.value:.1f} %"
    if best.value >= model.value:
        return [
            Verdict(
                "worse",
                f"On {best.benchmark} a cheap baseline is at least as good: {best.name} scores {figures} for the fine-tuned model.",
            )
        ]
    return [
        Verdict(
            "better",
            f"On {best.benchmark} the fine-tuned model is above every cheap baseline; the best, {best.name}, scores {figures}.",
        )
    ]


def _score(entry: dict[str, Any]) -> Score:
    value = _number(first(entry, "accuracy", "value"))
    return Score(
        benchmark=str(entry.get("benchmark", "?")),
        protocol=str(entry.get("protocol", "?")),
        system=str(entry.get("system", "?")),
        n=int(entry.get("n") or 0),
        value=math.nan if value is None else value,
        low=_number(entry.get("low")) or 0.0,
        high=_number(entry.get("high")) or 0.0,
        unparsed=first(entry, "unparsed", "unparseable"),
    )


def _difference(entry: dict[str, Any]) -> Difference:
    value = _number(first(entry, "difference", "value"))
    return Difference(
        benchmark=str(entry.get("benchmark", "?")),
        protocol=str(entry.get("protocol", "?")),
        system=str(entry.get("system", "?")),
        reference=str(entry.get("reference", "base")),
        n=int(entry.get("n") or 0),
        value=math.nan if value is None else value,
        low=_number(entry.get("low")) or 0.0,
        high=_number(entry.get("high")) or 0.0,
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
