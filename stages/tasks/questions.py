"""Shapes that several generators share: describe, identify, choose among options, confirm or deny."""

from collections.abc import Iterable, Iterator, Sequence

from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge
from stages.prose import clip, mask, sentence, without_identifiers
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams

WRONG_OPTIONS = 3
LEAST_WORDS = 6  # of a procedure: shorter ones hold only an actor and a verb


def number(entity_id: str) -> str:
    """The catalogue's own id: `T1059.001` of `attack:T1059.001`."""
    return entity_id.split(":", 1)[1]


def titled(entity: Entity) -> str:
    """Name with id: `Phishing (T1566)`."""
    return f"{entity.name} ({number(entity.id)})" if entity.name != number(entity.id) else entity.name


def hash_order(entities: Iterable[Entity], *salt: str) -> list[Entity]:
    """Entities in an order that depends on content only."""
    return sorted(entities, key=lambda entity: content_id(*salt, entity.id))


def short_text(knowledge: Knowledge, entity: Entity, params: TasksParams) -> str:
    """The entity's text as a question may show it: its own name, its parents' names and all ids hidden."""
    names = [entity.name, *(knowledge.entities[one].name for one in knowledge.family(entity.id))]
    return clip(mask(without_identifiers(knowledge.text(entity.id)), names), params.max_text_words)


def procedures(knowledge: Knowledge, technique: Entity, params: TasksParams) -> list[tuple[Link, str]]:
    """Up to `procedures_per_technique` reported uses of a technique with their texts, its names hidden."""
    names = [knowledge.entities[one].name for one in knowledge.family(technique.id)]
    links = knowledge.links_to(technique.id, "uses", "group", "malware", "tool", "campaign")
    open_links = [link for link in links if link.text and knowledge.split(link.subject) != "heldout"]
    found: list[tuple[Link, str]] = []
    for link in sorted(open_links, key=lambda link: content_id(link.subject, link.object, link.text)):
        text = clip(mask(without_identifiers(link.text), names), params.max_text_words)
        if len(text.split()) >= LEAST_WORDS and len(found) < params.procedures_per_technique:
            found.append((link, text))
    return found


def describe(
    knowledge: Knowledge, params: TasksParams, entities: Iterable[Entity], *, document: bool = False
) -> Iterator[Draft | Skip]:
    """Name -> what it is."""
    for entity in entities:
        text = clip(knowledge.text(entity.id), params.max_answer_words)
        if not text:
            yield Skip(entity.id, "no-text")
            continue
        slots = {"name": entity.name, "id": number(entity.id)}
        yield Draft(subject=entity.id, slots=slots, answer=text, documents=[entity.id] if document else [])


def identify(knowledge: Knowledge, params: TasksParams, entities: Iterable[Entity], noun: str) -> Iterator[Draft | Skip]:
    """Text with the name hidden -> name and id."""
    for entity in entities:
        text = short_text(knowledge, entity, params)
        if not text:
            yield Skip(entity.id, "no-text")
            continue
        yield Draft(subject=entity.id, slots={"text": text}, answer=f"{noun}: {entity.name}", key=[number(entity.id)])


def choice(
    knowledge: Knowledge,
    subject: Entity,
    slots: dict[str, str],
    right: Entity,
    others: Sequence[Entity],
    pool: Sequence[Entity],
    *,
    relation: str,
    because: str,
    near: Sequence[Entity] = (),
) -> Draft | Skip:
    """Four named options; `others` are further right answers, kept out. `near` are preferred wrong options."""
    rights = [right.id, *(entity.id for entity in others)]
    wrong = knowledge.distractors(subject.id, relation, rights, near, WRONG_OPTIONS) if near else []
    names = {entity.name.casefold() for entity in wrong}
    for entity in knowledge.distractors(subject.id, relation, rights, pool, 2 * WRONG_OPTIONS):
        if len(wrong) < WRONG_OPTIONS and entity.name.casefold() not in names:
            wrong.append(entity)
    if len(wrong) < WRONG_OPTIONS:
        return Skip(subject.id, "few-distractors")
    return Draft(
        subject=subject.id,
        slots=slots,
        answer=sentence(because),
        options=[right.name, *(entity.name for entity in wrong)],
        entities=[right.id, *(entity.id for entity in wrong)],
    )


def verdicts(
    subject: Entity, slots_yes: dict[str, str], yes: tuple[Entity, str], slots_no: dict[str, str], no: tuple[Entity, str]
) -> Iterator[Draft]:
    """The true and the false statement about one subject: balancing takes one of them."""
    for verdict, slots, (entity, answer) in ((True, slots_yes, yes), (False, slots_no, no)):
        yield Draft(subject=subject.id, slots=slots, answer=sentence(answer), verdict=verdict, entities=[entity.id])


def points(items: Iterable[str], max_words: int) -> str:
    """A dashed list of whole items within `max_words`; empty if not one fits."""
    lines: list[str] = []
    words = 0
    for item in dict.fromkeys(" ".join(item.split()) for item in items if item.strip()):
        words += len(item.split())
        if words > max_words:
            break
        lines.append(f"- {item}")
    return "\n".join(lines)
