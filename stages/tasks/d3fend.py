"""Countermeasures of D3FEND: what they do and which techniques they work against."""

from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, listing
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.linked import verb
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, hash_order, identify, number, rarest, short_text, times_linked, titled, verdicts

Drafts = Iterator[Draft | Skip]
MOST_ARTIFACTS = 3  # of a chain: the answer must stay readable
MOST_MEASURES = 3


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


def artifact_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a technique -> the digital artifact of four that it touches (`affects`): where a defence can stand."""
    pool = [one for one in knowledge.of_type("digital-artifact") if knowledge.links_to(one.id, "affects")]
    times = times_linked(knowledge, "affects", pool, "technique")
    for technique in knowledge.techniques():
        links = {link.object: link for link in knowledge.links_from(technique.id, "affects", "digital-artifact")}
        artifacts = rarest(knowledge.objects(technique.id, "affects", "digital-artifact"), times, technique.id)
        text = short_text(knowledge, technique, params)
        if not artifacts:
            continue
        shown = f"{technique.name} {text}".casefold()  # the name is hidden in the text, and easily guessed there
        right = next((one for one in artifacts if one.name.casefold() not in shown), None)
        if not text or right is None:
            yield Skip(technique.id, "names-the-answer" if text else "no-text")
            continue
        others = [one for one in artifacts if one.id != right.id]
        because = f"{titled(technique)} {verb(links[right.id], 'touches')} the artifact {right.name}"
        yield choice(knowledge, technique, {"text": text}, right, others, pool, relation="affects", because=because)


def defence_chain(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique -> the artifacts that it touches -> the countermeasures that act on the same artifacts (two links)."""
    for technique in knowledge.techniques():
        lines, used = [], []
        for link in knowledge.links_from(technique.id, "affects", "digital-artifact"):
            artifact = knowledge.entities[link.object]
            acts = knowledge.links_to(artifact.id, "acts-on", "defensive-technique")
            acts = sorted(acts, key=lambda one: content_id(technique.id, one.subject))[:MOST_MEASURES]
            if not acts or len(lines) == MOST_ARTIFACTS:
                continue
            measures = [knowledge.entities[one.subject] for one in acts]
            met = listing([f"{one.name} ({verb(act, 'acts on')} it)" for one, act in zip(measures, acts, strict=True)])
            lines.append(
                f"{len(lines) + 1}. The technique {verb(link, 'touches')} {artifact.name}; countermeasures there: {met}."
            )
            used += [artifact.id, *(one.id for one in measures)]
        if not lines:
            continue
        slots = {"name": technique.name, "id": number(technique.id)}
        yield Draft(subject=technique.id, slots=slots, answer="\n".join(lines), entities=used)


def defence_by_tactic(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique and a defensive aim (harden, detect, isolate, ...) -> the countermeasure that has both (`counters` and tactic).

    Two wrong options counter the technique with another aim, one has the aim but does not counter it.
    """
    pool = [one for one in knowledge.of_type("defensive-technique") if one.fields.get("tactic")]
    for technique in knowledge.techniques():
        measures = [
            one for one in knowledge.subjects(technique.id, "counters", "defensive-technique") if one.fields.get("tactic")
        ]
        for right in hash_order(measures, technique.id)[:MOST_MEASURES]:
            aim = str(right.fields["tactic"])
            others = [one for one in hash_order(measures, technique.id, right.id) if one.fields["tactic"] != aim][:2]
            same_aim = [one for one in pool if one.fields["tactic"] == aim]
            strangers = knowledge.distractors(technique.id, "^counters", [one.id for one in measures], same_aim, 1, right.id)
            if len(others) == 2 and strangers:
                yield _by_tactic(technique, aim, right, others, strangers[0])


def _by_tactic(technique: Entity, aim: str, right: Entity, others: list[Entity], stranger: Entity) -> Draft:
    """One question; the reasons say which half of the condition each wrong option misses."""
    missed = listing([f"{one.name} serves to {str(one.fields['tactic']).lower()}" for one in others])
    answer = (
        f"{right.name} counters {titled(technique)} and serves to {aim.lower()}. {missed}; "
        f"{stranger.name} serves to {aim.lower()} but is not mapped to this technique."
    )
    options = [right, *others, stranger]
    return Draft(
        subject=technique.id,
        slots={"name": technique.name, "aim": aim.lower()},
        answer=answer,
        options=[one.name for one in options],
        entities=[one.id for one in options],
    )
