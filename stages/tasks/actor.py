"""Names of threat actors: vendors call one group by many names, and unlike groups by like ones."""

import re
from collections import defaultdict
from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import listing, sentence
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, titled

Drafts = Iterator[Draft | Skip]
MOST_ALIASES = 6
MOST_TARGETS = 8


def actor_alias_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Another name -> the ATT&CK group that it stands for (`same-as` and aliases). A name of two actors is not asked."""
    groups = [one for one in knowledge.of_type("group") if _enterprise(one)]
    names, owners = _names(knowledge)
    for group in groups:
        own = sorted(name for name in names[group.id] if len(owners[_folded(name)]) == 1 and not _alike(name, group.name))
        for alias in sorted(own, key=lambda one: content_id(group.id, one))[:MOST_ALIASES]:
            rest = [name for name in own if not _alike(name, alias)][:3]
            also = f"; it is also called {listing(rest)}" if rest else ""
            because = f"{alias} is another name of {titled(group)}{also}"
            yield choice(knowledge, group, {"alias": alias}, group, [], groups, relation="alias", because=because)


def actor_same(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Two names -> do they stand for one actor? The wrong pairs sound alike (`same-as` closed over names)."""
    names, owners = _names(knowledge)
    by_sound: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for actor in sorted(names):
        for name in sorted(names[actor]):
            if len(owners[_folded(name)]) == 1:
                by_sound[_sound(name)].append((actor, name))
    for actor in sorted(names):
        entity = knowledge.entities[actor]
        own = [name for name in sorted(names[actor]) if len(owners[_folded(name)]) == 1 and not _alike(name, entity.name)]
        if not own or len(owners[_folded(entity.name)]) > 1:
            yield Skip(actor, "ambiguous-key" if own else "no-field")
            continue
        alias = min(own, key=lambda one: content_id(actor, one))
        yield _pair(actor, entity.name, alias, True, f"{alias} is a name that vendors use for {entity.name}.")
        foreign = [
            one
            for one in by_sound[_sound(entity.name)] + by_sound[_sound(alias)]
            if one[0] != actor and not _alike(one[1], entity.name)
        ]
        foreign = foreign or [one for key in sorted(by_sound)[:20] for one in by_sound[key] if one[0] != actor]
        open_ones = [one for one in foreign if knowledge.split(one[0]) != "heldout"]
        if open_ones:
            other, name = min(open_ones, key=lambda one: content_id(actor, one[1]))
            home = knowledge.entities[other].name
            reason = f"{name} is an actor of its own" if _alike(name, home) else f"{name} is a name of {home}"
            yield _pair(actor, entity.name, name, False, f"{reason}; {entity.name} is not known by it.", other)


def actor_profile(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Actor -> where it is said to come from, who is behind it, what for, and whom it attacks (fields of the actor)."""
    for actor in knowledge.of_type("threat-actor"):
        targets, victims = _whole(_strings(actor, "targets")), _strings(actor, "victims")
        told = {
            "Attributed to": _strings(actor, "sponsor"),
            "Motive": _strings(actor, "motive"),
            "Targets": targets[:MOST_TARGETS],
            "Victims in": victims[:MOST_TARGETS],
            "Also called": _strings(actor, "synonyms")[:MOST_ALIASES],
        }
        lines = [f"- {name}: {sentence(listing(values))}" for name, values in told.items() if values]
        if len(lines) < 2 or not (targets or victims):
            yield Skip(actor.id, "no-field")
            continue
        yield Draft(subject=actor.id, slots={"name": actor.name}, answer="\n".join(lines))


def _names(knowledge: Knowledge) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Actor -> all its names, joined over `same-as`; folded name -> actors that carry it.

    An actor that is the same as an ATT&CK group is that group.
    """
    names: dict[str, set[str]] = {}
    for group in knowledge.of_type("group"):
        if _enterprise(group):
            names[group.id] = {group.name, *_strings(group, "aliases")}
    for actor in knowledge.of_type("threat-actor"):
        own = {actor.name, *_strings(actor, "synonyms")}
        same = [one.id for one in knowledge.objects(actor.id, "same-as", "group") if one.id in names]
        for home in same or [actor.id]:
            names[home] = names.get(home, set()) | own
    owners: dict[str, set[str]] = defaultdict(set)
    for actor, own in names.items():
        for name in own:
            owners[_folded(name)].add(actor)
    return names, owners


def _pair(actor: str, name: str, other: str, same: bool, answer: str, foreign: str = "") -> Draft:
    first, second = sorted((name, other), key=lambda one: content_id(actor, one))
    slots = {"first": first, "second": second}
    return Draft(subject=actor, slots=slots, answer=answer, verdict=same, quoted=[foreign] if foreign else [])


def _folded(name: str) -> str:
    """A name as vendors vary it: case, blanks and hyphens."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _alike(one: str, other: str) -> bool:
    """Whether one name gives the other away."""
    first, second = _folded(one), _folded(other)
    return first in second or second in first or bool(_words(one) & _words(other))


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name.casefold()))


def _sound(name: str) -> str:
    """What names of one vendor have in common: `panda` of Dizzy Panda, `apt` of APT29."""
    return next(reversed(re.findall(r"[a-z]+", name.casefold())), name.casefold())


def _whole(values: list[str]) -> list[str]:
    """Values without those that another one lists: `Government` beside `Government, Administration`."""
    parts = {part.strip().casefold() for value in values if "," in value for part in value.split(",")}
    return [value for value in values if value.casefold() not in parts]


def _enterprise(group: Entity) -> bool:
    return group.fields.get("domain", "enterprise") == "enterprise"


def _strings(entity: Entity, field: str) -> list[str]:
    value = entity.fields.get(field) or []
    return [str(one).strip() for one in (value if isinstance(value, list) else [value]) if str(one).strip()]
