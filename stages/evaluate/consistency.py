"""Whether a system gives the same answers when only the format after the question changes.

Equal means the same key: an answer that cannot be read is equal to nothing, not even to another such answer.
A system that always says the same letter is perfectly consistent and knows nothing: hence Fleiss' kappa, which
corrects for what the frequencies of the answers would give by chance, and the share of the commonest answer.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from stages.evaluate.schema import Prediction
from stages.evaluate.variations import PLAIN, variation_of
from stages.statistics import mcnemar_exact, paired_difference, wilson_interval

Answer = tuple[str, ...]  # the keys given, sorted; empty for an answer that cannot be read
Variations = dict[str, dict[str, Prediction]]  # variation -> item id -> prediction


def consistency(predictions: Iterable[Prediction], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Figures per benchmark, protocol and variant that was asked in two variations or more; `settings` of the paired bootstrap."""
    asked: dict[tuple[str, str, str], Variations] = defaultdict(lambda: defaultdict(dict))
    for one in predictions:
        variant, variation = variation_of(one.system)
        asked[one.benchmark, one.protocol, variant][variation][one.item_id] = one
    nested: dict[str, Any] = {}
    for (benchmark, protocol, variant), variations in sorted(asked.items()):
        if len(variations) > 1:
            nested.setdefault(benchmark, {}).setdefault(protocol, {})[variant] = _figures(variations, settings)
    return nested


def fleiss_kappa(items: Sequence[Sequence[Answer]]) -> float:
    """Agreement beyond chance of several answers per item (Fleiss 1971, doi:10.1037/h0031619); NaN if chance alone gives 1."""
    if not items:
        return math.nan
    asked, total = len(items[0]), len(items) * len(items[0])
    observed = sum(sum(count * (count - 1) for count in Counter(row).values()) for row in items) / (total * (asked - 1))
    expected = sum((count / total) ** 2 for count in Counter(answer for row in items for answer in row).values())
    return (observed - expected) / (1 - expected) if expected < 1 else math.nan


def _figures(variations: Variations, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Over the items that were answered in every variation."""
    names = sorted(variations, key=lambda name: (name != PLAIN, name))
    shared = sorted(set.intersection(*(set(answers) for answers in variations.values())))
    given = {name: [_answer(variations[name][item_id]) for item_id in shared] for name in names}
    by_item = list(zip(*given.values(), strict=True))
    equal = sum(bool(row[0]) and len(set(row)) == 1 for row in by_item)
    interval = wilson_interval(equal, len(shared), settings["confidence"])
    figures = {
        "n": len(shared),
        "variations": names,
        "equal": equal,
        "share_equal": _rounded(interval.value),
        "low": _rounded(interval.low),
        "high": _rounded(interval.high),
        "fleiss_kappa": _rounded(fleiss_kappa(by_item)),
        "agreement": {f"{one}/{other}": _agreement(given[one], given[other]) for one, other in combinations(names, 2)},
        "accuracy": {name: _accuracy(variations[name], shared, given[name], settings["confidence"]) for name in names},
    }
    if PLAIN in variations:
        plain = [variations[PLAIN][item_id].correct for item_id in shared]
        figures["against_none"] = {
            name: _against(plain, [variations[name][item_id].correct for item_id in shared], settings) for name in names[1:]
        }
    return figures


def _answer(one: Prediction) -> Answer:
    return tuple(sorted(set(one.parsed)))


def _agreement(first: Sequence[Answer], second: Sequence[Answer]) -> float | None:
    equal = sum(bool(one) and one == other for one, other in zip(first, second, strict=True))
    return _rounded(equal / len(first)) if first else None


def _accuracy(
    answers: Mapping[str, Prediction], shared: Sequence[str], given: Sequence[Answer], confidence: float
) -> dict[str, Any]:
    right = sum(answers[item_id].correct for item_id in shared)
    interval = wilson_interval(right, len(shared), confidence)
    commonest = Counter(answer for answer in given if answer).most_common(1)
    return {
        "n": len(shared),
        "correct": right,
        "accuracy": _rounded(interval.value),
        "low": _rounded(interval.low),
        "high": _rounded(interval.high),
        "unparseable": sum(not answer for answer in given),
        "commonest_answer": _rounded(commonest[0][1] / len(shared)) if commonest else None,
    }


def _against(plain: Sequence[bool], varied: Sequence[bool], settings: Mapping[str, Any]) -> dict[str, Any]:
    interval = paired_difference(varied, plain, **settings)
    return {
        "difference": _rounded(interval.value),
        "low": _rounded(interval.low),
        "high": _rounded(interval.high),
        "mcnemar_p": _rounded(mcnemar_exact(varied, plain), 6),
    }


def _rounded(value: float, digits: int = 4) -> float | None:
    """JSON has no NaN: what is not defined is null."""
    return None if math.isnan(value) else round(value, digits)
