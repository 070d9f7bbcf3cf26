"""Sections of an attack pattern's entry: example, course, signs, resources, skills, place in the catalogue, summary."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, listing, sentence
from stages.tasks.cwe import cwe_number
from stages.tasks.defence import open_strategies
from stages.tasks.draft import Draft, Skip
from stages.tasks.harm import is_runnable
from stages.tasks.params import TasksParams
from stages.tasks.questions import hash_order, number, points, titled

Drafts = Iterator[Draft | Skip]
STEP_WORDS = 45  # of a step's description: what is seen, not how it is done
MOST_NAMED = 6  # relatives of one sort in an answer
_SEE_ALSO = re.compile(r"\s*\bSee also:\s*CVE-\d{4}-\d{4,}[.,;]?\s*")
_RELATIVES = (  # relation as asked here, and how its members are headed
    ("child-of", "Broader"),
    ("^child-of", "More specific"),
    ("can-precede", "Can lead to"),
    ("^can-precede", "Can follow on"),
    ("related-to", "Related"),
)


def pattern_example(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Attack pattern -> a case in which it happened or would happen (field `example`)."""
    for pattern in knowledge.of_type("attack-pattern"):
        told = [_SEE_ALSO.sub(" ", one) for one in _told(pattern, "example")]
        answer = next((text for one in told if (text := clip(one, params.max_answer_words))), "")
        yield _entry(pattern, answer) if not is_runnable(answer) else Skip(pattern.id, "offensive-content")


def pattern_execution_flow(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Attack pattern -> the phases that an attack passes through, for those who watch for it (field `execution_flow`).

    The techniques of each step are left out, and so is every description with a piece of an attack in it.
    """
    for pattern in knowledge.of_type("attack-pattern"):
        steps = [one for one in pattern.fields.get("execution_flow") or [] if isinstance(one, dict)]
        lines = [line for one in steps if (line := _step(one))]
        answer = points(lines, params.max_answer_words)
        yield _entry(pattern, answer if answer.count("\n") else "")


def pattern_indicators(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Attack pattern -> what shows that it is under way: its own indicators, then how its technique is detected.

    Relations `corresponds-to` and `detects`: a pattern without indicators of its own shows what its technique shows.
    """
    for pattern in knowledge.of_type("attack-pattern"):
        lines = [clip(one, 45) for one in _told(pattern, "indicators") if not is_runnable(one)]
        used: list[str] = []
        for technique in knowledge.subjects(pattern.id, "corresponds-to", "technique"):
            if knowledge.split(technique.id) == "heldout":
                continue
            for strategy in open_strategies(knowledge, technique):
                text = clip(knowledge.text(strategy.id), 70)
                if text and not is_runnable(text):
                    lines.append(f"As {titled(technique)}: {text}")
                    used += [technique.id, strategy.id]
        yield _entry(pattern, points(lines, params.max_answer_words), dict.fromkeys(used))


def pattern_resources(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Attack pattern -> what an adversary must have at hand (field `resources`)."""
    for pattern in knowledge.of_type("attack-pattern"):
        lines = [text for one in _told(pattern, "resources") if (text := clip(one, 60)) and not is_runnable(one)]
        answer = lines[0] if len(lines) == 1 else points(lines, params.max_answer_words)
        yield _entry(pattern, answer)


def pattern_skills(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Attack pattern -> what an adversary must be able to do, and how well (field `skills`)."""
    for pattern in knowledge.of_type("attack-pattern"):
        skills = [one for one in pattern.fields.get("skills") or [] if isinstance(one, dict)]
        told = [(str(one.get("level") or ""), clip(str(one.get("description") or ""), 50)) for one in skills]
        lines = [f"{level or 'Unrated'} skill: {text}" for level, text in told if text and not is_runnable(text)]
        yield _entry(pattern, points(lines, params.max_answer_words))


def pattern_relations(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Attack pattern -> its neighbours in the catalogue: broader, narrower, before, after, related."""
    for pattern in knowledge.of_type("attack-pattern"):
        lines, used = [], []
        for relation, head in _RELATIVES:
            look = knowledge.subjects if relation.startswith("^") else knowledge.objects
            found = look(pattern.id, relation.removeprefix("^"), "attack-pattern")
            if relation == "related-to":
                found += knowledge.subjects(pattern.id, relation, "attack-pattern")
            named = hash_order({one.id: one for one in found}.values(), pattern.id)[:MOST_NAMED]
            if named:
                lines.append(f"{head}: {listing([titled(one) for one in named])}.")
                used += [one.id for one in named]
        told = points(lines, params.max_answer_words)
        yield _entry(pattern, f"{titled(pattern)} among the attack patterns:\n{told}" if told else "", used, "no-link")


def pattern_taxonomy(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Attack pattern -> the same behaviour in other catalogues (`corresponds-to` techniques, field `taxonomies`)."""
    for pattern in knowledge.of_type("attack-pattern"):
        techniques = knowledge.subjects(pattern.id, "corresponds-to", "technique")
        lines = [f"MITRE ATT&CK: {titled(one)}" for one in techniques]
        lines += [
            f"{catalogue}: {name}{f' ({entry})' if entry and entry != name else ''}"
            for catalogue, entry, name in _foreign_entries(pattern)
        ]
        told = points(lines, params.max_answer_words)
        answer = f"{titled(pattern)} stands in other catalogues as:\n{told}" if told else ""
        yield _entry(pattern, answer, [one.id for one in techniques], "no-link")


def taxonomy_pattern(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """An entry of another catalogue -> the CAPEC entries that cover it (field `taxonomies`, the other way round)."""
    patterns: dict[tuple[str, str, str], list[Entity]] = defaultdict(list)
    for pattern in knowledge.of_type("attack-pattern"):
        for entry in _foreign_entries(pattern):
            patterns[entry].append(pattern)
    for (catalogue, entry, name), found in sorted(patterns.items()):
        first, *others = hash_order(found, catalogue, name)
        rest = [one.id for one in others]
        yield Draft(
            subject=first.id,
            slots={"catalogue": catalogue, "entry": f"{name} ({entry})" if entry and entry != name else name},
            answer=f"{name} of {catalogue} is covered by {listing([titled(one) for one in found])}.",
            key=[number(one.id) for one in found],
            entities=rest,
            quoted=rest,
            documents=[one.id for one in found],
        )


def pattern_summary(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Attack pattern -> one paragraph over the whole entry: rating, idea, need, weaknesses, first defence."""
    for pattern in knowledge.of_type("attack-pattern"):
        idea = clip(knowledge.text(pattern.id), 55)
        weaknesses = sorted(knowledge.objects(pattern.id, "exploits", "weakness"), key=lambda one: cwe_number(one.id))[:3]
        need = next((text for one in _told(pattern, "prerequisites") if (text := clip(one, 25))), "")
        defence = next((text for one in _told(pattern, "mitigations") if (text := clip(one, 30))), "")
        if not idea or is_runnable(idea) or not (need or weaknesses) or not defence:
            yield Skip(pattern.id, "offensive-content" if is_runnable(idea) else "no-field")
            continue
        parts = [
            _rating(pattern),
            idea,
            f"It works only where this holds: {sentence(need)}" if need else "",
            f"It relies on {listing([titled(one) for one in weaknesses])}." if weaknesses else "",
            f"A first line of defence: {sentence(defence)}",
        ]
        yield _entry(pattern, " ".join(part for part in parts if part), [one.id for one in weaknesses])


def _entry(pattern: Entity, answer: str, used: Iterable[str] = (), reason: str = "no-field") -> Draft | Skip:
    """A question about the pattern's entry, or why there is none."""
    if not answer:
        return Skip(pattern.id, reason)
    slots = {"name": pattern.name, "id": number(pattern.id)}
    return Draft(subject=pattern.id, slots=slots, answer=answer, entities=list(used), documents=[pattern.id])


def _told(pattern: Entity, field: str) -> list[str]:
    """A section as its items, whether the source gives one text or a list."""
    value = pattern.fields.get(field) or []
    return [str(one) for one in ([value] if isinstance(value, str) else value) if str(one).strip()]


def _step(step: dict[str, Any]) -> str:
    """`Explore - Survey: <what the adversary does>`, in general terms; nothing of a step that says neither name nor act."""
    name, phase = (str(step.get(key) or "").strip(" .:") for key in ("name", "phase"))
    text = clip(str(step.get("description") or ""), STEP_WORDS)
    text = "" if is_runnable(text) else text
    if not (name or text) or is_runnable(name):
        return ""
    head = " - ".join(part for part in (phase, name) if part)
    return f"{head}: {text}" if text and head else sentence(head or text)


def _foreign_entries(pattern: Entity) -> list[tuple[str, str, str]]:
    """(catalogue, id, name) of each entry elsewhere; those of ATT&CK are links of the graph."""
    entries = [one for one in pattern.fields.get("taxonomies") or [] if isinstance(one, dict)]
    found = {tuple(str(one.get(key) or "").strip() for key in ("taxonomy", "id", "name")) for one in entries}
    return sorted((catalogue, id, name or id) for catalogue, id, name in found if "ATT" not in catalogue.upper() and (name or id))


def _rating(pattern: Entity) -> str:
    """`X (CAPEC-1) is a standard attack pattern of high severity and low likelihood.`"""
    level = str(pattern.fields.get("abstraction") or "").lower()
    severity, likelihood = (str(pattern.fields.get(key) or "").lower() for key in ("severity", "likelihood"))
    rated = [f"{value} {noun}" for value, noun in ((severity, "severity"), (likelihood, "likelihood")) if value]
    kind = f"a {level} attack pattern" if level else "an attack pattern"
    return f"{titled(pattern)} is {kind}{f' of {listing(rated)}' if rated else ''}."
