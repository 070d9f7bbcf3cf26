"""The part that a measure plays against a technique: does it stop it, or show it?"""

from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, sentence
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import rarest, times_linked, titled

Drafts = Iterator[Draft | Skip]
PARTS = {  # tactic of a D3FEND countermeasure -> what it does to a technique
    "Detect": "detects",
    "Harden": "prevents",
    "Isolate": "prevents",
}


def measure_role(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique and one measure -> whether it stops or shows the technique, and by what (`mitigates`, `detects`, `counters`)."""
    for technique in knowledge.techniques():
        for link in knowledge.links_to(technique.id, "mitigates", "mitigation"):
            yield _role(knowledge, technique, knowledge.entities[link.subject], "prevents", link.text)
        for component in knowledge.subjects(technique.id, "detects", "data-component"):
            yield _role(knowledge, technique, component, "detects", "")
        for measure in knowledge.subjects(technique.id, "counters", "defensive-technique"):
            part = PARTS.get(str(measure.fields.get("tactic") or ""))
            if part:
                yield _role(knowledge, technique, measure, part, "")


def measure_role_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique, measure and part -> does the measure play it? Both measures are meant for the technique: only the part decides."""
    shows, stops = list(knowledge.of_type("data-component")), list(knowledge.of_type("mitigation"))
    often_shown = times_linked(knowledge, "detects", shows, "technique")
    often_stopped = times_linked(knowledge, "mitigates", stops, "technique")
    for technique in knowledge.techniques():
        detect = rarest(knowledge.subjects(technique.id, "detects", "data-component"), often_shown, technique.id)
        prevent = rarest(knowledge.subjects(technique.id, "mitigates", "mitigation"), often_stopped, technique.id)
        if not detect or not prevent:
            yield Skip(technique.id, "no-link")
            continue
        for measure, part in ((detect[0], "detects"), (prevent[0], "prevents")):
            for asked in ("detect", "prevent"):
                yield _verdict(technique, measure, part, asked)


def _role(knowledge: Knowledge, technique: Entity, measure: Entity, part: str, told: str) -> Draft | Skip:
    """What the source says of the pair, or what the measure is; the kind of measure is not shown."""
    text = clip(told, 60) or clip(knowledge.text(measure.id), 40)
    if not text:
        return Skip(technique.id, "no-text")
    when = "before the technique succeeds" if part == "prevents" else "while or after the technique is used"
    answer = f"{titled(measure)} {part} {titled(technique)}: it takes effect {when}. {sentence(text)}"
    slots = {"measure": measure.name, "technique": titled(technique)}
    return Draft(subject=technique.id, slots=slots, answer=answer, quoted=[measure.id])


def _verdict(technique: Entity, measure: Entity, part: str, asked: str) -> Draft:
    does = f"{measure.name} {part} {titled(technique)}"
    true = part.startswith(asked)
    answer = f"{does}." if true else f"{does}; it does not {asked} it."
    return Draft(
        subject=technique.id,
        slots={"measure": measure.name, "technique": titled(technique), "part": asked},
        answer=answer,
        verdict=true,
        entities=[measure.id],
    )
