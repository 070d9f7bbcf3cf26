"""One link between two nodes: say what it is, tell whether it is there, pick the node at its other end."""

from collections.abc import Iterator
from functools import cache

from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge
from stages.prose import clip, sentence, without_identifiers
from stages.tables import content_id
from stages.tasks.catalogue import FOLDER, read_yaml
from stages.tasks.chain import label, say
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, hash_order, rarest, times_linked, verdicts

Drafts = Iterator[Draft | Skip]
MOST_SUBJECTS = 1500  # of one kind of link: most links of the graph are of vulnerabilities
MOST_OF_SUBJECT = 2  # links of one kind and subject: hubs would fill the task
GIST_WORDS = 40

Kind = tuple[str, str, str]  # subject type, relation, object type


def direct_link(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Two nodes, in either order -> the link between them in its own direction, and what it means (any relation)."""
    for kind in _kinds("told"):
        for subject in hash_order(_pool(knowledge, kind[0]), *kind)[:MOST_SUBJECTS]:
            links = sorted(_links(knowledge, subject, kind), key=lambda one: content_id(one.subject, one.object, one.text))
            for link in links[:MOST_OF_SUBJECT]:
                yield _told(knowledge, link)


def direct_link_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Two nodes -> is there a link between them? The wrong one reads like a right one and has no link in any direction."""
    for kind in _kinds("confirmed"):
        pool = _pool(knowledge, kind[2])
        for subject in _pool(knowledge, kind[0]):
            linked = _linked(knowledge, subject, kind)
            right = hash_order(_objects(knowledge, subject, kind, pool), subject.id)
            wrong = knowledge.distractors(subject.id, kind[1], [one.id for one in linked], pool, 1, "verdict")
            if not right or not wrong:
                yield Skip(subject.id, "few-distractors" if right else "no-link")
                continue
            there = say(kind[1], subject, right[0], "links.yaml")
            slots = [{"one": label(subject), "other": label(one)} for one in (right[0], wrong[0])]
            none = f"No link of its own joins {label(subject)} with {label(wrong[0])}. {there}"
            yield from verdicts(subject, slots[0], (right[0], there), slots[1], (wrong[0], none))


def direct_link_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """A node and the sort of link -> the one of four nodes at its other end; links without a choice task of their own."""
    for spec, asked in sorted(_table()["chosen"].items()):
        kind = _kind(spec)
        pool = _pool(knowledge, kind[2])
        times = times_linked(knowledge, kind[1], pool, kind[0])
        for subject in _pool(knowledge, kind[0]):
            linked = rarest(_objects(knowledge, subject, kind, pool), times, subject.id)
            if not linked:
                continue
            if linked[0].name.casefold() in subject.name.casefold():
                yield Skip(subject.id, "names-the-answer")
                continue
            others = [one for one in _linked(knowledge, subject, kind) if one.id != linked[0].id]
            because = say(kind[1], subject, linked[0], "links.yaml")
            slots = {"start": label(subject), "asked": asked}
            yield choice(knowledge, subject, slots, linked[0], others, pool, relation=kind[1], because=because, group=spec)


def _told(knowledge: Knowledge, link: Link) -> Draft | Skip:
    """The link as a sentence, then the source's own words on this pair, or what both nodes are."""
    subject, object = knowledge.entities[link.subject], knowledge.entities[link.object]
    quoted = [one for one in (subject, object) if knowledge.split(one.id) != "heldout"]
    own = clip(without_identifiers(link.text), GIST_WORDS) if len(quoted) == 2 else ""
    gists = [f"{one.name}: {text}" for one in quoted if (text := clip(knowledge.text(one.id), GIST_WORDS))]
    if not own and not gists:
        return Skip(subject.id, "no-text")
    first, second = (object, subject) if int(content_id(subject.id, object.id), 16) % 2 else (subject, object)
    return Draft(
        subject=subject.id,
        slots={"one": label(first), "other": label(second)},
        answer="\n".join([say(link.relation, subject, object, "links.yaml"), *([sentence(own)] if own else gists)]),
        entities=[object.id],
    )


def _pool(knowledge: Knowledge, type: str) -> list[Entity]:
    return list(knowledge.techniques() if type == "technique" else knowledge.of_type(type))


def _links(knowledge: Knowledge, subject: Entity, kind: Kind) -> list[Link]:
    """One link for each object that is more than an id, one with a text if there is any."""
    known = {one.id for one in knowledge.objects(subject.id, kind[1], kind[2])}
    found = {link.object: link for link in knowledge.links_from(subject.id, kind[1], kind[2]) if link.object in known}
    return list(found.values())


def _objects(knowledge: Knowledge, subject: Entity, kind: Kind, pool: list[Entity]) -> list[Entity]:
    """Linked members of `pool`: a mobile technique among enterprise ones would give itself away."""
    known = {one.id for one in pool}
    return [one for one in knowledge.objects(subject.id, kind[1], kind[2]) if one.id in known]


def _linked(knowledge: Knowledge, subject: Entity, kind: Kind) -> list[Entity]:
    """Everything of the object's type that any known relation joins with the subject, in either direction."""
    relations = sorted({one[1] for place in ("told", "confirmed") for one in _kinds(place)} | {kind[1], "related-to"})
    found = [one for relation in relations for one in knowledge.objects(subject.id, relation, kind[2])]
    found += [one for relation in relations for one in knowledge.subjects(subject.id, relation, kind[2])]
    return list({one.id: one for one in found}.values())


def _kinds(place: str) -> list[Kind]:
    return [_kind(spec) for spec in _table()[place]]


def _kind(spec: str) -> Kind:
    subject, relation, object = spec.split()
    return subject, relation, object


@cache
def _table() -> dict[str, dict[str, str]]:
    return read_yaml(FOLDER / "links.yaml")
