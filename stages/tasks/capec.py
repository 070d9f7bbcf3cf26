"""Attack patterns: what they are, what they rely on, which weaknesses they meet, how to stop them."""

from collections.abc import Iterator

from msgspec import structs

from stages.knowledge import Knowledge
from stages.prose import clip, listing
from stages.tasks.cwe import cwe_number
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, describe, number, rarest, short_text, times_linked, titled

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
        text = short_text(knowledge, pattern, params)
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
    times = times_linked(knowledge, "^exploits", pool, "weakness")
    for weakness in knowledge.of_type("weakness"):
        linked = rarest(knowledge.subjects(weakness.id, "exploits", "attack-pattern"), times, weakness.id)
        text = clip(knowledge.text(weakness.id), params.max_text_words)
        if not linked:
            continue
        if not text:
            yield Skip(weakness.id, "no-text")
            continue
        slots = {"name": weakness.name, "text": text}
        because = f"{titled(linked[0])} is an attack pattern that relies on {titled(weakness)}"
        made = choice(knowledge, weakness, slots, linked[0], linked[1:], pool, relation="^exploits", because=because)
        yield structs.replace(made, documents=[weakness.id]) if isinstance(made, Draft) else made


def technique_pattern(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a technique -> the CAPEC entry that describes the same behaviour."""
    for technique in knowledge.techniques():
        patterns = knowledge.objects(technique.id, "corresponds-to", "attack-pattern")
        text = clip(knowledge.text(technique.id), params.max_text_words)
        if not patterns:
            continue
        if not text:
            yield Skip(technique.id, "no-text")
            continue
        answer = f"{titled(technique)} corresponds to {listing([titled(one) for one in patterns])}."
        used, keys = [one.id for one in patterns], [number(one.id) for one in patterns]
        slots = {"name": technique.name, "id": number(technique.id), "text": text}
        yield Draft(subject=technique.id, slots=slots, answer=answer, key=keys, entities=used, documents=used)


def _section(knowledge: Knowledge, params: TasksParams, field: str) -> Drafts:
    for pattern in knowledge.of_type("attack-pattern"):
        told = pattern.fields.get(field) or ""
        answer = clip(told if isinstance(told, str) else " ".join(map(str, told)), params.max_answer_words)
        if not answer:
            yield Skip(pattern.id, "no-field")
            continue
        slots = {"name": pattern.name, "id": number(pattern.id)}
        yield Draft(subject=pattern.id, slots=slots, answer=answer, documents=[pattern.id])
