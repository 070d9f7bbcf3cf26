"""Text that could do harm in training, and what the policy of `validate.safety` does with it.

Per kind a row is dropped (`reject`), the place in the text is changed (`neutralise`), or the build ends (`stop`). Every
finding is one record of `data/validate/safety.parquet`, so that people can look at what was changed and dropped and judge
the rules. A sample of a credential or of personal data is a fingerprint: no report holds the thing itself.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from stages.control_tokens import first_control_token, without_control_tokens
from stages.enrich.schema import EnrichedRow
from stages.errors import InputError
from stages.tables import Reject
from stages.validate.credentials import Span, find_credentials, fingerprint, replaced, without_credentials, without_overlaps
from stages.validate.indicators import find_indicators
from stages.validate.injection import find_injections
from stages.validate.offensive import find_offensive
from stages.validate.params import SafetyParams
from stages.validate.personal import find_personal
from stages.validate.safety_suspects import suspects
from stages.validate.schema import SafetyFinding

FIELDS = ("instruction", "answer")
_LONGEST = 160  # characters of a sample
_AT_ONCE = 2000  # rows whose texts are looked at together


def _control_tokens(text: str) -> list[Span]:
    """One finding per text; every token of it is broken up."""
    return [Span("chat-template", 0, 0, "")] if first_control_token(text) else []


# Kind -> (action of the policy, detector). The first kind that drops a row gives the reason.
KINDS: dict[str, tuple[Callable[[SafetyParams], str], Callable[[str], list[Span]]]] = {
    "secret": (lambda params: params.secrets, find_credentials),
    "offensive": (lambda params: params.offensive.action, find_offensive),
    "prompt-injection": (lambda params: params.injections, find_injections),
    "control-token": (lambda params: params.control_tokens, _control_tokens),
    "personal-data": (lambda params: params.personal_data, find_personal),
    "live-indicator": (lambda params: params.indicators, find_indicators),
}
# Digits of the fingerprint that is shown instead. Of a telephone number eight would do: all numbers can be tried.
_HIDDEN = {"secret": 8, "personal-data": 4}
_DISARMED = ("secret", "personal-data", "live-indicator", "control-token")  # what `disarmed` changes
_OWN_WORDS = ("template", "not-selected")  # decisions whose text no model wrote


class Safe(NamedTuple):
    """Rows that stay (neutralised where needed), rejects, and every finding."""

    rows: list[EnrichedRow]
    rejects: list[Reject]
    findings: list[SafetyFinding]


def make_safe(rows: Sequence[EnrichedRow], params: SafetyParams) -> Safe:
    """Apply the policy to instruction and answer of each row; ids stay, so that a row can be followed back.

    Raises InputError if there is anything for which the policy ends the build.
    """
    kept: list[EnrichedRow] = []
    rejects: list[Reject] = []
    findings: list[SafetyFinding] = []
    denied = {*params.offensive.deny_sources}
    for row, found in _found(rows):
        if not found and denied.isdisjoint(row.sources):
            kept.append(row)
            continue
        mine = [_finding(row, kind, name, span, params) for kind, spans in found.items() for name, span in spans]
        mine += [_of_source(row, source, params) for source in sorted(denied.intersection(row.sources))]
        findings += mine
        dropping = [one for one in mine if one.action == "reject"]
        if dropping:
            rejects.append(_reject(row, dropping))
        else:
            changing = {one.kind for one in mine if one.action == "neutralise"}
            kept.append(_neutralised(row, {kind: spans for kind, spans in found.items() if kind in changing}))
    _stop([one for one in findings if one.action == "stop"])
    return Safe(kept, rejects, findings)


def summary(findings: Sequence[SafetyFinding], params: SafetyParams) -> dict[str, dict[str, object]]:
    """Per kind, also those never found: rows, what was done, and rows by rule."""
    rows: dict[str, set[str]] = defaultdict(set)
    for one in findings:
        rows[one.kind].add(one.row)
    rules = Counter((kind, rule) for kind, rule, _ in {(one.kind, one.rule, one.row) for one in findings})
    return {
        kind: {
            "rows": len(rows[kind]),
            "action": action(params),
            "by_rule": {rule: count for (mine, rule), count in sorted(rules.items()) if mine == kind},
        }
        for kind, (action, _) in KINDS.items()
    }


def _found(rows: Sequence[EnrichedRow]) -> Iterator[tuple[EnrichedRow, dict[str, list[tuple[str, Span]]]]]:
    """Each row with what was found in it, kind by kind; a detector reads only what it may find something in."""
    for first in range(0, len(rows), _AT_ONCE):
        batch = rows[first : first + _AT_ONCE]
        texts = [getattr(row, name) for row in batch for name in FIELDS]
        found: dict[int, dict[str, list[tuple[str, Span]]]] = {}
        suspected = suspects(texts)
        for kind, (_, detector) in KINDS.items():
            for place in sorted(suspected[kind]):
                number, field = divmod(place, len(FIELDS))
                if spans := detector(texts[place]):
                    found.setdefault(number, {}).setdefault(kind, []).extend((FIELDS[field], span) for span in spans)
        for number, row in enumerate(batch):
            yield row, found.get(number, {})


def _finding(row: EnrichedRow, kind: str, name: str, span: Span, params: SafetyParams) -> SafetyFinding:
    sample = _sample(kind, getattr(row, name), span)
    action = KINDS[kind][0](params)
    if kind == "offensive" and row.decision in _OWN_WORDS and {*row.sources} <= {*params.offensive.allow_sources}:
        action = "report"
    return SafetyFinding(row=row.id, task=row.task, kind=kind, rule=span.rule, field=name, action=action, sample=sample)


def _of_source(row: EnrichedRow, source: str, params: SafetyParams) -> SafetyFinding:
    """A row of a source that is denied: no place in it can be changed, so it goes, unless findings are reported only."""
    action = "reject" if params.offensive.action == "neutralise" else params.offensive.action
    rule, sample = "denied-source", harmless(source)
    return SafetyFinding(row=row.id, task=row.task, kind="offensive", rule=rule, field="sources", action=action, sample=sample)


def _stop(findings: Sequence[SafetyFinding]) -> None:
    if findings:
        shown = "; ".join(f"{one.rule} in {one.field} of row {one.row} ({one.sample})" for one in findings[:3])
        raise InputError(
            f"data/enrich/rows.parquet: {len(findings):,} unsafe places, first {shown}.",
            remedy="Mend the source, or choose `reject` or `neutralise` in section `validate.safety` of params.yaml.",
        )


def _sample(kind: str, text: str, span: Span) -> str:
    """What was found, fit to be shown; the surroundings are one `trace` away."""
    found = text[span.start : span.end]
    if kind in _HIDDEN:
        return f"fingerprint {fingerprint(found)[: _HIDDEN[kind]]}"
    if kind == "control-token":
        return first_control_token(text)
    if span.rule == "invisible-characters":
        return found.encode("unicode_escape").decode()[:_LONGEST]
    return harmless(span.replacement if kind == "live-indicator" else found)[:_LONGEST]


def harmless(text: str) -> str:
    """`text` fit to be shown, in one line: no credential, personal data, live indicator or control token."""
    return " ".join(disarmed(text).split())


def disarmed(text: str) -> str:
    """`text` as `harmless` shows it, with its lines."""
    text = without_credentials(text)
    for detector in (find_personal, find_indicators):
        text = replaced(text, without_overlaps(detector(text)))
    return without_control_tokens(text)


def disarmed_all(texts: Sequence[str]) -> list[str]:
    """Each of many texts as `disarmed` gives it; of equal ones and of those with nothing to change few are read."""
    different = [*dict.fromkeys(texts)]
    changed: dict[str, str] = {}
    for first in range(0, len(different), _AT_ONCE):
        batch = different[first : first + _AT_ONCE]
        suspected = suspects(batch)
        changed |= {batch[number]: disarmed(batch[number]) for number in set().union(*(suspected[kind] for kind in _DISARMED))}
    return [changed.get(text, text) for text in texts]


def _reject(row: EnrichedRow, dropping: Sequence[SafetyFinding]) -> Reject:
    first = dropping[0]
    mine = [one for one in dropping if one.kind == first.kind]
    detail = "; ".join(f"{one.rule} in {one.field}: {one.sample}" for one in mine)
    return Reject("validate", row.id, first.kind, detail)


def _neutralised(row: EnrichedRow, found: dict[str, list[tuple[str, Span]]]) -> EnrichedRow:
    """The row itself if nothing is to be changed. Kind after kind, as one place may be two things: a credential goes before the address that it stands in is defanged."""
    if not found:
        return row
    changed = {}
    for name in {where for inner in found.values() for where, _ in inner}:
        text = getattr(row, name)
        for kind in found:
            text = replaced(text, without_overlaps(KINDS[kind][1](text)))
        changed[name] = without_control_tokens(text)
    return msgspec.structs.replace(row, **changed)
