"""Controls of NIST 800-53: what they limit, who has to apply them, what enhancements and revisions change."""

import re
from collections import defaultdict
from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, listing, sentence
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, hash_order, number, rarest, short_text, times_linked, titled

Drafts = Iterator[Draft | Skip]
BASELINES = ("LOW", "MODERATE", "HIGH")
MOST_TACTICS = 5  # lines of a summary
STATEMENT_WORDS = 60  # of each of two statements that are compared


def control_techniques(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Control -> the techniques that it limits (`mitigates`), counted by the tactic that they serve."""
    for control in knowledge.of_type("control"):
        techniques = [
            one for one in knowledge.objects(control.id, "mitigates", "technique") if knowledge.split(one.id) != "heldout"
        ]
        by_tactic: dict[str, list[Entity]] = defaultdict(list)
        for technique in techniques:
            for tactic in knowledge.objects(technique.id, "achieves", "tactic"):
                by_tactic[tactic.name].append(technique)
        if not by_tactic:
            continue
        ranked = sorted(by_tactic, key=lambda name: (-len(by_tactic[name]), name))[:MOST_TACTICS]
        lines = [f"{titled(control)} is mapped to {len(techniques)} technique{'s' if len(techniques) > 1 else ''} known here."]
        for name in ranked:
            examples = listing([titled(one) for one in hash_order(by_tactic[name], control.id)[:2]])
            lines.append(
                f"- {name}: {len(by_tactic[name])}, such as {examples}." if len(by_tactic[name]) > 2 else f"- {name}: {examples}."
            )
        slots = {"name": control.name, "id": number(control.id)}
        yield Draft(subject=control.id, slots=slots, answer="\n".join(lines), entities=[one.id for one in techniques[:20]])


def technique_control_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a technique -> the control of four that limits it (`mitigates`, asked from the technique)."""
    pool = [one for one in knowledge.of_type("control") if knowledge.links_from(one.id, "mitigates", "technique")]
    times = times_linked(knowledge, "^mitigates", pool, "technique")
    for technique in knowledge.techniques():
        controls = rarest(knowledge.subjects(technique.id, "mitigates", "control"), times, technique.id)
        text = short_text(knowledge, technique, params)
        if not controls:
            continue
        if not text:
            yield Skip(technique.id, "no-text")
            continue
        meaning = "" if knowledge.split(controls[0].id) == "heldout" else _stated(clip(knowledge.text(controls[0].id), 40))
        because = f"{titled(controls[0])} is mapped to {titled(technique)}. {meaning}".strip()
        yield choice(
            knowledge, technique, {"text": text}, controls[0], controls[1:], pool, relation="^mitigates", because=because
        )


def control_baseline(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Control and impact level -> must a system of that level have it? (`baselines`; levels that no control names are unknown)."""
    chosen = {control.id: set(control.fields.get("baselines") or []) for control in knowledge.of_type("control")}
    levels = [one for one in BASELINES if any(one in own for own in chosen.values())]
    for control in knowledge.of_type("control") if levels else ():
        text = clip(knowledge.text(control.id), STATEMENT_WORDS)
        if not text:
            yield Skip(control.id, "no-text")
            continue
        own = [one for one in levels if one in chosen[control.id]]
        who = (
            f"in the baseline{'s' if len(own) > 1 else ''} {listing(own)}"
            if own
            else f"in no baseline known here ({listing(levels)})"
        )
        for level in levels:
            slots = {"name": control.name, "id": number(control.id), "text": text, "level": level}
            yield Draft(subject=control.id, slots=slots, answer=f"{titled(control)} is {who}.", verdict=level in own)


def control_enhancement(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Enhancement and base control (`child-of`) -> what the one adds to the other."""
    for control in knowledge.of_type("control"):
        for parent in knowledge.objects(control.id, "child-of", "control"):
            base, more = (clip(knowledge.text(one.id), STATEMENT_WORDS) for one in (parent, control))
            if not base or not more:
                yield Skip(control.id, "no-text")
                continue
            answer = f"The base control {titled(parent)} asks: {_stated(base)}\nThe enhancement {titled(control)} adds: {_stated(more)}"
            slots = {"name": control.name, "id": number(control.id), "parent": titled(parent)}
            yield Draft(subject=control.id, slots=slots, answer=answer, quoted=[parent.id])


def control_revision(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Control of revision 4 and its successor in revision 5 (`succeeded-by`) -> what became of it and what is demanded now."""
    for old in knowledge.of_type("control-r4"):
        successors = knowledge.objects(old.id, "succeeded-by", "control")
        if len(successors) != 1:
            yield Skip(old.id, "ambiguous-key" if successors else "no-link")
            continue
        new = successors[0]
        before, after = (clip(knowledge.text(one.id), STATEMENT_WORDS) for one in (old, new))
        if not before or not after or _bare(before) == _bare(after):
            yield Skip(old.id, "same-text" if before and after else "no-text")
            continue
        answer = f"{_fate(old, new)}\nRevision 4: {_stated(before)}\nRevision 5: {_stated(after)}"
        yield Draft(subject=old.id, slots={"name": old.name, "id": number(old.id)}, answer=answer, quoted=[new.id])


def _fate(old: Entity, new: Entity) -> str:
    """What became of id and name."""
    if number(old.id) != number(new.id):
        return f"{number(old.id)} has gone; what it asked for now belongs to {titled(new)}."
    if old.name.casefold() == new.name.casefold():
        return f"{number(new.id)} keeps the name {new.name}."
    return f"{number(new.id)} is now named {new.name}; before it was {old.name}."


def _stated(text: str) -> str:
    """A statement as a sentence; one that begins with the label of an item keeps it as it is."""
    return text if re.match(r"[a-z]\.\s", text) else sentence(text)


def _bare(text: str) -> str:
    """Letters only: revisions that differ in punctuation say the same."""
    return re.sub(r"[^a-z]", "", text.lower())
