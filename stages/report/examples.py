"""Rewrites to show beside their template answers: each outcome once before any twice."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, zip_longest

import msgspec

from stages.enrich.schema import EnrichedRow


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One row as the page shows it; texts are cut, not escaped (the template escapes)."""

    row_id: str
    task: str
    kept: bool
    reasons: list[str]
    instruction: str
    template_answer: str
    rewrite: str
    readability: str
    factuality: int | None
    evidence: int
    sources: list[str]


def choose_examples(rows: Sequence[EnrichedRow], limit: int, excerpt: int) -> list[Example]:
    """At most `limit` tried rewrites: kept ones first, then one of every set of reasons, in order of row ids."""
    outcomes: dict[tuple[bool, str], list[EnrichedRow]] = defaultdict(list)
    for row in sorted((row for row in rows if row.rewrite), key=lambda row: row.id):
        kept = row.decision == "rewritten"
        outcomes[not kept, "" if kept else ", ".join(sorted(row.reasons))].append(row)
    in_turn = chain.from_iterable(zip_longest(*(outcomes[outcome] for outcome in sorted(outcomes))))
    chosen = [row for row in in_turn if row is not None][:limit]
    return [_example(row, excerpt) for row in sorted(chosen, key=lambda row: (row.decision != "rewritten", row.reasons, row.id))]


def cut(text: str, length: int) -> str:
    """`text`, or its first `length` characters and how many were left out."""
    text = text.strip()
    return text if len(text) <= length else f"{text[:length].rstrip()} … ({len(text) - length:,} more characters)"


def _example(row: EnrichedRow, excerpt: int) -> Example:
    return Example(
        row_id=row.id,
        task=row.task,
        kept=row.decision == "rewritten",
        reasons=row.reasons,
        instruction=cut(row.instruction, excerpt),
        template_answer=cut(row.template_answer, excerpt),
        rewrite=cut(row.rewrite, excerpt),
        readability=row.readability,
        factuality=row.factuality,
        evidence=len(row.evidence_ids),
        sources=row.sources,
    )
