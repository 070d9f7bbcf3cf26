"""How good a format is, by what came of the rows that were tried with it: one record a row, one set of figures a format."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, Protocol

import msgspec

from stages.enrich.checks import prose_words
from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.llm.ledger import cost_of
from stages.runtime import Price
from stages.statistics import Interval, wilson_interval

CONFIDENCE = 0.95


class Paid(Protocol):
    """What a response cost: a StoredResponse, or what is left of it."""

    model: str
    prompt_tokens: int
    completion_tokens: int


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One row tried with one format."""

    row_id: str
    task: str
    format_sha256: str
    kept: bool  # by the keep rule
    reasons: list[str]
    readability: str  # rewritten, original, tie, inconsistent, or empty if not judged
    factuality: int | None  # 1-10
    steps_found: int
    steps: int
    words: int  # of the rewrite, headings left out; 0 if there is none
    template_words: int
    prompt_tokens: int  # of every request of the row: grounding, rewriting, judging
    completion_tokens: int
    usd: float | None  # None unless every model has a price


class FormatFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a format over the rows tried with it. Means are of the rows that have a rewrite; None where there is none."""

    n: int
    kept: int
    acceptance: Interval | None  # share kept, with Wilson's 95 % interval; None if n is 0
    wins: int  # the judge found the rewrite more readable in both orders
    ties: int
    losses: int
    inconsistent: int
    unjudged: int
    mean_factuality: float | None  # of the rows that were scored
    steps_followed: float | None  # mean share of the format's steps that have a section
    words: float | None
    length_ratio: float | None  # words of the rewrites to words of their template answers
    tokens: float | None  # mean of a row's prompt and completion tokens, over all n
    usd: float | None  # of all n together
    reasons: dict[str, int]


def tried_of(row: EnrichedRow, form: Format, responses: Mapping[str, Paid], prices: Mapping[str, Price] | None = None) -> Tried:
    """The record of `row`, which was tried with `form`; `responses` by key are those that its requests got."""
    used = [found for key in row.request_hashes if (found := responses.get(key)) is not None]
    return Tried(
        row_id=row.id,
        task=row.task,
        format_sha256=row.format_sha256,
        kept=row.decision == "rewritten",
        reasons=row.reasons,
        readability=row.readability,
        factuality=row.factuality,
        steps_found=row.steps_followed,
        steps=len(form.steps),
        words=prose_words(row.rewrite),
        template_words=prose_words(row.template_answer),
        prompt_tokens=sum(response.prompt_tokens for response in used),
        completion_tokens=sum(response.completion_tokens for response in used),
        usd=_usd(used, prices or {}),
    )


class Tally:
    """Figures of records that are seen once and forgotten; their order does not matter."""

    def __init__(self) -> None:
        self._n = self._kept = self._tokens = self._words = self._template_words = self._written = 0
        self._verdicts, self._reasons = Counter[str](), Counter[str]()
        self._scores, self._steps = Counter[int](), Counter[float]()
        self._costs: array[float] | None = array("d")  # None if one is not known

    def add(self, one: Tried) -> None:
        """Look at one record."""
        self._n += 1
        self._kept += one.kept
        self._tokens += one.prompt_tokens + one.completion_tokens
        self._verdicts[one.readability] += 1
        self._reasons.update(one.reasons)
        if one.factuality is not None:
            self._scores[one.factuality] += 1
        if one.words or one.steps_found:
            self._written += 1
            self._words += one.words
            self._template_words += one.template_words
            if one.steps:
                self._steps[one.steps_found / one.steps] += 1
        if one.usd is None:
            self._costs = None
        elif self._costs is not None:
            self._costs.append(one.usd)

    def figures(self) -> FormatFigures:
        """Of all that were seen."""
        return FormatFigures(
            n=self._n,
            kept=self._kept,
            acceptance=_rounded(wilson_interval(self._kept, self._n, CONFIDENCE)) if self._n else None,
            wins=self._verdicts["rewritten"],
            ties=self._verdicts["tie"],
            losses=self._verdicts["original"],
            inconsistent=self._verdicts["inconsistent"],
            unjudged=self._verdicts[""],
            mean_factuality=_mean(self._scores),
            steps_followed=_mean(self._steps),
            words=_ratio(self._words, self._written),
            length_ratio=_ratio(self._words, self._template_words),
            tokens=_ratio(self._tokens, self._n),
            usd=round(sum(sorted(self._costs)), 6) if self._costs else None,
            reasons=dict(sorted(self._reasons.items())),
        )


def figures(tried: Iterable[Tried]) -> FormatFigures:
    """What `tried` says of one format, or of any group of rows; the order of rows does not matter."""
    return tallied(tried)[0]


def tallied(tried: Iterable[Tried]) -> tuple[FormatFigures, dict[str, FormatFigures]]:
    """Figures of all records together, and of each task, tasks sorted; no record is kept."""
    every, tasks = Tally(), defaultdict[str, Tally](Tally)
    for one in tried:
        every.add(one)
        tasks[one.task].add(one)
    return every.figures(), {task: tasks[task].figures() for task in sorted(tasks)}


def _usd(used: Sequence[Paid], prices: Mapping[str, Price]) -> float | None:
    if any(response.model not in prices for response in used) or not used:
        return None
    return sum(cost_of(prices[one.model], one.prompt_tokens, one.completion_tokens) for one in used)


def _mean(counted: Counter[Any]) -> float | None:
    """Of values and how often each was seen; `fmean` rounds once, so that their order does not matter."""
    return round(fmean(counted.elements()), 4) if counted else None


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _rounded(interval: Interval) -> Interval:
    return Interval(*(round(bound, 4) for bound in (interval.value, interval.low, interval.high)))
