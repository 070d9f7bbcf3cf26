"""Data components of ATT&CK: what a record says, and which one to collect on a platform or at a layer."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip
from stages.tables import content_id
from stages.tasks.catalogue import FOLDER, read_yaml
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, number, titled
from stages.tasks.recognition import choose_name, confirm_name, shown_text

Drafts = Iterator[Draft | Skip]
MOST_SOURCES = 6
LAYERS = {
    "host": "on the host itself",
    "network": "in the network",
    "cloud": "in the control plane of the cloud",
    "identity": "at the identity provider",
    "application": "in a hosted application",
    "container": "in the container platform",
    "hypervisor": "on the hypervisor",
    "internet": "on the open internet, outside the organisation",
}
_HOW_TO = re.compile(
    r"(?:\*?Data Collection Measures|This data component can be collected|Examples:).*", re.IGNORECASE | re.DOTALL
)


class Sighting(msgspec.Struct, frozen=True):
    """What one analytic of a technique reads: component, log source, and where it stands."""

    component: str
    source: str
    places: frozenset[str]  # platforms and layers
    analytic: str


def component_description(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Name -> what the record says, and log sources that carry it: from a kind of evidence to where it is written."""
    for component in _components(knowledge):
        text = clip(component.text, params.max_answer_words // 2)
        named = [_source(one) for one in component.fields.get("log_sources") or []]
        sources = sorted({one for one in named if one}, key=lambda one: content_id(component.id, one))[:MOST_SOURCES]
        if not text:
            yield Skip(component.id, "no-text")
            continue
        lines = [text, "Log sources that carry it:" if sources else "", *(f"- {one}" for one in sources)]
        slots = {"name": component.name, "id": number(component.id)}
        yield Draft(subject=component.id, slots=slots, answer="\n".join(line for line in lines if line))


def component_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Described record -> data component id: what kind of evidence an event is."""
    for component in _components(knowledge):
        text = shown_text(knowledge, component, params)
        if not text:
            yield Skip(component.id, "no-text")
            continue
        yield Draft(
            subject=component.id, slots={"text": text}, answer=f"Data component: {component.name}", key=[number(component.id)]
        )


def component_name_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Described record -> one of four components: a change, an access or a state of one and the same object."""
    return choose_name(knowledge, params, _components(knowledge), "data component")


def component_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Described record and a component's name -> do they agree?"""
    return confirm_name(knowledge, params, _components(knowledge), "data component")


def component_platform_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique and platform -> the component to collect there. Wrong ones show it elsewhere, where that record does not exist."""
    sightings = _sightings(knowledge, lambda analytic, _: analytic.get("platforms") or [])
    return _by_place(knowledge, sightings, {})


def component_layer_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique and collection layer -> the component seen there. Where to stand: host, network, cloud, identity."""
    return _by_place(knowledge, _sightings(knowledge, lambda _, source: layer_of(str(source.get("name") or ""))), LAYERS)


def layer_of(source: str) -> list[str]:
    """The collection layer of a log source by the beginning of its name; empty if the table does not know it."""
    name = source.casefold()
    fitting = [start for start in _layers() if name == start or name.startswith(f"{start}:")]
    return [_layers()[max(fitting, key=len)]] if fitting else []


def _by_place(knowledge: Knowledge, sightings: dict[str, list[Sighting]], places: Mapping[str, str]) -> Drafts:
    """A question for each technique and a place where something of it can be seen; alternatives differ in the place."""
    named = {one.name: one for one in knowledge.of_type("data-component")}
    seen_at: dict[str, set[str]] = defaultdict(set)
    times: Counter[str] = Counter()
    for sighting in (one for every in sightings.values() for one in every):
        seen_at[sighting.component] |= sighting.places
        times[sighting.component] += 1
    for technique in knowledge.techniques():
        own = [one for one in sightings.get(technique.id, []) if one.component in named]
        for place in sorted({place for one in own for place in one.places}):
            here = sorted(
                (one for one in own if place in one.places),
                key=lambda one: (times[one.component], content_id(technique.id, one.component, one.source)),
            )
            elsewhere = [named[one.component] for one in own if place not in seen_at[one.component]]
            if here[0].component.casefold() in technique.name.casefold():
                yield Skip(technique.id, "names-the-answer")
                continue
            yield _place_question(knowledge, technique, places.get(place, place), here, elsewhere, named)
        if not own:
            yield Skip(technique.id, "no-link")


def _place_question(
    knowledge: Knowledge,
    technique: Entity,
    place: str,
    here: list[Sighting],
    elsewhere: list[Entity],
    named: Mapping[str, Entity],
) -> Draft | Skip:
    """The seldom read component is asked for; others that show the technique are no options, unless they never occur here."""
    first = here[0]
    right, out = named[first.component], {one.id for one in elsewhere}
    also = [named[one.component] for one in here] + knowledge.subjects(technique.id, "detects", "data-component")
    others = [one for one in also if one.id != right.id and one.id not in out]
    source = f", from {first.source}" if first.source else ""
    where = place if place in LAYERS.values() else f"on {place}"
    because = f"To see {titled(technique)} {where}, analytic {first.analytic} reads {right.name}{source}"
    slots = {"name": technique.name, "id": number(technique.id), "place": place}
    pool = list(named.values())
    return choice(knowledge, technique, slots, right, others, pool, relation="^detects", because=because, near=elsewhere)


def _sightings(knowledge: Knowledge, places: Callable[[dict[str, Any], dict[str, Any]], list[str]]) -> dict[str, list[Sighting]]:
    """Technique -> what the analytics of its detection strategies read, and where."""
    found: dict[str, list[Sighting]] = defaultdict(list)
    for strategy in knowledge.of_type("detection-strategy"):
        techniques = knowledge.objects(strategy.id, "detects", "technique")
        for analytic in strategy.fields.get("analytics") or []:
            for source in analytic.get("log_sources") or []:
                where = frozenset(places(analytic, source)) - {"PRE"}
                one = Sighting(str(source.get("component") or ""), _source(source), where, str(analytic.get("id") or ""))
                for technique in techniques if where else []:
                    found[technique.id].append(one)
    return found


def _source(source: dict[str, Any]) -> str:
    """`WinEventLog:Security (EventCode=4698)`; the name alone without a channel."""
    name, channel = str(source.get("name") or ""), str(source.get("channel") or "")
    return f"{name} ({channel})" if name and channel not in ("", "None") else name


def _components(knowledge: Knowledge) -> list[Entity]:
    """Data components with the part of their texts that says what they are, not how to collect them."""
    return [msgspec.structs.replace(one, text=_HOW_TO.sub("", one.text).strip()) for one in knowledge.of_type("data-component")]


@cache
def _layers() -> dict[str, str]:
    return read_yaml(FOLDER / "collection_layers.yaml")
