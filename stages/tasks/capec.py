"""Attack patterns: what they are, what they rely on, which weaknesses they meet, how to stop them."""

from collections.abc import Iterator

from stages.knowledge import Knowledge
from stages.prose import clip, listing
from stages.tasks.cwe import cwe_number
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, describe, hash_order, number, short_text, titled

Drafts = Iterator[Draft | Skip]


def pattern_description(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Name -> description."""
    return describe(knowledge, params, knowledge.of_type("attack-pattern"), document=True)


def pattern_prerequisites(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Attack pattern -> what must hold before it can work."""
    return _section(knowledge, params, "prerequisites")


def pattern_mitigations(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Attack pattern -> how it is prevented."""
    return _section(knowledge, params, "mitigations")


def pattern_weaknesses(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of an attack pattern -> the weaknesses that it relies on."""
    for pattern in knowledge.of_type("attack-pattern"):
        weaknesses = knowledge.objects(pattern.id, "exploits", "weakness")
        text = short_text(knowledge, pattern, params, "this attack pattern")
        if not weaknesses:
            continue
        if not text:
            yield Skip(pattern.id, "no-text")
            continue
        weaknesses = sorted(weaknesses, key=lambda one: cwe_number(one.id))
        answer = f"{pattern.name} relies on {listing([titled(one) for one in weaknesses])}."
        keys = [number(one.id) for one in weaknesses]
        used = [one.id for one in weaknesses]
        yield Draft(subject=pattern.id, slots={"text": text}, answer=answer, key=keys, entities=used, documents=[pattern.id])


def weakness_pattern_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> the one of four attack patterns that relies on it."""
    pool = list(knowledge.of_type("attack-pattern"))
    for weakness in knowledge.of_type("weakness"):
        linked = hash_order(knowledge.subjects(weakness.id, "exploits", "attack-pattern"), weakness.id)
        text = clip(knowledge.text(weakness.id), params.max_text_words)
        if not linked:
            continue
        if not text:
            yield Skip(weakness.id, "no-text")
            continue
        slots = {"name": weakness.name, "text": text}
        because = f"{titled(linked[0])} is an attack pattern that relies on {titled(weakness)}"
        yield choice(knowledge, weakness, slots, linked[0], linked[1:], pool, relation="^exploits", because=because)


def pattern_technique(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of an attack pattern -> the ATT&CK technique that corresponds to it."""
    for pattern in knowledge.of_type("attack-pattern"):
        techniques = knowledge.objects(pattern.id, "corresponds-to", "technique")
        techniques += knowledge.subjects(pattern.id, "corresponds-to", "technique")
        text = clip(knowledge.text(pattern.id), params.max_text_words)
        if not techniques:
            continue
        if not text:
            yield Skip(pattern.id, "no-text")
            continue
        keys = sorted({number(one.id) for one in techniques})
        answer = f"{titled(pattern)} corresponds to {listing(sorted({titled(one) for one in techniques}))}."
        used = sorted({one.id for one in techniques})
        yield Draft(
            subject=pattern.id,
            slots={"name": pattern.name, "text": text},
            answer=answer,
            key=keys,
            entities=used,
            documents=[pattern.id],
        )


def _section(knowledge: Knowledge, params: TasksParams, field: str) -> Drafts:
    for pattern in knowledge.of_type("attack-pattern"):
        told = pattern.fields.get(field) or ""
        answer = clip(told if isinstance(told, str) else " ".join(map(str, told)), params.max_answer_words)
        if not answer:
            yield Skip(pattern.id, "no-field")
            continue
        slots = {"name": pattern.name, "id": number(pattern.id)}
        yield Draft(subject=pattern.id, slots=slots, answer=answer, documents=[pattern.id])
