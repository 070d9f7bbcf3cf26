"""Controls of NIST 800-53 and cloud configuration checks."""

import re
from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, sentence
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, identify, rarest, times_linked, titled

Drafts = Iterator[Draft | Skip]
LEAST_FIT = 3  # one word of the name and one of the statement


def control_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Statement of a control -> its id."""
    return identify(knowledge, params, knowledge.of_type("control"), "Control")


def check_control_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """A cloud check -> the control of four that it gives evidence for.

    Catalogues map a check to dozens of controls, some far off: the right one shares words with the check, the wrong ones none.
    """
    pool = [one for one in knowledge.of_type("control") if knowledge.links_to(one.id, "satisfies")]
    times = times_linked(knowledge, "satisfies", pool, "cloud-check")
    for check in knowledge.of_type("cloud-check"):
        linked = rarest(knowledge.objects(check.id, "satisfies", "control"), times, check.id)
        if not linked:
            continue
        text = clip(knowledge.text(check.id), params.max_text_words)
        said = _stems(f"{check.name} {text}")
        right = max(linked, key=lambda one: _fit(said, one))
        if not text or not said & _stems(right.name) or _fit(said, right) < LEAST_FIT:
            yield Skip(check.id, "weak-link" if text else "no-text")
            continue
        also = [one for one in pool if one is not right and (one in linked or said & _stems(one.name))]
        because = f"'{check.name}' gives evidence for {titled(right)}"
        slots = {"name": check.name, "text": text}
        yield choice(knowledge, check, slots, right, also, pool, relation="satisfies", because=because)


def check_technique_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """A failed cloud check -> the technique of four that it leaves open."""
    pool = [one for one in knowledge.techniques() if knowledge.links_to(one.id, "covers")]
    times = times_linked(knowledge, "covers", pool, "cloud-check")
    goals = {one.id: {goal.id for goal in knowledge.objects(one.id, "achieves", "tactic")} for one in pool}
    for check in knowledge.of_type("cloud-check"):
        linked = rarest(knowledge.objects(check.id, "covers", "technique"), times, check.id)
        if not linked:
            continue
        text = clip(knowledge.text(check.id), params.max_text_words)
        if not text:
            yield Skip(check.id, "no-text")
            continue
        because = f"A setting that passes '{check.name}' makes {titled(linked[0])} harder"
        slots = {"name": check.name, "text": text}
        served = {goal for one in linked for goal in goals[one.id]}  # what serves the same goal may become harder, too
        also = [one for one in pool if one is not linked[0] and (one in linked or goals[one.id] & served)]
        yield choice(knowledge, check, slots, linked[0], also, pool, relation="covers", because=because)


def check_remediation(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """A failed cloud check -> the risk and the way to mend it."""
    for check in knowledge.of_type("cloud-check"):
        risk = clip(str(check.fields.get("risk") or ""), 80)
        remedy = clip(str(check.fields.get("remediation") or ""), 80)
        if not risk or not remedy:
            yield Skip(check.id, "no-field")
            continue
        answer = f"Risk: {sentence(risk)}\nRemedy: {sentence(remedy)}"
        slots = {"name": check.name, "provider": check.id.partition(":")[2].partition("/")[0]}
        yield Draft(subject=check.id, slots=slots, answer=answer)


def _fit(said: set[str], control: Entity) -> int:
    """Words that a check shares with a control's name, twice, and with its statement."""
    return 2 * len(said & _stems(control.name)) + len(said & _stems(control.text))


def _stems(text: str) -> set[str]:
    """Stems of the longer words, without those that nearly every control has."""
    common = ("system", "inform", "securi", "contro", "protec", "organi", "standa", "requir", "access", "config")
    return {word[:7] for word in re.findall(r"[a-z]{5,}", text.lower()) if not word.startswith(common)}
