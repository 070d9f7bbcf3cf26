"""The judge's examination before it decides: hand-written pairs of a good and a spoilt rewrite.

Pairs with a lost or changed fact, a flipped verdict or a new id examine factuality; pairs whose text was made
hard to read examine readability, in both orders, which also shows a preference for a place. As the good text is
sometimes the longer and sometimes the shorter one, a preference for length shows too.
"""

from pathlib import Path
from statistics import mean
from typing import Any, Literal

import msgspec

from stages.enrich.chance import CHANCE, share_of, tail
from stages.enrich.claims_calibration import calibrate_claims
from stages.enrich.judge import combine, compare, score_facts
from stages.enrich.params import Calibration, EnrichParams
from stages.llm.asking import Chat
from stages.llm.client import CallFailed, map_rows
from stages.llm.examination import read_cases

PAIRS = Path(__file__).parent / "calibration.jsonl"
LONGER = 1.1  # times the characters of the other text: a smaller difference nobody notices
FEWEST = 8  # preferences of each sort (good text longer, good text shorter) that a bias is computed from


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One examination question."""

    spoilt_by: Literal["lost-fact", "changed-fact", "flipped-verdict", "new-id", "unreadable"]
    instruction: str
    reference: str
    good: str
    spoilt: str


class Answered(msgspec.Struct, frozen=True):
    """What the judge said of one pair.

    `right` holds its decisions, `places` what it named, `ordered` whether the good text won, and `preferred` one
    entry for each preference it stated: whether that was for the good text.
    """

    pair: Pair
    right: list[bool]
    places: list[str]
    ordered: bool | None
    preferred: list[bool] = []


def load_pairs(count: int, path: Path = PAIRS) -> list[Pair]:
    """The first `count` pairs, half of them about readability as long as there are any, or all if 0.

    Raises InputError that names file and line.
    """
    pairs = read_cases(path, Pair)
    readability = [pair for pair in pairs if pair.spoilt_by == "unreadable"][: count // 2]
    factuality = [pair for pair in pairs if pair.spoilt_by != "unreadable"][: count - len(readability)]
    return [*factuality, *readability] if count else pairs


async def calibrate(client: Chat, params: EnrichParams, concurrency: int) -> dict[str, Any]:
    """Examine the judge that `client` asks: the `report` whose `passed` decides whether its word counts.

    Where it also rules on claims, it must pass that examination too, or nothing is kept on its word.
    """
    found = report(await examine(client, load_pairs(params.calibration.pairs), params, concurrency), params.calibration)
    if params.claims == "off":
        return found
    claims = await calibrate_claims(client, params, concurrency)
    return {**found, "claims": claims, "passed": found["passed"] and claims["passed"]}


async def examine(client: Chat, pairs: list[Pair], params: EnrichParams, concurrency: int) -> list[Answered]:
    """The judge's answers to `pairs`, with the threshold that will decide about rewrites."""

    async def work(pair: Pair) -> Answered:
        return await (_readability if pair.spoilt_by == "unreadable" else _facts)(client, pair, params)

    answers = await map_rows(pairs, work, concurrency=concurrency, label="calibrating the judge")
    return [_unanswered(pair) if isinstance(answer, CallFailed) else answer for pair, answer in zip(pairs, answers, strict=True)]


async def _facts(client: Chat, pair: Pair, params: EnrichParams) -> Answered:
    good, _ = await score_facts(client, pair.instruction, pair.reference, pair.good, params.verdict_tokens)
    spoilt, _ = await score_facts(client, pair.instruction, pair.reference, pair.spoilt, params.verdict_tokens)
    threshold = params.keep.factuality
    right = [good is not None and good >= threshold, spoilt is not None and spoilt < threshold]
    stated = [good > spoilt] if good is not None and spoilt is not None and good != spoilt else []
    return Answered(pair, right, [], stated == [True], stated)


async def _readability(client: Chat, pair: Pair, params: EnrichParams) -> Answered:
    """The good text stands in the place of the rewrite."""
    places, _ = await compare(client, pair.instruction, pair.spoilt, pair.good, params.verdict_tokens)
    right = [places[0] == "B", places[1] == "A"]
    stated = [good for good, place in zip(right, places, strict=True) if place in ("A", "B")]
    return Answered(pair, right, list(places), combine(*places) == "rewritten", stated)


def _unanswered(pair: Pair) -> Answered:
    """A failed call is a wrong decision: a judge that does not answer cannot be relied on."""
    return Answered(pair, [False, False], [], None)


def report(answers: list[Answered], params: Calibration) -> dict[str, Any]:
    """Accuracy by question and kind, biases, and `passed`: above chance as a whole, and good enough at each."""
    parts = {"factuality": [a for a in answers if a.pair.spoilt_by != "unreadable"]}
    parts["readability"] = [a for a in answers if a.pair.spoilt_by == "unreadable"]
    accuracy = {name: share_of([right for answer in part for right in answer.right]) for name, part in parts.items()}
    decisions = [right for answer in answers for right in answer.right]
    chance = tail(sum(decisions), len(decisions))
    places = [place for answer in parts["readability"] for place in answer.places if place in ("A", "B")]
    kinds = sorted({answer.pair.spoilt_by for answer in answers})
    passed = chance <= CHANCE and all(share is not None and share >= params.accuracy for share in accuracy.values())
    return {
        "pairs": len(answers),
        "claims": None,  # its examination on claims; None where it does not rule on them
        "decisions": len(decisions),
        "right": sum(decisions),
        "chance": round(chance, 4),  # probability that a coin does as well
        "accuracy": accuracy,
        "by_kind": {kind: share_of([r for a in answers if a.pair.spoilt_by == kind for r in a.right]) for kind in kinds},
        "good_above_spoilt": share_of([bool(answer.ordered) for answer in answers]),
        "position_bias": round(places.count("A") / len(places) - 0.5, 3) if places else None,  # +0.5: always the first
        "length_bias": {name: length_bias(part) for name, part in parts.items()},  # +0.5: always the longer
        "pairs_passed": passed,
        "passed": passed,  # also the examination on claims, where there is one
    }


def length_bias(answers: list[Answered]) -> float | None:
    """Half of how much more often the judge prefers the good text where it is the longer one than where it is the shorter.

    0: length plays no part, +0.5: it always prefers the longer text, -0.5: always the shorter. None with fewer than
    FEWEST preferences of either sort; texts of about the same length (LONGER) and ties say nothing.
    """
    sizes = [(len(answer.pair.good), len(answer.pair.spoilt), answer.preferred) for answer in answers]
    longer = [right for good, spoilt, preferred in sizes if good >= LONGER * spoilt for right in preferred]
    shorter = [right for good, spoilt, preferred in sizes if spoilt >= LONGER * good for right in preferred]
    if min(len(longer), len(shorter)) < FEWEST:
        return None
    return round((mean(longer) - mean(shorter)) / 2, 3)
