"""Which format each task gets: from the library as the policy allows, else drafted, else none with a reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import msgspec

from stages.formats.lint import lint
from stages.formats.readings import Reading, agreement
from stages.formats.schema import Format, kind
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
    formats: Sequence[Format],
    rejects: Sequence[Reject],
    library: Mapping[str, Format],
    keyed: Mapping[str, bool],
    readings: Sequence[Reading] = (),
) -> dict[str, Any]:
    """The metrics: counts, and how far two readers of the same rewrites agree. `keyed` has every task of the build."""
    return {
        "tasks": len(keyed),
        "status": dict(Counter(form.status for form in formats)),
        "flags": {flag: sum(getattr(form, flag) for form in formats) for flag in ("search", "document", "rewrite")},
        "kinds": dict(Counter(kind(form) for form in formats)),
        "drafted": sum(form.status == "draft" and form.version == 0 for form in formats),
        "failed": len(rejects),
        "reasons": dict(Counter(reject.reason for reject in rejects)),
        "library": {"files": len(library), "unused": len(set(library) - set(keyed))},
        "lint": dict(Counter(reason for form in formats for reason in _flaws(form, keyed[form.task]))),
        "policies": {policy: _counts(choose_formats(list(keyed), library, policy)) for policy in get_args(Policy)},
        "agreement": agreement(readings),
    }


def _flaws(form: Format, keyed: bool) -> set[str]:
    return {finding.reason for finding in lint(form, keyed=keyed)}


def _counts(choice: Choice) -> dict[str, int]:
    """What a policy gives the tasks of this build: a library file, a draft, or the template answers that they have."""
    return {"library": len(choice.formats), "to_draft": len(choice.to_draft), "template": len(choice.rejects)}
