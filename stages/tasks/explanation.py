"""Two explanations of one link: which of them speaks of it? Names are hidden, so that only the content tells."""

import re
from collections.abc import Iterator

import msgspec

from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge
from stages.prose import clip, mask, sentence, without_identifiers
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import titled

Drafts = Iterator[Draft | Skip]
ACTORS = ("campaign", "group", "malware", "mitigation", "tool")
VERBS = {"mitigation": ("mitigates", "limits")}  # type -> relation and how a question says it; all others use techniques
MOST_OF_ACTOR = 6  # pairs of one actor: a well-known group has hundreds
WORDS = 55
LEAST_CONTENT = 7  # words that are left when the names are hidden


class Pair(msgspec.Struct, frozen=True):
    """An actor's link with a technique, the text that explains it, and one of the same actor's other texts."""

    actor: Entity
    verb: str
    technique: Entity
    other: Entity
    right: str
    wrong: str


def explanation_pick(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """A link and two explanations -> the right one, repeated, with what the other explains instead (`uses`, `mitigates`)."""
    for pair in _pairs(knowledge, "pick"):
        turned = int(content_id("turn", pair.actor.id, pair.technique.id), 16) % 2
        first, second = (pair.wrong, pair.right) if turned else (pair.right, pair.wrong)
        which = "second" if turned else "first"
        yield Draft(
            subject=pair.actor.id,
            slots={"actor": pair.actor.name, "verb": pair.verb, "technique": titled(pair.technique), "first": first, "second": second},
            answer=f"{_meaning(knowledge, pair)}\nThe {which} explanation fits that: {pair.right}\n{_foreign(pair)}",
            entities=[pair.technique.id, pair.other.id],
            quoted=[pair.technique.id, pair.other.id],
        )  # fmt: skip


def explanation_classification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """A link and two explanations as options -> A or B; other pairs than those of the open task (`uses`, `mitigates`)."""
    for pair in _pairs(knowledge, "classification"):
        yield Draft(
            subject=pair.actor.id,
            slots={"actor": pair.actor.name, "verb": pair.verb, "technique": titled(pair.technique)},
            answer=f"{_meaning(knowledge, pair)}\n{_foreign(pair)}",
            options=[pair.right, pair.wrong],
            entities=[pair.technique.id, pair.other.id],
            quoted=[pair.technique.id, pair.other.id],
        )


def _meaning(knowledge: Knowledge, pair: Pair) -> str:
    return f"{titled(pair.technique)}: {clip(knowledge.text(pair.technique.id), 35)}".removesuffix(" ")


def _foreign(pair: Pair) -> str:
    return f"The other explanation is about {titled(pair.other)}."


def _pairs(knowledge: Knowledge, part: str) -> Iterator[Pair]:
    """Half of all pairs: each belongs to one of the two tasks."""
    techniques = {one.id for one in knowledge.techniques() if knowledge.split(one.id) != "heldout" and knowledge.text(one.id)}
    for actor in knowledge.of_type(*ACTORS):
        relation, verb = VERBS.get(actor.type, ("uses", "uses"))
        told = _told(knowledge, actor, relation, techniques)
        for place, (link, text) in enumerate(told):
            mine = "pick" if int(content_id("part", link.subject, link.object), 16) % 2 else "classification"
            family = knowledge.family(link.object)
            others = (one for one in [*told[place + 1 :], *told[:place]] if one[0].object not in family and one[1] != text)
            other = next(others, None)
            if mine == part and other:
                technique, foreign = knowledge.entities[link.object], knowledge.entities[other[0].object]
                yield Pair(actor, verb, technique, foreign, text, other[1])


def _told(knowledge: Knowledge, actor: Entity, relation: str, techniques: set[str]) -> list[tuple[Link, str]]:
    """Up to MOST_OF_ACTOR links with their texts, ids and the names of their techniques hidden; one for each technique."""
    links = {one.object: one for one in knowledge.links_from(actor.id, relation, "technique") if one.object in techniques}
    found: list[tuple[Link, str]] = []
    for link in sorted(links.values(), key=lambda one: content_id(one.subject, one.object, one.text)):
        names = knowledge.hidden_names(link.object)
        text = sentence(clip(mask(without_identifiers(link.text), names), WORDS))
        if len(re.findall(r"[A-Za-z]{3,}", text)) >= LEAST_CONTENT and len(found) < MOST_OF_ACTOR:
            found.append((link, text))
    return found
