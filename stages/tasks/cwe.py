"""Weaknesses: definition, place in the tree, consequences, mitigation, detection."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.options import WRONG_OPTIONS
from stages.prose import clip, listing, sentence
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, describe, gives_away, hash_order, identify, number, points, titled

Drafts = Iterator[Draft | Skip]
SAYS_NOTHING = {"Varies by Context", "Unexpected State", "Other", "Quality Degradation"}  # impacts that stand for no knowledge
_VAGUE = re.compile(
    r"\bvar(?:y|ies)\b|\bdepend\w* on\b|\b(?:unintended|unexpected|undefined) behaviou?r|additional weaknesses", re.I
)


def weakness_description(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Name -> definition."""
    return describe(knowledge, params, knowledge.of_type("weakness"), document=True)


def weakness_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Definition -> CWE id."""
    return identify(knowledge, params, knowledge.of_type("weakness"), "Weakness")


def weakness_parent(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> the broader weaknesses of which it is a kind."""
    for weakness in knowledge.of_type("weakness"):
        parents = knowledge.objects(weakness.id, "child-of", "weakness")
        text = clip(knowledge.text(weakness.id), params.max_text_words)
        if not parents or not text:
            yield Skip(weakness.id, "no-text" if parents else "no-link")
            continue
        answer = f"{titled(weakness)} is a kind of {listing([titled(parent) for parent in parents])}."
        slots = {"name": weakness.name, "id": number(weakness.id), "text": text}
        keys = sorted((number(parent.id) for parent in parents), key=cwe_number)
        yield Draft(
            subject=weakness.id,
            slots=slots,
            answer=answer,
            key=keys,
            entities=[one.id for one in parents],
            documents=[weakness.id],
        )


def weakness_consequences(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> what an attacker gains from it."""
    return _section(knowledge, params, consequence_lines)


def weakness_mitigations(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> how developers and operators prevent it."""
    return _section(knowledge, params, mitigation_lines)


def weakness_detection(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> the methods that find it."""
    return _section(knowledge, params, detection_lines)


def consequence_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """A consequence in the source's own words -> the one of four weaknesses that has it."""
    pool = list(knowledge.of_type("weakness"))
    told = {weakness.id: set(_notes(weakness)) for weakness in pool}
    times = Counter(note for notes in told.values() for note in notes)
    for weakness in pool:
        notes = [note for note in _notes(weakness) if times[note] == 1]
        note = max(notes, key=len, default="")
        if len(note.split()) < 12 or _VAGUE.search(note) or gives_away(note, *knowledge.names_of(weakness.id)):
            yield Skip(weakness.id, "no-text" if len(note.split()) < 12 or _VAGUE.search(note) else "names-the-answer")
            continue
        siblings = _siblings(knowledge, weakness)
        kin = [one for one in siblings if one.fields.get("consequences") != weakness.fields.get("consequences")]
        because = f"This consequence is documented for {titled(weakness)}"
        others = [one for one in siblings if one not in kin[:1]]
        yield choice(
            knowledge, weakness, {"text": note}, weakness, others, [one for one in pool if one not in siblings],
            relation="consequence", because=because, near=kin[:1],
        )  # fmt: skip


def weakness_odd_one_out(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Three kinds of one weakness and a stranger -> the stranger."""
    pool = list(knowledge.of_type("weakness"))
    for parent in pool:
        kinds = knowledge.subjects(parent.id, "child-of", "weakness")
        members = hash_order(kinds, parent.id)[:WRONG_OPTIONS]
        if len(members) < WRONG_OPTIONS:
            continue
        right = [parent.id, *(one.id for one in kinds)]
        strangers = knowledge.distractors(parent.id, "^child-of", right, pool, 1)
        if not strangers:
            yield Skip(parent.id, "few-distractors")
            continue
        answer = f"{listing([one.name for one in members])} are kinds of {titled(parent)}; {strangers[0].name} is not."
        options = [strangers[0].name, *(one.name for one in members)]
        entities = [strangers[0].id, *(one.id for one in members)]
        yield Draft(subject=parent.id, slots={}, answer=answer, options=options, entities=entities, documents=[parent.id])


def cwe_number(key: str) -> int:
    """79 of `CWE-79`: several keys stand in numerical order."""
    return int(key.rpartition("-")[2])


def consequence_lines(fields: dict[str, Any]) -> Iterator[str]:
    """`Integrity, Availability: Modify Memory. <note>`"""
    for one in fields.get("consequences") or []:
        if not one.get("note") and set(one.get("impacts") or []) <= SAYS_NOTHING:
            continue
        head = f"{', '.join(one.get('scopes') or [])}: {', '.join(one.get('impacts') or [])}".strip(": ")
        yield sentence(head) + f" {clip(str(one.get('note') or ''), 45)}".rstrip()


def mitigation_lines(fields: dict[str, Any]) -> Iterator[str]:
    """`Architecture and Design: <what to do>`"""
    for one in fields.get("mitigations") or []:
        text = clip(_whole(str(one.get("description") or "")), 60)
        if text:
            yield f"{', '.join(one.get('phases') or [])}: {text}".removeprefix(": ")


def detection_lines(fields: dict[str, Any]) -> Iterator[str]:
    """`Automated Static Analysis: <how>`"""
    for one in fields.get("detection_methods") or []:
        text = clip(_whole(str(one.get("description") or "")), 60)
        if text:
            yield f"{one.get('method') or ''}: {text}".removeprefix(": ")


def _whole(text: str) -> str:
    """A text without the brackets that held a reference."""
    return re.sub(r"\s+\(\s*\)", "", text)


def _section(knowledge: Knowledge, params: TasksParams, lines: Callable[[dict[str, Any]], Iterator[str]]) -> Drafts:
    """One section of each weakness entry as the answer."""
    for weakness in knowledge.of_type("weakness"):
        answer = points(lines(weakness.fields), params.max_answer_words)
        if not answer:
            yield Skip(weakness.id, "no-field")
            continue
        slots = {"name": weakness.name, "id": number(weakness.id)}
        yield Draft(subject=weakness.id, slots=slots, answer=answer, documents=[weakness.id])


def _notes(weakness: Entity) -> list[str]:
    """What the entry says about each consequence, in whole sentences."""
    return [clip(str(one.get("note") or ""), 70) for one in weakness.fields.get("consequences") or []]


def _siblings(knowledge: Knowledge, weakness: Entity) -> list[Entity]:
    parents = knowledge.objects(weakness.id, "child-of", "weakness")
    return [one for parent in parents for one in knowledge.subjects(parent.id, "child-of") if one.id != weakness.id]
