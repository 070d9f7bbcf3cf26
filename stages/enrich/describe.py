"""The metrics of enrichment: counts and shares that follow from the rows alone."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from stages.enrich.schema import EnrichedRow


def describe(rows: Sequence[EnrichedRow]) -> dict[str, Any]:
    """Decisions, reasons, verdicts and scores; `keep_rate` is the share of the tried rewrites that replaced the template."""
    decisions = Counter(row.decision for row in rows)
    tried = [row for row in rows if row.decision != "not-selected"]
    scores = Counter(row.factuality for row in tried if row.factuality is not None)
    return {
        "rows": len(rows),
        "decisions": {decision: decisions[decision] for decision in ("rewritten", "template", "not-selected")},
        "tried": len(tried),
        "keep_rate": round(decisions["rewritten"] / len(tried), 4) if tried else None,
        "reasons": dict(Counter(reason for row in tried for reason in row.reasons)),
        "reasons_by_family": {
            family: dict(Counter(reason for row in tried if row.family == family for reason in row.reasons))
            for family in sorted({row.family for row in tried})
        },
        "judged": sum(row.factuality is not None or bool(row.readability) for row in tried),
        "readability": dict(Counter(row.readability for row in tried if row.readability)),
        "factuality": {str(score): scores[score] for score in sorted(scores)},
    }
