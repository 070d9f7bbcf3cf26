"""The figures of an arm, and how they differ from those of the first arm on the same rows or items."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from stages.evaluate.variations import variation_of
from stages.experiments.builds import MODEL, PREDICTIONS, ROWS, TRAINING, Build
from stages.experiments.schema import Figure, Record
from stages.statistics import discordant, mcnemar_exact, paired_difference, wilson_interval

ROW_COLUMNS = ["id", "decision", "readability", "factuality", "reasons"]
ANSWER_COLUMNS = ["system", "benchmark", "protocol", "item_id", "parsed", "correct"]
PAID = ("calls", "tokens_paid", "usd_paid")
SETTINGS = {"confidence": 0.95, "resamples": 10000, "seed": 17}
Outcomes = dict[str, bool]  # row or item id -> whether the figure holds there


def describe(build: Build, first: Build, record: Record) -> dict[str, Any]:
    """Everything that the table says of one arm."""
    rows = _tried(build)
    kept = sum(row["decision"] == "rewritten" for row in rows)
    enrich, evaluate, formats = (build.metrics(name) for name in ("enrich", "evaluate", "formats"))
    return {
        "revision": build.revision,
        "differs": differing(first.params, build.params),
        "formats": {"tasks": formats.get("tasks"), "usable": sum((formats.get("status") or {}).values())},
        "rows": {"tried": len(rows), "kept": kept, **_interval(kept, len(rows))},
        "reasons": dict(Counter(reason for row in rows for reason in row["reasons"]).most_common()),
        "readability": dict(sorted(Counter(row["readability"] for row in rows if row["readability"]).items())),
        "factuality": {str(score): count for score, count in sorted(Counter(_scores(rows)).items())},
        "judge_calibrated": (enrich.get("calibration") or {}).get("passed"),
        "training_rows": build.metrics("finetune").get("rows"),
        "same_training_data": _same(build, first, TRAINING),
        "same_model": _same(build, first, MODEL),
        "same_evaluation": build.params["evaluate"] == first.params["evaluate"],
        "scores": evaluate.get("scores") or {},
        "consistency": evaluate.get("consistency") or {},
        "cost": _cost(build, record),
    }


def differing(first: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> dict[str, list[Any]]:
    """Params by dotted name whose values differ: that of `first`, that of `other`."""
    found: dict[str, list[Any]] = {}
    for key in sorted(first.keys() | other.keys()):
        one, two, name = first.get(key), other.get(key), f"{prefix}{key}"
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            found |= differing(one, two, f"{name}.")
        elif one != two:
            found[name] = [one, two]
    return found


def compare(figure: Figure, first: Build, other: Build) -> dict[str, Any]:
    """Share of `other` minus share of `first` over the rows or items that both have, with interval and p."""
    ours, theirs = outcomes(figure, other), outcomes(figure, first)
    shared = sorted(ours.keys() & theirs.keys())
    one, two = [ours[key] for key in shared], [theirs[key] for key in shared]
    if not shared:
        return {"n": 0}
    interval, (only_other, only_first) = paired_difference(one, two, **SETTINGS), discordant(one, two)
    p = mcnemar_exact(one, two)
    return {
        "n": len(shared),
        "first": round(sum(two) / len(shared), 4),
        "other": round(sum(one) / len(shared), 4),
        "only_first": only_first,
        "only_other": only_other,
        "difference": round(interval.value, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
        "p": round(p, 6),
        "verdict": _verdict(figure, interval.low, interval.high, p),
    }


def outcomes(figure: Figure, build: Build) -> Outcomes:
    """Where the figure holds: rows that were rewritten, or items of a benchmark."""
    if figure.figure == "kept":
        return {row["id"]: row["decision"] == "rewritten" for row in _tried(build)}
    if figure.figure == "readability-won":
        return {row["id"]: row["readability"] == "rewritten" for row in _tried(build) if row["readability"]}
    if figure.figure == "factuality-reached":
        least = build.params["enrich"]["keep"]["factuality"]
        return {row["id"]: row["factuality"] >= least for row in _tried(build) if row["factuality"] is not None}
    answers = [one for one in build.columns(PREDICTIONS, ANSWER_COLUMNS) if _asked(one) == (figure.benchmark, figure.protocol)]
    if figure.figure == "accuracy":
        return {one["item_id"]: one["correct"] for one in answers if one["system"] == figure.system}
    return _equal(answers, figure.system)


def _equal(answers: Sequence[Mapping[str, Any]], system: str) -> Outcomes:
    """Whether all variations of an item got the same readable answer."""
    given: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    variations = {one["system"] for one in answers if variation_of(one["system"])[0] == system}
    for one in answers:
        if one["system"] in variations:
            given[one["item_id"]].append(tuple(sorted(set(one["parsed"]))))
    whole = {item: keys for item, keys in given.items() if len(keys) == len(variations) > 1}
    return {item: bool(keys[0]) and len(set(keys)) == 1 for item, keys in whole.items()}


def _verdict(figure: Figure, low: float, high: float, p: float) -> str:
    """What interval and p say in the declared direction; of few pairs the bootstrap alone would call p 0.125 a difference."""
    if low <= 0 <= high or p > 1 - SETTINGS["confidence"]:
        return "no difference shown"
    if figure.better == "neither":
        return "differs"
    return "better" if (low > 0) == (figure.better == "higher") else "worse"


def _cost(build: Build, record: Record) -> dict[str, Any]:
    """Seconds of the stages that the arm executed, and the model calls that they paid; answers that were known cost nothing."""
    paid = dict.fromkeys(PAID, 0.0)
    for stage in record.stages:
        timings = build.metrics(f"timings/{stage}")
        for key in PAID:
            paid[key] += timings.get(key) or 0
    return {
        "stages": record.stages,
        "seconds": round(sum(record.stages.values()), 1),
        **{key: round(paid[key], 4) for key in PAID},
    }


def _tried(build: Build) -> list[dict[str, Any]]:
    """Rows for which a rewrite was asked."""
    rows = build.columns(ROWS, ROW_COLUMNS)
    return sorted((row for row in rows if row["decision"] in ("rewritten", "template")), key=lambda row: row["id"])


def _scores(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    return [row["factuality"] for row in rows if row["factuality"] is not None]


def _same(build: Build, first: Build, path: str) -> bool:
    return path in build.hashes and build.hashes[path] == first.hashes.get(path)


def _asked(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["benchmark"], one["protocol"]


def _interval(successes: int, n: int) -> dict[str, float | None]:
    interval = wilson_interval(successes, n)
    return {"share": round(interval.value, 4) if n else None, "low": round(interval.low, 4), "high": round(interval.high, 4)}
