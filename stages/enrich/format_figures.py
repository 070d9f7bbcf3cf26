"""How good a format is, by what came of the rows that were tried with it: one record a row, one set of figures a format."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Protocol

import msgspec

from stages.enrich.checks import prose_words
from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.llm.ledger import Ledger
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
    used = [responses[key] for key in row.request_hashes if key in responses]
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


def figures(tried: Sequence[Tried]) -> FormatFigures:
    """What `tried` says of one format, or of any group of rows; the order of rows does not matter."""
    written = [one for one in tried if one.words or one.steps_found]
    verdicts = Counter(one.readability for one in tried)
    kept = sum(one.kept for one in tried)
    costs = [one.usd for one in tried]
    return FormatFigures(
        n=len(tried),
        kept=kept,
        acceptance=_rounded(wilson_interval(kept, len(tried), CONFIDENCE)) if tried else None,
        wins=verdicts["rewritten"],
        ties=verdicts["tie"],
        losses=verdicts["original"],
        inconsistent=verdicts["inconsistent"],
        unjudged=verdicts[""],
        mean_factuality=_mean(tried, lambda one: one.factuality),
        steps_followed=_mean(written, lambda one: one.steps_found / one.steps if one.steps else None),
        words=_mean(written, lambda one: one.words),
        length_ratio=_ratio(sum(one.words for one in written), sum(one.template_words for one in written)),
        tokens=_mean(tried, lambda one: one.prompt_tokens + one.completion_tokens),
        usd=round(sum(sorted(costs)), 6) if costs and None not in costs else None,
        reasons=dict(sorted(Counter(reason for one in tried for reason in one.reasons).items())),
    )


def by_task(tried: Sequence[Tried]) -> dict[str, FormatFigures]:
    """Figures of each task's format, tasks sorted."""
    return {task: figures([one for one in tried if one.task == task]) for task in sorted({one.task for one in tried})}


def _usd(used: Sequence[Paid], prices: Mapping[str, Price]) -> float | None:
    if any(response.model not in prices for response in used) or not used:
        return None
    ledger = Ledger(prices)
    return sum(ledger.cost(one.model, one.prompt_tokens, one.completion_tokens) for one in used)


def _mean(tried: Sequence[Tried], value: Callable[[Tried], float | None]) -> float | None:
    values = sorted(found for one in tried if (found := value(one)) is not None)
    return round(fmean(values), 4) if values else None


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _rounded(interval: Interval) -> Interval:
    return Interval(*(round(bound, 4) for bound in (interval.value, interval.low, interval.high)))
