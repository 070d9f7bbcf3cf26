"""What the record of a vulnerability says: description, CVSS v3.1 base metrics, severity."""

from collections.abc import Iterator
from functools import cache

from stages.answers import base_vector
from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, is_cut, listing, sentence, sentences
from stages.tasks.catalogue import FOLDER, read_yaml
from stages.tasks.cve import plain, vulnerability_text
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import number, titled

Drafts = Iterator[Draft | Skip]
SEVERITIES = ("Low", "Medium", "High", "Critical")  # CVSS v3.1 specification, section 5; `None` has no attack to reason about
_RATINGS = ("cvss", "base score", "severity", "/ac:", "classified as", "declared as", "rated as")
LEAST_DESCRIPTION = 12  # words: shorter ones say too little to rate eight metrics


def vulnerability_description(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Number, product and title of a vulnerability -> its description, with severity and root cause where known."""
    for vulnerability in knowledge.of_type("vulnerability"):
        text = _unrated(clip(plain(knowledge.text(vulnerability.id)), params.max_answer_words - 30))
        product, title = affected(vulnerability), str(vulnerability.fields.get("title") or "").strip()
        if is_cut(title) or text.startswith(title[:40]):  # such a title is the beginning of the answer
            title = ""
        if not text or not (product or title):
            yield Skip(vulnerability.id, "no-field" if text else "no-text")
            continue
        causes = knowledge.objects(vulnerability.id, "instance-of", "weakness")[:2]
        rated = _severity(vulnerability)
        facts = [
            f"Root cause: {listing([titled(one) for one in causes])}." if causes else "",
            f"Severity: {rated}." if rated else "",
        ]
        answer = "\n".join([sentence(text), *(one for one in facts if one)])
        slots = {"id": number(vulnerability.id), "about": title or product}
        yield Draft(subject=vulnerability.id, slots=slots, answer=answer, entities=[one.id for one in causes])


def cvss_vector(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Text of a vulnerability -> its base vector, one metric at a time with what each value says (field `cvss_vector`)."""
    for vulnerability in knowledge.of_type("vulnerability"):
        vector = base_vector(str(vulnerability.fields.get("cvss_vector") or ""))
        text = _report(knowledge, vulnerability, params) if vector else ""
        if not vector or not text:
            yield Skip(vulnerability.id, "no-text" if vector else "no-field")
            continue
        values = dict(part.split(":") for part in vector.split("/")[1:])
        lines = [f"- {_metrics()[name]['name']}: {_metrics()[name][value]} ({name}:{value})" for name, value in values.items()]
        yield Draft(subject=vulnerability.id, slots={"text": text}, answer="\n".join(lines), key=[vector])


def cve_severity(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Text of a vulnerability -> one of four severity ratings, with the metrics that drive it (field `cvss_severity`)."""
    for vulnerability in knowledge.of_type("vulnerability"):
        vector = base_vector(str(vulnerability.fields.get("cvss_vector") or ""))  # without it a rating has no reason
        rated = _severity(vulnerability) if vector else ""
        text = _report(knowledge, vulnerability, params) if rated else ""
        if not rated or not text:
            yield Skip(vulnerability.id, "no-text" if rated else "no-field")
            continue
        yield Draft(
            subject=vulnerability.id,
            slots={"text": text},
            answer=_reason(vulnerability, vector, rated),
            options=[f"{one}." for one in SEVERITIES],
            letter="ABCD"[SEVERITIES.index(rated)],
        )


def affected(vulnerability: Entity) -> str:
    """`vendor product`, or the package that an incident names."""
    named = [str(vulnerability.fields.get(key) or "").strip() for key in ("vendor", "product")]
    told = " ".join(dict.fromkeys(one for one in named if one and one.lower() not in ("n/a", "unknown", "unspecified")))
    package = vulnerability.fields.get("affected") or ""
    return told or (package if isinstance(package, str) else ", ".join(map(str, package[:2])))


def _report(knowledge: Knowledge, vulnerability: Entity, params: TasksParams) -> str:
    """The text as a question shows it, without ids and without the sentences that rate it; empty if little is left."""
    text = _unrated(vulnerability_text(knowledge, vulnerability, params.max_text_words))
    return text if len(text.split()) >= LEAST_DESCRIPTION else ""


def _unrated(text: str) -> str:
    """The text without sentences that tell a score, a vector or a rating: they are what is asked."""
    return " ".join(one for one in sentences(text) if not _is_rating(one)) if _is_rating(text) else text


def _is_rating(text: str) -> bool:
    text = text.lower()
    return any(word in text for word in _RATINGS)


def _severity(vulnerability: Entity) -> str:
    """The rating as the specification names it, or nothing."""
    rated = str(vulnerability.fields.get("cvss_severity") or vulnerability.fields.get("severity") or "").capitalize()
    return rated if rated in SEVERITIES else ""


def _reason(vulnerability: Entity, vector: str, rated: str) -> str:
    """The metrics that drive the rating, then the rating with its score."""
    values = dict(part.split(":") for part in vector.split("/")[1:])
    drivers = "; ".join(_metrics()[name][values[name]] for name in ("AV", "AC", "PR", "UI"))
    lost = {rank: [_metrics()[name]["name"].lower() for name in ("C", "I", "A") if values[name] == rank] for rank in "HL"}
    losses = [f"{word} impact on {listing(lost[rank])}" for rank, word in (("H", "high"), ("L", "low")) if lost[rank]]
    score = vulnerability.fields.get("cvss_score")
    harm = sentence(" and ".join(losses) or "no impact on confidentiality, integrity or availability")
    return (
        f"{sentence(drivers)} {harm} Hence the severity is {rated.lower()}{f', with a base score of {score}' if score else ''}."
    )


@cache
def _metrics() -> dict[str, dict[str, str]]:
    """Metric -> name and meaning of each value."""
    return read_yaml(FOLDER / "cvss.yaml")
