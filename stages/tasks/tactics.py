"""Tactics of ATT&CK: the goals, told from one another, and the techniques that serve them."""

from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import listing
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, describe, hash_order, identify, rarest, short_text, times_linked, titled
from stages.tasks.recognition import confirm_name, of_domain

Drafts = Iterator[Draft | Skip]
SHOWN = 3  # techniques that a group of like ones shows


def tactic_description(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Name -> the goal. Trains what an adversary wants, apart from how it is done (technique-description)."""
    return describe(knowledge, params, _tactics(knowledge))


def tactic_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Statement of a goal -> tactic id. Abstraction: from purpose to column of the matrix, with no behaviour to go by."""
    return identify(knowledge, params, _tactics(knowledge), "Tactic")


def tactic_text_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Statement of a goal and a tactic -> do they agree? Keeps neighbouring goals apart (discovery, reconnaissance)."""
    return confirm_name(knowledge, params, _tactics(knowledge), "tactic")


def tactic_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Described behaviour -> the goal of four that it serves. The step from act to intent, with the act not named."""
    pool = _tactics(knowledge)
    times = times_linked(knowledge, "achieves", pool, "technique")
    for technique in knowledge.techniques():
        goals = rarest(knowledge.objects(technique.id, "achieves", "tactic"), times, technique.id)
        text = short_text(knowledge, technique, params)
        if not goals or not text:
            yield Skip(technique.id, "no-text" if goals else "no-link")
        elif goals[0].name.casefold() in text.casefold():
            yield Skip(technique.id, "names-the-answer")
        else:
            because = f"The text describes {titled(technique)}, which serves {listing([one.name for one in goals])}"
            yield choice(knowledge, technique, {"text": text}, goals[0], goals[1:], pool, relation="achieves", because=because)


def tactic_completion(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Three techniques of one unnamed tactic -> which of four was left out? Induction: the common goal has to be found first."""
    pool = list(knowledge.techniques())
    for technique in pool:
        for tactic in hash_order(knowledge.objects(technique.id, "achieves", "tactic"), technique.id)[:1]:
            yield _left_out(knowledge, technique, tactic, pool)


def _left_out(knowledge: Knowledge, technique: Entity, tactic: Entity, pool: list[Entity]) -> Draft | Skip:
    """The question for the technique that the group lacks; all that share a goal with the whole group would fit as well."""
    members = of_domain(knowledge.subjects(tactic.id, "achieves", "technique"), "enterprise")
    kin = knowledge.family(technique.id)
    open_ones = [one for one in members if one.id not in kin and knowledge.split(one.id) != "heldout"]
    shown = hash_order(open_ones, technique.id)[:SHOWN]
    if len(shown) < SHOWN:
        return Skip(technique.id, "few-distractors")
    goals = [{goal.id for goal in knowledge.objects(one.id, "achieves", "tactic")} for one in [*shown, technique]]
    common = set.intersection(*goals[:-1])
    fitting = {one.id: one for goal in sorted(common) for one in knowledge.subjects(goal, "achieves", "technique")}
    others = [*shown, *(one for one in fitting.values() if one.id != technique.id)]
    because = f"{listing([one.name for one in shown])} serve {tactic.name}, and so does {titled(technique)}"
    slots = {"techniques": listing([one.name for one in shown])}
    return choice(knowledge, technique, slots, technique, others, pool, relation="achieves-with", because=because)


def _tactics(knowledge: Knowledge) -> list[Entity]:
    return of_domain(knowledge.of_type("tactic"), "enterprise")
