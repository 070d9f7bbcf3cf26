"""Section `enrich`: when a rewrite may replace a template answer."""

from typing import Literal

from stages.config import Params

Readability = Literal["rewritten", "original", "tie", "inconsistent"]


class Keep(Params):
    """The judge's part of the keep rule; the deterministic checks always hold."""

    judge: bool = True  # false: it is asked and its verdicts are recorded, but they keep nothing out (for comparisons)
    factuality: int = 8  # of 10, against the template answer; below it a fact was lost or added
    # verdicts of the two swapped comparisons that do not lose readability. `inconsistent` is no verdict for the
    # rewrite: the judge named the answer in the same place twice.
    readability: tuple[Readability, ...] = ("rewritten", "tie")


class Calibration(Params):
    """The judge's examination on hand-written pairs (`stages/enrich/calibration.jsonl`), before it decides anything."""

    pairs: int = 8  # half of them about readability; each takes two decisions; 0 means all
    accuracy: float = 0.75  # of the decisions on each of both questions; a coin makes 0.5

    def __post_init__(self) -> None:
        if self.pairs in (1, 2):
            raise ValueError(
                "calibration.pairs: 1 or 2 pairs are an examination that chance alone could pass; set 3 or more, or 0 for all"
            )


class Length(Params):
    """Words of a rewrite against those of the template answer: shorter lost something, longer added or rambled."""

    shortest: float = 0.6  # times the template's words
    longest: float = 4.0  # times the template's words, plus `allowance`
    allowance: int = 160  # words for headings and steps around a one-line answer


class EnrichParams(Params):
    """One rewrite per grounded row, at most `attempts` of them."""

    # samples of the teacher: a call that failed, or a text that is cut, loops or repeats control tokens or marks of the prompt, is
    # followed by another sample with half the passages, or with the same summary of them
    attempts: int = 2
    adaptive: bool = False  # the teacher may answer that the format does not suit the row: its template answer then stays
    evidence_tokens: int = 420  # of all evidence in the first prompt
    verdict_tokens: int = 8  # output of one verdict; 0 means the judge's maximum, for a judge that reasons first
    judge_all: bool = False  # judge rewrites too that a deterministic check has already refused
    claims: Literal["off", "judge"] = "off"  # one more call a row: sentences that neither row nor evidence supports keep it out
    keep: Keep = Keep()
    calibration: Calibration = Calibration()
    length: Length = Length()

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(
                "attempts: nothing would be rewritten; set 1 or more, and formats that rewrite nothing to `rewrite: false`"
            )
