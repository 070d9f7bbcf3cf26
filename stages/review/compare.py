"""Two versions on the same rows: paired differences with intervals, and whether so few rows can tell anything."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.enrich.checks import prose_words
from stages.review.schema import Comparison, Difference, RowResult, Version
from stages.statistics import mcnemar_exact, paired_difference

RESAMPLES, CONFIDENCE, SEED = 10_000, 0.95, 0
LEAST_DIFFERING = 6  # rows on which the two must differ before McNemar's exact test can fall below 0.05: 2 / 2**6 = 0.03
SMALL = 20  # rows; below it an interval of acceptance is wider than any difference between two decent formats


def compare_results(
    version_a: Version,
    version_b: Version,
    results_a: Mapping[str, RowResult],
    results_b: Mapping[str, RowResult],
    conditions: Mapping[str, Any],
) -> Comparison:
    """B against A; results by row id, without errors. `conditions` says by run id under what its rows were tried."""
    rows = sorted(results_a.keys() & results_b.keys())
    pairs = [(results_a[row], results_b[row]) for row in rows]
    kept_a, kept_b = [a.kept for a, _ in pairs], [b.kept for _, b in pairs]
    acceptance = _acceptance(kept_a, kept_b)
    p_value = round(mcnemar_exact(kept_b, kept_a), 4) if pairs else None
    factuality = mean_difference(
        [(a.factuality, b.factuality) for a, b in pairs if a.factuality is not None and b.factuality is not None]
    )
    length = mean_difference([(prose_words(a.rewrite), prose_words(b.rewrite)) for a, b in pairs if a.rewrite and b.rewrite])
    only_a = [row for row, a, b in zip(rows, kept_a, kept_b, strict=True) if a and not b]
    only_b = [row for row, a, b in zip(rows, kept_a, kept_b, strict=True) if b and not a]
    return Comparison(
        version_a=version_a.id,
        version_b=version_b.id,
        rows=rows,
        only_a=only_a,
        only_b=only_b,
        acceptance=acceptance,
        p_value=p_value,
        factuality=factuality,
        length=length,
        words=_words(acceptance, p_value, len(only_a), len(only_b), factuality, length)
        + _caution(sum(conditions[a.run_id] != conditions[b.run_id] for a, b in pairs)),
    )


def _acceptance(kept_a: Sequence[bool], kept_b: Sequence[bool]) -> Difference | None:
    n = len(kept_a)
    if not n:
        return None
    found = paired_difference(kept_b, kept_a, confidence=CONFIDENCE, resamples=RESAMPLES, seed=SEED)
    return _difference(n, sum(kept_a) / n, sum(kept_b) / n, found.value, found.low, found.high)


def mean_difference(pairs: Sequence[tuple[float, float]]) -> Difference | None:
    """Mean of (A, B) pairs' differences, with a percentile bootstrap interval over pairs; None of nothing."""
    import numpy as np

    if not pairs:
        return None
    a, b = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    drawn = np.random.default_rng(SEED).integers(0, len(pairs), size=(RESAMPLES, len(pairs)))
    low, high = np.quantile((b - a)[drawn].mean(axis=1), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return _difference(len(pairs), a.mean(), b.mean(), (b - a).mean(), low, high)


def _difference(n: int, a: float, b: float, value: float, low: float, high: float) -> Difference:
    return Difference(n=n, a=_round(a), b=_round(b), value=_round(value), low=_round(low), high=_round(high))


def _round(value: float) -> float:
    return round(float(value), 4)


def _words(
    acceptance: Difference | None,
    p_value: float | None,
    only_a: int,
    only_b: int,
    factuality: Difference | None,
    length: Difference | None,
) -> list[str]:
    if acceptance is None or p_value is None:
        return ["No row was tried with both versions: try them on the same rows."]
    said = [
        f"On {acceptance.n} row(s) tried with both, A keeps {acceptance.a:.0%} and B keeps {acceptance.b:.0%}: "
        f"B {acceptance.value:+.0%}, 95 % interval {acceptance.low:+.0%} to {acceptance.high:+.0%}.",
        f"{only_a} row(s) only A keeps, {only_b} only B; McNemar's exact p = {p_value:.3f}.",
        _verdict(acceptance, p_value, only_a + only_b),
    ]
    for name, found, unit in (("Factuality", factuality, "points of 10"), ("Length", length, "words")):
        if found:
            said.append(
                f"{name}: A {found.a:.1f}, B {found.b:.1f} {unit} on {found.n} row(s); "
                f"B {found.value:+.1f}, 95 % interval {found.low:+.1f} to {found.high:+.1f}."
            )
    return said


def _caution(rows: int) -> list[str]:
    """The difference of two models, say, must not pass for one of two formats."""
    if not rows:
        return []
    return [
        f"CAUTION: {rows} of these rows were tried under other conditions with A than with B (models, params of llm, ground or "
        "enrich, or the outcome of the judge's examination): the difference is not the formats' alone. Try both again."
    ]


def _verdict(acceptance: Difference, p_value: float, differing: int) -> str:
    if p_value < 1 - CONFIDENCE:
        return f"Version {'B' if acceptance.value > 0 else 'A'} is kept more often; chance alone would rarely do this."
    if differing < LEAST_DIFFERING:
        return (
            f"Too few rows to tell: they differ on {differing}, and no test can tell two versions apart that differ on fewer than "
            f"{LEAST_DIFFERING} rows. Try more rows, or decide by reading."
        )
    if acceptance.n < SMALL:
        return f"{acceptance.n} rows are too few to tell them apart: the difference may be chance. Try more rows."
    return "The difference may be chance."
