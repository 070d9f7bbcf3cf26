"""The judge's examination on claims: hand-written rewrites that rest on their sources, and the same with one sentence that does not.

The added sentence is of the kind that a fluent teacher adds: a severity, a date, a vendor, a remedy that nobody named.
"""

from pathlib import Path
from typing import Any, Literal

import msgspec

from stages.enrich.chance import CHANCE, share_of, tail
from stages.enrich.claims import Claims, Sources, judge_claims, sentences
from stages.enrich.params import Calibration, EnrichParams
from stages.llm.asking import Chat
from stages.llm.client import CallFailed, map_rows
from stages.llm.examination import read_cases

CASES = Path(__file__).parent / "claims.jsonl"


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rewrite whose every sentence is supported, and a sentence that is not."""

    added: Literal[
        "severity", "vendor", "date", "effect", "remedy", "actor", "cause", "scope", "history", "tool", "contradiction", "number",
        "standard",
    ]  # fmt: skip
    instruction: str
    answer: str
    evidence: str
    good: str
    claim: str
    after: int  # lines of `good` that stand before the claim in the spoilt text

    @property
    def spoilt(self) -> str:
        """The rewrite with the claim."""
        lines = self.good.splitlines()
        return "\n".join([*lines[: self.after], self.claim, *lines[self.after :]])


class Ruled(msgspec.Struct, frozen=True):
    """What the judge said of both texts of a case; None where it did not answer."""

    case: Case
    good: Claims | None
    spoilt: Claims | None

    @property
    def right(self) -> list[bool]:
        """Of the two decisions: nothing is named in the good text, something in the spoilt one."""
        good, spoilt = (ruled.unsupported if ruled else None for ruled in (self.good, self.spoilt))
        return [good == [], bool(spoilt)]

    @property
    def named(self) -> bool:
        """Whether the added sentence is among those named."""
        return bool(self.spoilt and any(one.endswith(self.case.claim) for one in self.spoilt.unsupported or ()))


def load_cases(count: int, path: Path = CASES) -> list[Case]:
    """The first `count` cases, or all if 0. Raises InputError that names file and line."""
    cases = read_cases(path, Case)
    return cases[:count] if count else cases


async def calibrate_claims(client: Chat, params: EnrichParams, concurrency: int) -> dict[str, Any]:
    """Examine the judge that `client` asks on as many cases as `calibration.pairs` says."""

    async def work(case: Case) -> Ruled:
        return Ruled(case, *[await _ask(client, case, text, params.verdict_tokens) for text in (case.good, case.spoilt)])

    cases = load_cases(params.calibration.pairs)
    ruled = await map_rows(cases, work, concurrency=concurrency, label="examining the judge on claims")
    answered = [Ruled(case, None, None) if isinstance(one, CallFailed) else one for case, one in zip(cases, ruled, strict=True)]
    return claims_report(answered, params.calibration)


def claims_report(ruled: list[Ruled], params: Calibration) -> dict[str, Any]:
    """Accuracy as a whole and for each text, by kind of claim, and `passed`: above chance, and good enough."""
    decisions = [right for one in ruled for right in one.right]
    chance, accuracy = tail(sum(decisions), len(decisions)), share_of(decisions)
    return {
        "cases": len(ruled),
        "decisions": len(decisions),
        "right": sum(decisions),
        "chance": round(chance, 4),  # probability that a coin does as well
        "accuracy": accuracy,
        "good_left_alone": share_of([one.right[0] for one in ruled]),
        "spoilt_found": share_of([one.right[1] for one in ruled]),
        "sentence_named": share_of([one.named for one in ruled]),
        "by_kind": {
            kind: share_of([one.named for one in ruled if one.case.added == kind])
            for kind in sorted({one.case.added for one in ruled})
        },
        "passed": chance <= CHANCE and accuracy is not None and accuracy >= params.accuracy,
    }


async def _ask(client: Chat, case: Case, text: str, tokens: int) -> Claims:
    told = sentences(text, keyed=True)
    return await judge_claims(client, Sources(case.instruction, case.answer, [case.evidence]), told, tokens)
