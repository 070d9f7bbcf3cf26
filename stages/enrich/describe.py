"""The metrics of enrichment: counts and shares that follow from the rows and attempts alone."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from stages.enrich.attempts import DECLINED
from stages.enrich.params import EnrichParams
from stages.enrich.results import bare_attempt
from stages.enrich.schema import EnrichedRow, RewriteAttempt
from stages.statistics import wilson_interval

VERDICTS = ("rewritten", "original", "tie", "inconsistent")
TOO_LONG = ["call-failed:too-long"]


class Attempts(NamedTuple):
    """Calls of the teacher, without their texts."""

    last: list[RewriteAttempt]  # the decisive one of each row
    earlier: list[RewriteAttempt]  # those that another one followed


def bare_attempts(attempts: Iterable[RewriteAttempt]) -> Attempts:
    """What figures need of `attempts`; those of a row stand together, the decisive one last."""
    found = Attempts([], [])
    for _, of_row in groupby(attempts, key=lambda attempt: attempt.row_id):
        *earlier, last = map(bare_attempt, of_row)
        found.last.append(last)
        found.earlier.extend(earlier)
    return found


def describe(rows: Sequence[EnrichedRow], attempts: Attempts, params: EnrichParams) -> dict[str, Any]:
    """Decisions, reasons, verdicts and scores; `keep_rate` is the share of the tried rewrites that replaced the template."""
    decisions = Counter(row.decision for row in rows)
    tried = [row for row in rows if row.decision != "not-selected"]
    scores = Counter(row.factuality for row in tried if row.factuality is not None)
    return {
        "rows": len(rows),
        "decisions": {decision: decisions[decision] for decision in ("rewritten", "template", "not-selected")},
        "tried": len(tried),
        "keep_rate": round(decisions["rewritten"] / len(tried), 4) if tried else None,
        "kept_share": share(decisions["rewritten"], len(tried)),
        "reasons": dict(Counter(reason for row in tried for reason in row.reasons)),
        "reasons_by_family": {
            family: dict(Counter(reason for row in tried if row.family == family for reason in row.reasons))
            for family in sorted({row.family for row in tried})
        },
        "judged": sum(row.factuality is not None or bool(row.readability) for row in tried),
        "readability": dict(Counter(row.readability for row in tried if row.readability)),
        "factuality": {str(score): scores[score] for score in sorted(scores)},
        "judge": judge_figures(attempts.last, params),
        "attempts": attempt_figures(attempts),
        "calls_saved": calls_saved(attempts.last),
    }


def share(part: int, whole: int) -> dict[str, Any]:
    """`of`, `count`, and the share with Wilson's 95 % interval; None for a share of nothing."""
    if not whole:
        return {"count": part, "of": 0, "share": None, "low": None, "high": None}
    found = wilson_interval(part, whole)
    return {"count": part, "of": whole, "share": round(found.value, 4), "low": round(found.low, 4), "high": round(found.high, 4)}


def judge_figures(attempts: Sequence[RewriteAttempt], params: EnrichParams) -> dict[str, Any]:
    """How the judge ruled over the whole run, where its two orders disagree, and where its two questions do.

    A judge without a bias of place names in the inconsistent pairs the first answer as often as the second.
    """
    asked = [one for one in attempts if _judged(one) and (one.factuality is not None or not _kept_out(one))]
    read = [one for one in asked if one.readability]
    verdicts, inconsistent = Counter(one.readability for one in read), [one for one in read if one.readability == "inconsistent"]
    both = [one for one in read if one.factuality is not None]
    first = sum(one.places[0] == "A" for one in inconsistent)
    return {
        "asked": len(asked),
        "verdicts": {**{name: verdicts[name] for name in VERDICTS}, "unread": len(asked) - len(read)},
        "factuality_unread": sum(one.factuality is None for one in asked),
        "orders_disagree": share(sum(one.places != _swapped(one.places) for one in read), len(read)),
        "inconsistent": share(len(inconsistent), len(read)),
        "inconsistent_names_first": share(first, len(inconsistent)),
        "inconsistent_names_second": share(len(inconsistent) - first, len(inconsistent)),
        "questions_disagree": share(sum(_allows(one, params) == "one" for one in both), len(both)),
    }


def attempt_figures(attempts: Attempts) -> dict[str, Any]:
    """Calls of the teacher: how many, why another one followed, and how often a prompt was sent again with fewer passages."""
    followed = Counter(reason for one in attempts.earlier for reason in one.reasons)
    return {
        "calls": len(attempts.last) + len(attempts.earlier),
        "second_samples": sum(one.attempt > 0 for some in attempts for one in some),
        "shortened": sum(one.reasons == TOO_LONG for one in attempts.earlier),
        "reasons": dict(sorted(followed.items())),  # of attempts that another one followed
    }


def calls_saved(attempts: Sequence[RewriteAttempt]) -> dict[str, int]:
    """Rewrites that code refused before anybody asked the judge, and the calls that the judge would have had at least.

    These are two of readability and one of facts; of claims it is asked only where these allow the rewrite.
    """
    spared = [one for one in attempts if one.request_hashes and not _judged(one) and one.reasons and not _kept_out(one)]
    return {"rewrites": len(spared), "calls": 3 * len(spared)}


def _judged(one: RewriteAttempt) -> bool:
    """Whether there are requests besides the teacher's."""
    return len(one.request_hashes) > 1


def _kept_out(one: RewriteAttempt) -> bool:
    """By something else than a check of the text."""
    return any(reason == DECLINED or reason.startswith("call-failed") for reason in one.reasons)


def _swapped(places: Sequence[str]) -> list[str]:
    """What a judge names in each order that prefers the same answer in both as in the first."""
    return [places[0], {"A": "B", "B": "A"}.get(places[0], places[0])]


def _allows(one: RewriteAttempt, params: EnrichParams) -> str:
    """Whether readability and factuality both allow the rewrite, `none` of them does, or `one`."""
    said = [one.readability in params.keep.readability, one.factuality is not None and one.factuality >= params.keep.factuality]
    return "both" if all(said) else "one" if any(said) else "none"
