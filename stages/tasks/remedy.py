"""Two-step chains from an attack to its remedy, every step with the source's own reason."""

import re
from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, sentence
from stages.tables import content_id
from stages.tasks.cwe import cwe_number, mitigation_lines
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import is_open, number, procedures, short_text, titled

BROAD = ("Pillar", "Class")  # their mitigations hold for everything, hence for nothing in particular
_WORD = re.compile(r"[a-z]{5,}")

Drafts = Iterator[Draft | Skip]


def procedure_mitigation_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """What an actor did -> technique -> what limits it, with the reason that the catalogue gives for the pair (`uses`, `mitigates`)."""
    for technique in knowledge.techniques():
        links = [one for one in knowledge.links_to(technique.id, "mitigates", "mitigation") if is_open(knowledge, one.subject)]
        reasons = {one.subject: clip(one.text, 40) for one in links}
        measures = knowledge.subjects(technique.id, "mitigates", "mitigation")
        told = procedures(knowledge, technique, params)
        if not told or not reasons or not all(reasons.values()):
            yield Skip(technique.id, "no-text" if measures else "no-link")
            continue
        for link, text in told:
            actor = knowledge.entities[link.subject]
            steps = [
                f"1. What the {actor.type} {actor.name} does here is {titled(technique)}.",
                *(
                    f"{place}. {titled(one)} limits it{f': {sentence(reasons[one.id])}' if one.id in reasons else '.'}"
                    for place, one in enumerate(measures, start=2)
                ),
            ]
            yield Draft(
                subject=technique.id,
                slots={"text": text},
                answer="\n".join(steps),
                key=[number(one.id) for one in measures],
                entities=[one.id for one in measures],
                quoted=[actor.id],
            )


def pattern_remedy_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Text of an attack pattern -> a weakness that it relies on -> what developers do about that weakness (`exploits`, `mitigations`)."""
    for pattern in knowledge.of_type("attack-pattern"):
        weaknesses = [
            one for one in knowledge.objects(pattern.id, "exploits", "weakness") if knowledge.split(one.id) != "heldout"
        ]
        text = short_text(knowledge, pattern, params)
        told = [(one, remedy) for one in weaknesses if (remedy := _remedy(text, one))]
        if not told or not text:
            yield Skip(pattern.id, "no-text" if told else "no-link")
            continue
        chosen = sorted(told, key=lambda one: (one[0].fields.get("abstraction") in BROAD, cwe_number(one[0].id)))[:2]
        steps = [f"The pattern is {titled(pattern)}."]
        for weakness, remedy in chosen:
            meaning = clip(str(weakness.fields.get("description") or knowledge.text(weakness.id)), 35)
            steps.append(
                f"It relies on {titled(weakness)}: {sentence(meaning)}" if meaning else f"It relies on {titled(weakness)}."
            )
            steps.append(f"Against that weakness: {remedy}")
        answer = "\n".join(f"{place}. {step}" for place, step in enumerate(steps, start=1))
        used = [one.id for one, _ in chosen]
        yield Draft(subject=pattern.id, slots={"text": text}, answer=answer, quoted=used, documents=[pattern.id, *used])


def _remedy(text: str, weakness: Entity) -> str:
    """The mitigation of the weakness that has most words in common with the attack, so that it meets this attack."""
    words = set(_WORD.findall(text.lower()))
    lines = list(mitigation_lines(weakness.fields))
    return max(lines, key=lambda line: (len(words & set(_WORD.findall(line.lower()))), content_id(line)), default="")
