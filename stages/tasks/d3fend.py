"""Countermeasures of D3FEND: what they do and which techniques they work against."""

from collections.abc import Iterator

from stages.knowledge import Knowledge
from stages.prose import clip
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, hash_order, identify, rarest, short_text, times_linked, titled, verdicts

Drafts = Iterator[Draft | Skip]


def countermeasure_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Definition -> D3FEND id."""
    return identify(knowledge, params, knowledge.of_type("defensive-technique"), "Countermeasure")


def countermeasure_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a technique -> the countermeasure of four that works against it."""
    pool = list(knowledge.of_type("defensive-technique"))
    times = times_linked(knowledge, "^counters", pool, "technique")
    for technique in knowledge.techniques():
        linked = rarest(knowledge.subjects(technique.id, "counters", "defensive-technique"), times, technique.id)
        text = short_text(knowledge, technique, params)
        if not linked:
            continue
        if not text:
            yield Skip(technique.id, "no-text")
            continue
        because = f"{linked[0].name} is a countermeasure to {titled(technique)}"
        yield choice(knowledge, technique, {"text": text}, linked[0], linked[1:], pool, relation="^counters", because=because)


def countermeasure_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Countermeasure and technique -> does the one work against the other?"""
    pool = [one for one in knowledge.techniques() if knowledge.links_to(one.id, "counters")]
    for measure in knowledge.of_type("defensive-technique"):
        right = hash_order(knowledge.objects(measure.id, "counters", "technique"), measure.id)
        wrong = knowledge.distractors(measure.id, "counters", [one.id for one in right], pool, 1)
        meaning = clip(knowledge.text(measure.id), 60)
        if not right:
            continue
        if not wrong or not meaning:
            yield Skip(measure.id, "no-text" if wrong else "few-distractors")
            continue
        yield from verdicts(
            measure,
            {"name": measure.name, "technique": right[0].name},
            (right[0], f"{meaning} It is mapped to {titled(right[0])}"),
            {"name": measure.name, "technique": wrong[0].name},
            (wrong[0], f"{meaning} It is not mapped to {titled(wrong[0])}"),
        )
