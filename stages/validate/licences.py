"""The licence of a row is the strictest of its parts; which classes may train, and which are kept apart, is a parameter."""

from collections import Counter
from collections.abc import Sequence

from stages.enrich.schema import EnrichedRow
from stages.errors import ParamsError
from stages.licences import STRICTNESS, strictest
from stages.tables import Reject
from stages.validate.params import LicenceParams


def filter_licences(
    rows: Sequence[EnrichedRow], params: LicenceParams, classes: dict[str, str]
) -> tuple[list[EnrichedRow], list[Reject], dict[str, int]]:
    """Rows whose class is allowed or kept apart, rejects, and rows by class (before the filter)."""
    _check_policy(params)
    kept, rejects, counts = [], [], Counter[str]()
    for row in rows:
        kind = strictest(row.licences, classes)
        counts[kind] += 1
        if kind in params.allow or kind in params.splits:
            kept.append(row)
        else:
            rejects.append(Reject("validate", row.id, f"licence-{kind}", "; ".join(sorted(row.licences)) or "no licence"))
    return kept, rejects, dict(sorted(counts.items()))


def kept_apart(
    rows: Sequence[EnrichedRow], params: LicenceParams, classes: dict[str, str]
) -> tuple[list[EnrichedRow], list[EnrichedRow]]:
    """Rows that may train, and rows of classes that have a split of their own."""
    apart = {row.id for row in rows if strictest(row.licences, classes) in params.splits} if params.splits else set()
    return [row for row in rows if row.id not in apart], [row for row in rows if row.id in apart]


def _check_policy(params: LicenceParams) -> None:
    both, named = set(params.allow) & set(params.deny), set(params.allow) | set(params.deny)
    wrong = sorted(both | (named ^ set(STRICTNESS)))
    if wrong:
        raise ParamsError(
            f"validate.licences must name each class once, in `allow` or in `deny`; wrong: {', '.join(wrong)}.",
            allowed=", ".join(STRICTNESS),
            remedy="Mend the two lists in params.yaml.",
        )
    if mixed := sorted({*params.splits} - {*params.deny} | {*params.splits} & {"unknown"}):
        raise ParamsError(
            f"validate.licences.splits may name denied classes only; wrong: {', '.join(mixed)}.",
            allowed=", ".join(one for one in params.deny if one != "unknown"),
            remedy="A class that may train needs no split; of `unknown` nobody knows what it allows. Mend the list in params.yaml.",
        )
