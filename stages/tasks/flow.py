"""Attack flows and report sentences: the order of an incident, and what one sentence of a report tells."""

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, mask, sentence, without_identifiers
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.linked import linked_keys
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, titled

Drafts = Iterator[Draft | Skip]
WINDOW = 4  # steps to be put in order: 24 orders, one right
STEP_WORDS = 30
LABELS = "ABCD"
LEAST_SENTENCE = 5  # content words: people labelled these sentences one by one, short ones too


def flow_order(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Four steps of an incident out of order -> their order (the flow's sequence)."""
    for flow in knowledge.of_type("attack-flow"):
        steps = _steps(flow)
        for start in range(0, max(0, len(steps) - WINDOW + 1), WINDOW):
            window = [sentence(_told(one)) for one in steps[start : start + WINDOW]]
            if len(set(window)) < WINDOW:
                yield Skip(flow.id, "same-text")
                continue
            shown = sorted(window, key=lambda one: content_id(flow.id, str(start), one))
            order = "".join(LABELS[shown.index(one)] for one in window)
            text = "\n".join(f"{label}) {one}" for label, one in zip(LABELS, shown, strict=True))
            lines = [f"{place}. {LABELS[shown.index(one)]}: {one}" for place, one in enumerate(window, start=1)]
            yield Draft(subject=flow.id, slots={"name": flow.name, "text": text}, answer="\n".join(lines), key=[order])


def flow_next(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """What an attacker has done so far -> the technique of four that the incident shows next (a step and its successor)."""
    pool = list(knowledge.techniques())
    known = {one.id for one in pool}
    for flow in knowledge.of_type("attack-flow"):
        steps = _steps(flow)
        for place in range(2, len(steps)):
            right = _technique(knowledge, steps[place])
            if right is None or right.id not in known:
                continue
            before = steps[max(0, place - 3) : place]
            others = [one for step in steps if (one := _technique(knowledge, step)) and one.id != right.id]
            names = knowledge.hidden_names(right.id)
            shown = [mask(one, names) for one in dict.fromkeys(_told(step) for step in before)]
            then = _told(steps[place])
            if then in map(_told, before) or not all(re.search(r"[A-Za-z]{3,}", one) for one in shown):
                yield Skip(right.id, "same-text" if then in map(_told, before) else "names-the-answer")
                continue
            text = " ".join(f"{number}. {sentence(one)}" for number, one in enumerate(shown, start=1))
            because = f"What follows is {titled(right)}: {sentence(then)}" if then else f"What follows is {titled(right)}"
            drafted = choice(
                knowledge, right, {"name": flow.name, "text": text}, right, others, pool, relation="next", because=because
            )
            yield _quoting(drafted, flow)


def sentence_technique(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Sentence of a threat report -> the technique that it tells of (`describes`)."""
    return linked_keys(
        knowledge,
        params,
        knowledge.of_type("report-sentence", "report"),
        "describes",
        "technique",
        "The sentence tells of",
        LEAST_SENTENCE,
    )


def _quoting(drafted: Draft | Skip, flow: Entity) -> Draft | Skip:
    return replace(drafted, quoted=[flow.id]) if isinstance(drafted, Draft) else drafted


def _steps(flow: Entity) -> list[dict[str, Any]]:
    """Steps that say something, in their order."""
    return [one for one in flow.fields.get("steps") or [] if isinstance(one, dict) and _told(one)]


def _told(step: dict[str, Any]) -> str:
    """What happened in a step, or its name where that is all."""
    return clip(without_identifiers(str(step.get("text") or "")), STEP_WORDS) or str(step.get("name") or "").strip()


def _technique(knowledge: Knowledge, step: dict[str, Any]) -> Entity | None:
    name = str(step.get("technique") or "")
    return knowledge.entities.get(name if ":" in name else f"attack:{name}")
