"""Mitigations of ATT&CK as safeguards of their own, apart from the techniques that they meet (`defence`)."""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import listing, sentence
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import hash_order, number, titled
from stages.tasks.recognition import choose_name, confirm_name, describe_with, of_domain, shown_text

Drafts = Iterator[Draft | Skip]
MOST_TACTICS = 4
_TOOLS = re.compile(r"\*?\bTools for Implementation\b.*", re.DOTALL)


def mitigation_description(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Name -> what the safeguard does, and the goals of adversaries that it stands against most: mitigation to technique to tactic."""
    pool = _mitigations(knowledge)
    facts = {one.id: [line for line in [_goals(knowledge, one)] if line] for one in pool}
    return describe_with(knowledge, params, pool, facts)


def mitigation_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Described measure -> mitigation id: the policy behind concrete settings."""
    for one in _mitigations(knowledge):
        text = shown_text(knowledge, one, params)
        if not text:
            yield Skip(one.id, "no-text")
            continue
        yield Draft(subject=one.id, slots={"text": text}, answer=f"Mitigation: {one.name}", key=[number(one.id)])


def mitigation_name_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Described measure -> one of four mitigations whose texts are near: which control a measure carries out."""
    return choose_name(knowledge, params, _mitigations(knowledge), "mitigation")


def mitigation_text_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Described measure and a mitigation's name -> do they agree? Keeps overlapping controls apart."""
    return confirm_name(knowledge, params, _mitigations(knowledge), "mitigation")


def _mitigations(knowledge: Knowledge) -> list[Entity]:
    """Mitigations with the part of their texts that says what to do, without the list of products at its end."""
    found = of_domain(knowledge.of_type("mitigation"), "enterprise")
    return [replace(one, text=_TOOLS.sub("", one.text).strip()) for one in found]


def _goals(knowledge: Knowledge, mitigation: Entity) -> str:
    """The tactics that most of its techniques serve; of held-out techniques nothing is told."""
    met = [one for one in knowledge.objects(mitigation.id, "mitigates", "technique") if knowledge.split(one.id) != "heldout"]
    times: dict[str, int] = {}
    for technique in met:
        for tactic in knowledge.objects(technique.id, "achieves", "tactic"):
            times[tactic.id] = times.get(tactic.id, 0) + 1
    ranked = sorted(times, key=lambda one: (-times[one], one))[:MOST_TACTICS]
    if not ranked:
        return ""
    names = listing([knowledge.entities[one].name for one in ranked])
    example = listing([titled(one) for one in hash_order(met, mitigation.id)[:2]])
    return sentence(f"It is listed mostly against techniques of {names}, such as {example}")
