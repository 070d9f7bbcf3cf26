"""How two builds differ, as plain data: params, outputs, figures, scores, composition, cost."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from stages.report.revisions import Revision, Test
from stages.report.scores import read_scores
from stages.statistics import discordant, mcnemar_exact, paired_difference

CONFIDENCE, RESAMPLES, SEED = 0.95, 10_000, 17
LEDGER = ("requests", "prompt_tokens", "completion_tokens")  # of metrics: what the build asked, from the cache or not
PAID = ("calls", "tokens_paid", "usd_paid", "seconds")  # of timings: what the last run of the stage paid
ABSENT = "–"


class Change(msgspec.Struct, frozen=True):
    """A value by its dotted name, in the first and in the second build; None where it is absent."""

    name: str
    first: Any
    second: Any


class ScoreChange(msgspec.Struct, frozen=True, kw_only=True):
    """Accuracy of one system on one benchmark, second build minus first."""

    test: Test
    first: float
    second: float
    n: int  # items shared if paired; else of the smaller side
    paired: bool
    differing: int | None  # shared items answered right in one build only; None if unpaired
    value: float
    low: float
    high: float
    p: float | None  # McNemar, after Holm's correction for all paired lines; None if unpaired

    @property
    def verdict(self) -> str:
        """What may be said: of unpaired scores the interval decides, of paired ones the corrected p must agree."""
        if self.low <= 0 <= self.high or (self.p is not None and self.p > 1 - CONFIDENCE):
            return "no difference shown"
        return "better" if self.value > 0 else "worse"


def changes(first: Mapping[str, Any], second: Mapping[str, Any], prefix: str = "") -> Iterator[Change]:
    """Leaves that differ, by name; a list is a leaf."""
    for key in sorted({*first, *second}, key=str):
        one, other, name = first.get(key), second.get(key), f"{prefix}{key}"
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from changes(one, other, f"{name}.")
        elif isinstance(one, Mapping) or isinstance(other, Mapping):
            yield from changes(one if isinstance(one, Mapping) else {}, other if isinstance(other, Mapping) else {}, f"{name}.")
        elif one != other or (key in first) != (key in second):
            yield Change(name, one, other)


def changed_params(first: Revision, second: Revision) -> tuple[list[Change], bool]:
    """Params that differ, and whether defaults are filled in on both sides (not, if today's code cannot read one)."""
    if first.params is None or second.params is None:
        return list(changes(first.raw_params, second.raw_params)), False
    return list(changes(first.params, second.params)), True


def changed_stages(first: Revision, second: Revision) -> dict[str, list[str]]:
    """Outputs with other bytes, by stage; a stage of one side only has all its outputs here."""
    found = {}
    for stage in sorted({*first.outputs, *second.outputs}):
        one, other = first.outputs.get(stage, {}), second.outputs.get(stage, {})
        differing = sorted(path for path in {*one, *other} if one.get(path) != other.get(path))
        if differing:
            found[stage] = differing
    return found


def changed_scores(first: Revision, second: Revision) -> list[ScoreChange]:
    """Every score that both builds have: paired by item where both builds' answers can be had."""
    one, other = (
        {(score.benchmark, score.protocol, score.system): score for score in read_scores(build.metrics.get("evaluate", {}))}
        for build in (first, second)
    )
    found = []
    for test in sorted(one.keys() & other.keys()):
        ours, theirs = second.answers.get(test, {}), first.answers.get(test, {})
        shared = sorted(ours.keys() & theirs.keys())
        if shared:
            found.append(_paired(test, [theirs[item] for item in shared], [ours[item] for item in shared]))
        else:
            found.append(_unpaired(test, one[test], other[test]))
    return _corrected(found)


def only_scores(first: Revision, second: Revision) -> list[tuple[str, Test]]:
    """Scores that one build alone has, with its name."""
    one, other = (
        {(score.benchmark, score.protocol, score.system) for score in read_scores(build.metrics.get("evaluate", {}))}
        for build in (first, second)
    )
    return [(first.shown, test) for test in sorted(one - other)] + [(second.shown, test) for test in sorted(other - one)]


def composition(first: Revision, second: Revision, column: str) -> list[tuple[str, int, int]]:
    """Rows by `column` of the composition table, most first; empty if neither build has the column."""
    counts = []
    for build in (first, second):
        found: Counter[str] = Counter()
        for line in build.composition:
            if column in line:
                found[line[column]] += int(line.get("rows") or 0)
        counts.append(found)
    names = sorted({*counts[0], *counts[1]}, key=lambda name: (-counts[1][name], -counts[0][name], name))
    return [(name, counts[0][name], counts[1][name]) for name in names]


def cost(first: Revision, second: Revision) -> list[tuple[str, dict[str, tuple[Any, Any]]]]:
    """By stage that asks a model: requests and tokens of the build, then what its last run paid, in both builds."""
    lines = []
    for stage in sorted({*first.metrics, *second.metrics}):
        ledgers = [(build.metrics.get(stage) or {}).get("llm") or {} for build in (first, second)]
        paid = [build.timings.get(stage) or {} for build in (first, second)]
        if any(ledgers):
            figures = {key: (ledgers[0].get(key), ledgers[1].get(key)) for key in LEDGER}
            lines.append((stage, figures | {key: (paid[0].get(key), paid[1].get(key)) for key in PAID}))
    return lines


def _paired(test: Test, first: Sequence[bool], second: Sequence[bool]) -> ScoreChange:
    found = paired_difference(second, first, confidence=CONFIDENCE, resamples=RESAMPLES, seed=SEED)
    n = len(first)
    return ScoreChange(
        test=test, first=sum(first) / n, second=sum(second) / n, n=n, paired=True, differing=sum(discordant(second, first)),
        value=found.value, low=found.low, high=found.high, p=mcnemar_exact(second, first),
    )  # fmt: skip


def _unpaired(test: Test, first: Any, second: Any) -> ScoreChange:
    """Newcombe's interval of a difference, out of both sides' Wilson intervals (Newcombe 1998, method 10)."""
    value = second.value - first.value
    low = value - math.hypot(second.value - second.low, first.high - first.value)
    high = value + math.hypot(second.high - second.value, first.value - first.low)
    return ScoreChange(
        test=test, first=first.value, second=second.value, n=min(first.n, second.n), paired=False, differing=None,
        value=value, low=low, high=high, p=None,
    )  # fmt: skip


def _corrected(found: list[ScoreChange]) -> list[ScoreChange]:
    """Holm's step-down correction of the p values of paired lines that differ at all (Holm 1979)."""
    tested = sorted((one for one in found if one.differing), key=lambda one: (one.p, one.test))
    adjusted, so_far = {}, 0.0
    for rank, one in enumerate(tested):
        so_far = max(so_far, min(1.0, (len(tested) - rank) * (one.p or 0.0)))
        adjusted[one.test] = so_far
    return [msgspec.structs.replace(one, p=adjusted[one.test]) if one.test in adjusted else one for one in found]
