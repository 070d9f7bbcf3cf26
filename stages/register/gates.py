"""The gates of a promotion: pure functions from evidence to verdicts. What was not measured never passes."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from stages.licences import load_classes, strictest
from stages.register.evidence import Answers, Evidence, Test
from stages.register.params import Gates, Limit, NonInferiority
from stages.statistics import paired_difference

Result = Literal["passed", "failed", "not measured", "not measured, not required"]
BLOCKING: tuple[Result, ...] = ("failed", "not measured")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    gate: str
    value: str
    limit: str
    result: Result

    @property
    def blocks(self) -> bool:
        """Whether the candidate must not be promoted."""
        return self.result in BLOCKING


def judge(candidate: Evidence, champion: Evidence | None, gates: Gates) -> list[Verdict]:
    """Every gate's verdict on the candidate, in the order of the table."""
    return [
        *_benchmarks(candidate, champion, gates.benchmarks),
        _decontamination(candidate),
        _licences(candidate, gates.licences),
        *(_limit(candidate, limit) for limit in gates.limits),
    ]


def table(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as aligned lines: gate, value, limit, verdict."""
    rows = [("gate", "value", "limit", "verdict"), *((one.gate, one.value, one.limit, one.result) for one in verdicts)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows)


def _benchmarks(candidate: Evidence, champion: Evidence | None, params: NonInferiority) -> Iterator[Verdict]:
    """Every benchmark and protocol that either side answered, and those that must be measured and nobody answered."""
    ours = candidate.answers.get(candidate.variant, {})
    theirs = champion.answers.get(champion.variant, {}) if champion else {}
    for test in sorted(ours.keys() | theirs.keys()):
        name, answers = _reference(test, candidate, champion, theirs)
        yield _not_worse(test, ours.get(test, {}), name, answers, params)
    for benchmark in sorted({*params.required} - {name for name, _ in ours.keys() | theirs.keys()}):
        yield Verdict(gate=f"not worse: {benchmark}", value="no answers", limit=_margin(params), result="not measured")


def _reference(test: Test, candidate: Evidence, champion: Evidence | None, theirs: Answers) -> tuple[str, dict[str, bool]]:
    """The champion's answers; a benchmark that it was never asked is compared with the candidate's own base model."""
    if champion and test in theirs:
        return champion.name, theirs[test]
    why = ", which the champion was not asked" if champion else ""
    return f"the base model{why}", candidate.answers.get("base", {}).get(test, {})


def _not_worse(test: Test, ours: dict[str, bool], name: str, theirs: dict[str, bool], params: NonInferiority) -> Verdict:
    shared = sorted(ours.keys() & theirs.keys())
    one, other = [ours[item] for item in shared], [theirs[item] for item in shared]
    difference = paired_difference(one, other, confidence=params.confidence, resamples=params.resamples, seed=params.seed)
    value = f"{len(shared)} items shared with {name}"
    if shared:
        value = f"{100 * difference.value:+.1f} points ({100 * difference.low:+.1f} to {100 * difference.high:+.1f}) on {value}"
    result: Result = "passed" if difference.low >= -params.margin else "failed"
    if len(shared) < max(1, params.least_items):
        result = "not measured" if test[0] in params.required else "not measured, not required"
    return Verdict(gate=f"not worse: {' '.join(test)}", value=value, limit=_margin(params), result=result)


def _margin(params: NonInferiority) -> str:
    return f"{100 * params.confidence:g} % interval above {-100 * params.margin:+g}, at least {params.least_items} items"


def _decontamination(candidate: Evidence) -> Verdict:
    """Every benchmark on which the candidate is scored must have been searched for in its training data."""
    prefix = "validate.contamination."
    searched = {
        path.split(".")[3] for path in candidate.figures if re.match(r"validate\.contamination\.(hashed_)?benchmarks\.", path)
    }
    scored = {benchmark for benchmark, _ in candidate.answers.get(candidate.variant, {})}
    status, missing = candidate.figures.get(f"{prefix}status"), sorted(scored - searched)
    value = f"{status or 'no report'}, {len(scored) - len(missing)} of {len(scored)} scored benchmarks"
    clean = status == "checked" and not missing and bool(scored)
    return Verdict(
        gate="decontamination",
        value=value + (f", not {', '.join(missing)}" if missing else ""),
        limit="every scored benchmark searched for, what was found dropped",
        result="passed" if clean else "not measured" if status is None or not scored else "failed",
    )


def _licences(candidate: Evidence, allowed: Sequence[str]) -> Verdict:
    classes = load_classes()
    refused: dict[str, int] = {}
    for licences, rows in candidate.licences:
        kind = strictest([licences] if not licences else licences.split(" + "), classes)
        if kind not in allowed:
            refused[kind] = refused.get(kind, 0) + rows
    total = sum(rows for _, rows in candidate.licences)
    value = ", ".join(f"{rows:,} rows {kind}" for kind, rows in sorted(refused.items())) or "none refused"
    result: Result = "failed" if refused else "passed" if total else "not measured"
    return Verdict(gate="licences", value=f"{value} of {total:,}", limit=f"only {', '.join(allowed)}", result=result)


def _limit(candidate: Evidence, limit: Limit) -> Verdict:
    """The worst value of the figure against its bounds; what is no number counts as missing."""
    found = [value for path, value in candidate.figures.items() if _pattern(limit, candidate).fullmatch(path)]
    values = [value for value in found if isinstance(value, (int, float))]
    bounds = [
        f"{word} {_number(bound)}" for word, bound in (("at least", limit.min), ("at most", limit.max)) if bound is not None
    ]
    if not values:
        result: Result = "not measured" if limit.required else "not measured, not required"
        return Verdict(gate=limit.name, value="no figure", limit=" and ".join(bounds), result=result)
    worst = max(values, key=lambda value: _excess(value, limit))
    passed = _excess(worst, limit) <= 0
    return Verdict(gate=limit.name, value=_number(worst), limit=" and ".join(bounds), result="passed" if passed else "failed")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def _excess(value: float, limit: Limit) -> float:
    """How far a value is beyond its bounds; negative within them."""
    beyond = [value - limit.max] if limit.max is not None else []
    return max([*beyond, *([limit.min - value] if limit.min is not None else [])])


def _pattern(limit: Limit, candidate: Evidence) -> "re.Pattern[str]":
    folder: Any = candidate.version["path"].rpartition("/")[2]
    figure = limit.figure.replace("{variant}", candidate.variant).replace("{folder}", folder)
    return re.compile(re.escape(figure).replace(r"\*", r"[^.]+"))
