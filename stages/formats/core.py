"""Which format each task gets: from the library as the policy allows, else drafted, else none with a reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from stages.formats.lint import lint_format
from stages.formats.schema import Format
from stages.tables import Reject

Policy = Literal["approved", "approved-or-draft", "draft"]


class Choice(msgspec.Struct, frozen=True):
    """Formats found, tasks to draft for, and tasks that keep their template answers."""

    formats: list[Format]
    to_draft: list[str]
    rejects: list[Reject]


def choose_formats(tasks: Sequence[str], library: Mapping[str, Format], policy: Policy) -> Choice:
    """Split `tasks` by what `policy` lets the library answer."""
    allowed = {"approved": {"approved"}, "approved-or-draft": {"approved", "draft"}, "draft": set()}[policy]
    found = [library[task] for task in sorted(tasks) if task in library and library[task].status in allowed]
    left = sorted(set(tasks) - {form.task for form in found})
    if policy == "approved":
        return Choice(
            found, [], [Reject("formats", task, "no-approved-format", f"stages/formats/library/{task}.yaml") for task in left]
        )
    return Choice(found, left, [])


def describe(
    formats: Sequence[Format], rejects: Sequence[Reject], library: Mapping[str, Format], tasks: Sequence[str]
) -> dict[str, Any]:
    """The metrics: every number is a count."""
    return {
        "tasks": len(tasks),
        "status": dict(Counter(form.status for form in formats)),
        "flags": {flag: sum(getattr(form, flag) for form in formats) for flag in ("search", "document", "rewrite")},
        "drafted": sum(form.status == "draft" and form.version == 0 for form in formats),
        "failed": len(rejects),
        "reasons": dict(Counter(reject.reason for reject in rejects)),
        "library": {"files": len(library), "unused": len(set(library) - set(tasks))},
        "lint": dict(Counter(reason for form in formats for reason in lint_format(form))),
    }
