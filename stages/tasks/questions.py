"""Shapes that several generators share: describe, identify, choose among options, confirm or deny."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge
from stages.options import Ask
from stages.prose import clip, mask, sentence, without_identifiers
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams

LEAST_WORDS = 6  # of a procedure: shorter ones hold only an actor and a verb
LEAST_MASKED = 7  # words of a procedure beside its hidden names: `X has the ability to [...]` says nothing
LEAST_CONTENT_WORDS = 8  # of a text with hidden names: shorter ones fit several entries
RESERVE = 12  # named wrong options for questions whose group is too small


def number(entity_id: str) -> str:
    """The catalogue's own id: `T1059.001` of `attack:T1059.001`."""
    return entity_id.split(":", 1)[1]


def titled(entity: Entity) -> str:
    """Name with id: `Phishing (T1566)`."""
    return f"{entity.name} ({number(entity.id)})" if entity.name != number(entity.id) else entity.name


def is_open(knowledge: Knowledge, *entity_ids: str) -> bool:
    """Whether none of these is held out: only such texts, and what a source says of a pair of such, may be shown."""
    return all(knowledge.split(one) != "heldout" for one in entity_ids)


def gives_away(text: str, *names: str) -> bool:
    """Whether a text says one of these names, or two thirds of the longer words of one in any form: nothing is left to find."""
    folded = text.casefold()
    said = _stems(folded)
    shares = [(len(own & said), len(own)) for own in map(_stems, names)]
    return any(name.casefold() in folded for name in names) or any(got >= 2 and 3 * got >= 2 * full for got, full in shares)


def _stems(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"[a-z]{4,}", text.casefold())}


def hash_order(entities: Iterable[Entity], *salt: str) -> list[Entity]:
    """Entities in an order that depends on content only."""
    return sorted(entities, key=lambda entity: content_id(*salt, entity.id))


def short_text(knowledge: Knowledge, entity: Entity, params: TasksParams) -> str:
    """The entity's text as a question may show it, its names, its parents' names and ids hidden; empty if little is left."""
    names = knowledge.hidden_names(entity.id)
    text = clip(mask(without_identifiers(knowledge.text(entity.id)), names), params.max_text_words)
    return text if len(re.findall(r"[A-Za-z]{3,}", text)) >= LEAST_CONTENT_WORDS else ""


def procedures(knowledge: Knowledge, technique: Entity, params: TasksParams) -> list[tuple[Link, str]]:
    """Up to `procedures_per_technique` reported uses of a technique with their texts, its names hidden."""
    names = knowledge.hidden_names(technique.id)
    links = knowledge.links_to(technique.id, "uses", "group", "malware", "tool", "campaign")
    open_links = [link for link in links if link.text and is_open(knowledge, link.subject)]
    found: list[tuple[Link, str]] = []
    for link in sorted(open_links, key=lambda link: content_id(link.subject, link.object, link.text)):
        text = clip(mask(without_identifiers(link.text), names), params.max_text_words)
        if says_enough(text) and len(found) < params.procedures_per_technique:
            found.append((link, text))
    return found


def says_enough(text: str) -> bool:
    """Whether a procedure says what was done: where names are hidden, more of the rest is needed."""
    least = LEAST_MASKED if "[...]" in text else 0
    return len(text.split()) >= LEAST_WORDS and len(re.findall(r"[A-Za-z]{3,}", text)) >= least


def rarest(entities: Iterable[Entity], times: Counter[str], *salt: str) -> list[Entity]:
    """Right answers, the seldom linked first: what is linked nearly everywhere tells little about any one subject."""
    return sorted(entities, key=lambda one: (times[one.id], content_id(*salt, one.id)))


def times_linked(knowledge: Knowledge, relation: str, answers: Iterable[Entity], subject: str) -> Counter[str]:
    """Number of subjects of this type that each answer is linked with; `^` asks for the links' subjects as answers."""
    name = relation.removeprefix("^")
    look = knowledge.objects if relation.startswith("^") else knowledge.subjects
    return Counter({one.id: len(look(one.id, name, subject)) for one in answers})


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
    group: str = "",
) -> Draft | Skip:
    """A question for one of four names; `others` may be right too and are kept out. `near` are preferred wrong options.

    The wrong ones are found when all questions of the task are known (`stages.options`).
    """
    rights = [right.id, *(entity.id for entity in others)]
    hard = [
        *(knowledge.distractors(subject.id, relation, rights, near, RESERVE) if near else []),
        *knowledge.distractors(subject.id, relation, rights, pool, RESERVE),
    ]
    ids = {entity.name: entity.id for entity in reversed(hard)} | {right.name: right.id}
    if len(ids) < 4:
        return Skip(subject.id, "few-distractors")
    barred = {subject.id}.union(*(knowledge.family(one) for one in rights))
    ask = Ask(
        key=subject.id,
        right=right.name,
        barred=frozenset(knowledge.entities[one].name.casefold() for one in barred),
        hard=list(dict.fromkeys(entity.name for entity in hard)),
        reserve=[name for name in ids if name != right.name],
        group=group,
    )
    return Draft(
        subject=subject.id,
        slots=slots,
        answer=sentence(because),
        options=[right.name],
        ask=ask,
        ids=ids,
        entities=[right.id],
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
