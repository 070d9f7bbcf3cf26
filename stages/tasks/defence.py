"""ATT&CK from the defender's side: mitigations, data components, detection strategies."""

from collections.abc import Iterator

from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge
from stages.prose import clip, sentence
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, is_open, number, points, rarest, short_text, times_linked, titled

Drafts = Iterator[Draft | Skip]

EXPLANATIONS = ["Only explanation 1.", "Only explanation 2.", "Both explanations.", "Neither explanation."]


def technique_mitigations(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique -> its mitigations and what each does against it."""
    for technique in knowledge.techniques():
        links = knowledge.links_to(technique.id, "mitigates", "mitigation")
        if not links:
            continue
        told = [link for link in links if is_open(knowledge, link.subject) and clip(link.text, 45)]
        lines = [f"{knowledge.entities[link.subject].name}: {clip(link.text, 45)}" for link in told]
        answer = points(lines, params.max_answer_words)
        if not answer:
            yield Skip(technique.id, "no-text")
            continue
        slots = {"name": technique.name, "id": number(technique.id)}
        yield Draft(subject=technique.id, slots=slots, answer=answer, quoted=sorted({link.subject for link in told}))


def mitigation_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a technique -> the one of four mitigations that ATT&CK lists for it."""
    pool = list(knowledge.of_type("mitigation"))
    times = times_linked(knowledge, "^mitigates", pool, "technique")
    for technique in knowledge.techniques():
        linked = rarest(knowledge.subjects(technique.id, "mitigates", "mitigation"), times, technique.id)
        text = short_text(knowledge, technique, params)
        if not linked or not text:
            yield Skip(technique.id, "no-text" if linked else "no-link")
            continue
        because = f"{linked[0].name} is a listed mitigation of {titled(technique)}"
        yield choice(knowledge, technique, {"text": text}, linked[0], linked[1:], pool, relation="^mitigates", because=because)


def mitigation_explanation(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique and two explanations of a mitigation -> which of them explain how it is mitigated."""
    links = [link for one in knowledge.techniques() for link in knowledge.links_to(one.id, "mitigates", "mitigation")]
    open_links = [link for link in links if is_open(knowledge, link.subject)]
    usable = [link for link in open_links if len(link.text.split()) >= 8 and clip(link.text, 55)]
    for technique in knowledge.techniques():
        own = [link for link in usable if link.object == technique.id]
        if own:
            yield from _explanations(knowledge, technique, own, usable)


def data_component_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a technique -> the data component of four that shows it."""
    pool = list(knowledge.of_type("data-component"))
    times = times_linked(knowledge, "^detects", pool, "technique")
    for technique in knowledge.techniques():
        linked = rarest(knowledge.subjects(technique.id, "detects", "data-component"), times, technique.id)
        text = short_text(knowledge, technique, params)
        if not linked or not text:
            yield Skip(technique.id, "no-text" if linked else "no-link")
            continue
        because = f"{linked[0].name} is a data component that shows {titled(technique)}"
        yield choice(knowledge, technique, {"text": text}, linked[0], linked[1:], pool, relation="^detects", because=because)


def technique_detection(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique -> how it is detected: the strategy's analytics and the data components."""
    for technique in knowledge.techniques():
        strategies = open_strategies(knowledge, technique)
        components = knowledge.subjects(technique.id, "detects", "data-component")
        quoted, told = next(((one.id, text) for one in strategies if (text := clip(knowledge.text(one.id), 90))), ("", ""))
        if not told and not components:
            yield Skip(technique.id, "no-text")
            continue
        watched = "\n".join(f"- {one.name}" for one in components[:6])
        answer = "\n".join(part for part in (told, f"Data components to collect:\n{watched}" if watched else "") if part)
        yield Draft(
            subject=technique.id,
            slots={"name": technique.name, "id": number(technique.id)},
            answer=answer,
            entities=[one.id for one in components[:6]],
            quoted=[quoted] if quoted else [],
        )


def open_strategies(knowledge: Knowledge, technique: Entity) -> list[Entity]:
    """Detection strategies of a technique whose texts may be shown: neither they nor one of their analytics is held out."""
    found = knowledge.subjects(technique.id, "detects", "detection-strategy")
    parts = {one.id: [f"attack:{part.get('id')}" for part in one.fields.get("analytics") or []] for one in found}
    return [one for one in found if is_open(knowledge, one.id, *parts[one.id])]


def _explanations(knowledge: Knowledge, technique: Entity, own: list[Link], usable: list[Link]) -> Iterator[Draft]:
    """The four cases for one technique, as far as the links allow."""
    family = knowledge.family(technique.id)
    own_texts = {link.text for link in own}
    own_makers = {link.subject for link in own}
    right = sorted(own, key=lambda link: content_id("right", link.subject, link.object, link.text))
    start = int(content_id("foreign", technique.id), 16) % len(usable)
    foreign = [
        link
        for link in [*usable[start:], *usable[:start]]
        if link.object not in family and link.subject not in own_makers and link.text not in own_texts
    ][:2]
    if len(foreign) < 2:
        return
    cases = {"A": (right[0], foreign[0]), "B": (foreign[0], right[0]), "D": (foreign[0], foreign[1])}
    if len(right) > 1 and right[0].text != right[1].text:
        cases["C"] = (right[0], right[1])
    for letter, (first, second) in sorted(cases.items()):
        yield _explanation_draft(knowledge, technique, letter, first, second)


def _explanation_draft(knowledge: Knowledge, technique: Entity, letter: str, first: Link, second: Link) -> Draft:
    parts = []
    for place, link in (("1", first), ("2", second)):
        maker, target = knowledge.entities[link.subject], knowledge.entities[link.object]
        fits = link.object == technique.id
        parts.append(f"Explanation {place} is {maker.name} applied to {'this technique' if fits else target.name}.")
    slots = {"name": technique.name, "first": sentence(clip(first.text, 55)), "second": sentence(clip(second.text, 55))}
    return Draft(
        subject=technique.id,
        slots=slots,
        answer=" ".join(parts),
        options=EXPLANATIONS,
        letter=letter,
        quoted=sorted({first.subject, second.subject, first.object, second.object}),
    )
