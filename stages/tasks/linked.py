"""Questions about one link: the text of an entry, and what a source links it with."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge
from stages.prose import clip, mask, without_identifiers
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import LEAST_CONTENT_WORDS, choice, gives_away, number, rarest, times_linked

Drafts = Iterator[Draft | Skip]
Because = Callable[[Entity, Entity], str]  # subject and right answer -> the reason


def told(
    knowledge: Knowledge, text: str, answers: Iterable[Entity], params: TasksParams, least: int = LEAST_CONTENT_WORDS
) -> str:
    """`text` without ids and without the names of the answers and their relatives; empty if little is left."""
    names = knowledge.hidden_names(*(one.id for one in answers))
    shown = clip(mask(without_identifiers(text), names), params.max_text_words)
    return shown if len(re.findall(r"[A-Za-z]{3,}", shown)) >= least else ""


def linked(knowledge: Knowledge, subject: Entity, relation: str, *types: str) -> list[Entity]:
    """What `subject` is linked with; `^relation` asks for the links' subjects."""
    name = relation.removeprefix("^")
    return (knowledge.subjects if relation.startswith("^") else knowledge.objects)(subject.id, name, *types)


def linked_choice(
    knowledge: Knowledge,
    params: TasksParams,
    subjects: Sequence[Entity],
    relation: str,
    kind: str,
    because: Because,
    *,
    group: Callable[[Entity], str] = lambda _: "",
) -> Drafts:
    """Text of each subject -> the one of four that it is linked with, of several the rarest."""
    pool = [one for one in knowledge.of_type(kind) if linked(knowledge, one, _turned(relation))]
    times = times_linked(knowledge, relation, pool, subjects[0].type) if subjects else None
    for subject in subjects:
        rights = linked(knowledge, subject, relation, kind)
        if not rights or times is None:
            continue
        right, *others = rarest(rights, times, subject.id)
        text = told(knowledge, knowledge.text(subject.id), rights, params)
        if not text:
            yield Skip(subject.id, "no-text")
            continue
        if gives_away(text, right.name):
            yield Skip(subject.id, "names-the-answer")
            continue
        slots = {"name": subject.name, "text": text}
        reason = because(subject, right)
        near = [one for one in pool if group(one) == group(right)]
        yield choice(knowledge, subject, slots, right, others, near, relation=relation, because=reason, group=group(right))


def linked_keys(
    knowledge: Knowledge,
    params: TasksParams,
    subjects: Iterable[Entity],
    relation: str,
    kind: str,
    says: str,
    least: int = LEAST_CONTENT_WORDS,
) -> Drafts:
    """Text of each subject -> the ids of what it is linked with; `says` opens the answer."""
    for subject in subjects:
        rights = linked(knowledge, subject, relation, kind)
        if not rights:
            continue
        text = told(knowledge, knowledge.text(subject.id), rights, params, least)
        if not text:
            yield Skip(subject.id, "no-text")
            continue
        names = knowledge.hidden_names(*(one.id for one in rights))
        slots = {"name": mask(without_identifiers(subject.name), names), "text": text}
        answer = f"{says}: {'; '.join(one.name for one in rights)}."
        yield Draft(
            subject=subject.id,
            slots=slots,
            answer=answer,
            key=[number(one.id) for one in rights],
            entities=[one.id for one in rights],
        )


def verb(link: Link, default: str) -> str:
    """The verb that a link's source says it with: `may access` of `may-access`."""
    return link.text.replace("-", " ").strip() or default


def _turned(relation: str) -> str:
    return relation[1:] if relation.startswith("^") else f"^{relation}"
