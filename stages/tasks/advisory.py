"""Advisories and bug tickets: triage of what arrives, its remedy, and the weakness behind it."""

from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, listing, mask, sentence, sentences, without_identifiers
from stages.tasks.cve import vulnerability_text
from stages.tasks.cwe import cwe_number
from stages.tasks.draft import Draft, Skip
from stages.tasks.linked import told
from stages.tasks.params import TasksParams
from stages.tasks.questions import number, points, titled

Drafts = Iterator[Draft | Skip]
CRITICAL = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))  # CVSS v3.1 specification, section 5
MOST_NAMED = 4
LEAST_ECHO = 8  # words of a sentence that is no common phrase


def advisory_triage(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Advisory -> a triage note: what is affected, how bad, through which weakness, what to do first (`reports` and fields)."""
    for advisory in knowledge.of_type("advisory"):
        risk = clip(_risk(advisory), 50)
        lines = [*_scope(advisory), *_severity(advisory), *_causes(knowledge, advisory)]
        remedy = points(_remedies(advisory), 60)
        if not risk or not lines or not remedy:
            yield Skip(advisory.id, "no-field" if risk else "no-text")
            continue
        answer = "\n".join([*lines, f"First steps:\n{remedy}"])
        used = [one.id for one in knowledge.objects(advisory.id, "shows", "weakness")]
        told_of = [one.id for one in knowledge.objects(advisory.id, "reports", "vulnerability")]  # their causes are stated
        slots = {"title": _title(advisory), "text": risk}
        yield Draft(subject=advisory.id, slots=slots, answer=answer, entities=used, quoted=told_of)


def advisory_weakness(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Texts of the vulnerabilities in an advisory -> every weakness behind it (`shows`): several causes, told apart.

    An advisory on one vulnerability would ask what the ticket about that one asks.
    """
    for advisory in knowledge.of_type("advisory"):
        weaknesses = sorted(knowledge.objects(advisory.id, "shows", "weakness"), key=lambda one: cwe_number(one.id))
        reported = knowledge.objects(advisory.id, "reports", "vulnerability")
        if not weaknesses:
            continue
        if len(reported) == 1:
            yield Skip(advisory.id, "one-vulnerability")
            continue
        texts = [vulnerability_text(knowledge, one, params.max_text_words // max(1, len(reported))) for one in reported]
        text = told(knowledge, "\n".join(dict.fromkeys(one for one in texts if one)) or knowledge.text(advisory.id), [], params)
        if not text or len(reported) > MOST_NAMED:
            yield Skip(advisory.id, "ambiguous-key" if text else "no-text")
            continue
        keys, used = [number(one.id) for one in weaknesses], [one.id for one in weaknesses]
        answer = f"The advisory shows {listing([titled(one) for one in weaknesses])}."
        slots = {"title": mask(_title(advisory), knowledge.hidden_names(*used)), "text": text}
        yield Draft(subject=advisory.id, slots=slots, answer=answer, key=keys, entities=used, quoted=[one.id for one in reported])


def advisory_remediation(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Advisory -> what the operator of the product should do, the vendor's own steps first (`remediations`)."""
    for advisory in knowledge.of_type("advisory"):
        steps = points(_remedies(advisory), params.max_answer_words)
        text = clip(_risk(advisory), params.max_text_words)
        if not steps or not text:
            yield Skip(advisory.id, "no-field" if text else "no-text")
            continue
        echoed = _echoed(knowledge, advisory, f"{text}\n{steps}")
        yield Draft(subject=advisory.id, slots={"title": _title(advisory), "text": text}, answer=steps, quoted=echoed)


def ticket_weakness(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Bug ticket, or a vulnerability as a vendor's advisory words it, with its component -> the weakness (`shows`)."""
    for ticket in knowledge.of_type("ticket"):
        yield from _ticket(
            knowledge, params, ticket, ticket.name, knowledge.text(ticket.id), knowledge.objects(ticket.id, "shows", "weakness")
        )
    for vulnerability in knowledge.of_type("vulnerability"):
        advisories = knowledge.subjects(vulnerability.id, "reports", "advisory")
        if advisories:
            text = vulnerability_text(knowledge, vulnerability, params.max_text_words)
            causes = knowledge.objects(vulnerability.id, "instance-of", "weakness")
            yield from _ticket(knowledge, params, vulnerability, listing(_products(advisories[0])[:1] or ["-"]), text, causes)


def _ticket(knowledge: Knowledge, params: TasksParams, subject: Entity, title: str, text: str, causes: list[Entity]) -> Drafts:
    if not causes:
        return
    shown = told(knowledge, text, [], params)
    if not shown:
        yield Skip(subject.id, "no-text")
        return
    causes = sorted(causes, key=lambda one: cwe_number(one.id))
    answer = f"The report comes down to {listing([titled(one) for one in causes])}."
    keys, used = [number(one.id) for one in causes], [one.id for one in causes]
    yield Draft(
        subject=subject.id,
        slots={"title": without_identifiers(title).rstrip(" ,;-") or "-", "text": shown},
        answer=answer,
        key=keys,
        entities=used,
    )


def _echoed(knowledge: Knowledge, advisory: Entity, told: str) -> list[str]:
    """Reported vulnerabilities whose own records say a sentence of `told`, too: it is theirs as much as the advisory's."""
    said = [" ".join(one.removeprefix("- ").rstrip(".!?").split()) for one in sentences(told) if len(one.split()) >= LEAST_ECHO]
    reported = knowledge.objects(advisory.id, "reports", "vulnerability")
    return [one.id for one in reported if any(sentence in _record(one) for sentence in said)]


def _record(vulnerability: Entity) -> str:
    """Text, solutions and workarounds of a vulnerability, white space folded."""
    more = [str(one) for key in ("solutions", "workarounds") for one in vulnerability.fields.get(key) or []]
    return " ".join(" ".join([vulnerability.text, *more]).split())


def _risk(advisory: Entity) -> str:
    """What the advisory itself says of the risk; its text holds those of the vulnerabilities, which are subjects of their own."""
    return without_identifiers(str(advisory.fields.get("summary") or ""))


def _title(advisory: Entity) -> str:
    return without_identifiers(str(advisory.fields.get("title") or advisory.name)).rstrip(" ,;-")


def _products(advisory: Entity) -> list[str]:
    return [str(one) for one in advisory.fields.get("products") or [] if str(one).strip()]


def _remedies(advisory: Entity) -> list[str]:
    """Steps as sentences; the advice that every advisory of the agency carries is none of this product's."""
    steps = [clip(str(one), 40) for one in advisory.fields.get("remediations") or []]
    return [sentence(one) for one in dict.fromkeys(steps) if one]


def _scope(advisory: Entity) -> list[str]:
    products, vendor = _products(advisory), str(advisory.fields.get("vendor") or "")
    sectors = [str(one) for one in advisory.fields.get("sectors") or []]
    more = len(products) - MOST_NAMED
    named = f"{', '.join(products[:MOST_NAMED])} and {more} more" if more > 0 else listing(products) if products else ""
    maker = f"; made by {vendor}" if vendor and vendor not in named else ""
    lines = [sentence(f"Affected: {named}{maker}")] if named else []
    return lines + ([f"Sectors: {listing(sectors)}."] if sectors else [])


def _severity(advisory: Entity) -> list[str]:
    count, score = len(advisory.fields.get("cves") or []), advisory.fields.get("cvss")
    if not isinstance(score, int | float):
        return []
    word = next((name for least, name in CRITICAL if score >= least), "none")
    return [f"Severity: {word} (CVSS {score:.1f}{f', the worst of {count} vulnerabilities' if count > 1 else ''})."]


def _causes(knowledge: Knowledge, advisory: Entity) -> list[str]:
    found = sorted(knowledge.objects(advisory.id, "shows", "weakness"), key=lambda one: cwe_number(one.id))
    return [f"Root cause: {listing([titled(one) for one in found[:MOST_NAMED]])}."] if found else []
