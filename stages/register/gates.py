"""The gates of a promotion: pure functions from evidence to verdicts. What was not measured never passes."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from stages.licences import load_classes, strictest
from stages.register.evidence import Evidence, Test
from stages.register.params import Gates, Limit, NonInferiority
from stages.statistics import paired_difference

Result = Literal["passed", "failed", "not measured", "not measured, not required", "not applicable"]
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
    answered = {*candidate.of_variant, *(champion.of_variant if champion else {})}
    for test in sorted(answered):
        yield _not_worse(test, candidate, champion, params)
    for test in sorted({*params.required} - answered):
        yield Verdict(gate=f"not worse: {' '.join(test)}", value="no answers", limit=_margin(params), result="not measured")


def _reference(test: Test, candidate: Evidence, champion: Evidence | None) -> tuple[str, dict[str, bool]]:
    """The champion's answers; a benchmark that it was never asked is compared with the candidate's own base model."""
    if champion and test in champion.of_variant:
        return champion.name, champion.of_variant[test]
    why = ", which the champion was not asked" if champion else ""
    return f"the base model{why}", candidate.answers.get("base", {}).get(test, {})


def _not_worse(test: Test, candidate: Evidence, champion: Evidence | None, params: NonInferiority) -> Verdict:
    """A loss that is shown fails at any number of items; else too few items, or too few of the other side's, measure nothing."""
    ours, (name, theirs) = candidate.of_variant.get(test, {}), _reference(test, candidate, champion)
    shared = sorted(ours.keys() & theirs.keys())
    one, other = [ours[item] for item in shared], [theirs[item] for item in shared]
    difference = paired_difference(one, other, confidence=params.confidence, resamples=params.resamples, seed=params.seed)
    points = f"{100 * difference.value:+.1f} points ({100 * difference.low:+.1f} to {100 * difference.high:+.1f})"
    value = f"{points} on {len(shared)} of {len(theirs)} items of {name}" if shared else f"0 items shared with {name}"
    covered = bool(shared) and len(shared) >= params.coverage * len(theirs)
    result: Result = "passed" if difference.low >= -params.margin else "failed"
    if shared and difference.high < -params.margin:
        result = "failed"
    elif not covered and not _meant(test, candidate, champion) and test not in params.required:
        result, value = "not measured, not required", f"{value}: its build does not ask {candidate.variant} this"
    elif not covered:
        result = "not measured"
    elif len(shared) < params.least_items:
        result = "not measured" if test in params.required else "not measured, not required"
    return Verdict(gate=f"not worse: {' '.join(test)}", value=value, limit=_margin(params), result=result)


def _meant(test: Test, candidate: Evidence, champion: Evidence | None) -> bool:
    """Whether the candidate ought to have been asked: not if its build asked other variants and the champion's build its own too."""
    others = {other for system in candidate.answers.values() for other in system}
    return (
        champion is None
        or test not in others
        or test in candidate.of_variant
        or test in champion.answers.get(candidate.variant, {})
    )


def _margin(params: NonInferiority) -> str:
    level, share = f"{100 * params.confidence:g} %", f"{100 * params.coverage:g} %"
    return f"{level} interval above {-100 * params.margin:+g}, at least {params.least_items} items and {share} of theirs"


def _decontamination(candidate: Evidence) -> Verdict:
    """Every benchmark on which the candidate is scored must have been searched for in its training data."""
    prefix = "validate.contamination."
    searched = {
        path.split(".")[3] for path in candidate.figures if re.match(r"validate\.contamination\.(hashed_)?benchmarks\.", path)
    }
    scored = {benchmark for benchmark, _ in candidate.of_variant}
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
    """The worst value of the figure against its bounds; one that is no number, or counts over too few, measures nothing."""
    found, count = _figures(candidate, limit.figure), _count(candidate, limit.of)
    values = [value for value in found if _is_number(value)]
    worst = max(values, key=lambda value: _excess(value, limit), default=None)
    ends = (("at least", limit.min), ("at most", limit.max))
    bounds = " and ".join(f"{word} {_number(bound)}" for word, bound in ends if bound is not None)
    value = "no figure" if worst is None else _number(worst)
    if count is not None:
        value += f" (of {_number(count)} {limit.of.rpartition('.')[2].replace('_', ' ')})"
    enough = not limit.of or (count is not None and count >= limit.least)
    result: Result = "passed"
    if worst is not None and _excess(worst, limit) > 0:
        result = "failed"
    elif values and not enough and limit.unless and _figures(candidate, limit.unless) == [0]:
        result, value = "not applicable", f"{value}: {limit.unless} is 0"
    elif len(values) < max(1, len(found)) or not enough:
        result = "not measured" if limit.required else "not measured, not required"
        value += f", {len(found) - len(values)} of {len(found)} no number" if len(values) < len(found) else ""
    return Verdict(gate=limit.name, value=value, limit=bounds, result=result)


def _count(candidate: Evidence, path: str) -> float | None:
    """The one number at `path`; None if there is no such number or path."""
    found = _figures(candidate, path)
    return found[0] if len(found) == 1 and _is_number(found[0]) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def _excess(value: float, limit: Limit) -> float:
    """How far a value is beyond its bounds; negative within them."""
    beyond = [value - limit.max] if limit.max is not None else []
    return max([*beyond, *([limit.min - value] if limit.min is not None else [])])


def _figures(candidate: Evidence, path: str) -> list[Any]:
    """The values at a path of a Limit, in the order of the run's figures."""
    folder: Any = candidate.version["path"].rpartition("/")[2]
    wanted = re.escape(path.replace("{variant}", candidate.variant).replace("{folder}", folder)).replace(r"\*", r"[^.]+")
    return [value for name, value in candidate.figures.items() if re.fullmatch(wanted, name)]
