"""Attacks on AI systems: ATLAS techniques, their mitigations, their counterparts in ATT&CK, and incidents."""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip
from stages.tasks.draft import Draft, Skip
from stages.tasks.harm import is_runnable
from stages.tasks.linked import linked_choice, linked_keys, told
from stages.tasks.params import TasksParams
from stages.tasks.questions import identify, number, titled

Drafts = Iterator[Draft | Skip]
_TABLE = "| - |"  # the rule of a Markdown table
_ID = re.compile(r"\s*\(?\bAML\.(?:TA?|M|CS)\d{4}(?:\.\d{3})?\)?")


def ai_technique_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of an attack on an AI system -> its ATLAS id."""
    for drafted in identify(knowledge, params, knowledge.of_type("ai-technique"), "AI technique"):
        technique = knowledge.entities[drafted.subject]
        named = f"AI technique: {_full(knowledge, technique)}"
        yield replace(drafted, answer=named) if isinstance(drafted, Draft) else drafted


def ai_tactic_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of an AI technique -> what it is for, one tactic of four (`achieves`)."""
    subjects = list(knowledge.of_type("ai-technique"))
    return linked_choice(
        knowledge, params, subjects, "achieves", "ai-tactic", lambda one, right: f"{_full(knowledge, one)} serves {titled(right)}"
    )


def ai_mitigation_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of an AI technique -> the mitigation of four that is listed for it (`mitigates`)."""
    subjects = list(knowledge.of_type("ai-technique"))
    return linked_choice(
        knowledge,
        params,
        subjects,
        "^mitigates",
        "ai-mitigation",
        lambda one, right: f"{titled(right)} is listed against {_full(knowledge, one)}",
    )


def ai_counterpart(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of an AI technique -> the ATT&CK technique that it adapts (`corresponds-to`)."""
    subjects = knowledge.of_type("ai-technique")
    return linked_keys(
        knowledge, params, subjects, "corresponds-to", "technique", "Its counterpart among attacks on any system is"
    )


def incident_technique(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Step of a documented incident with an AI system -> the ATLAS technique (`uses` of a case study)."""
    for case in knowledge.of_type("case-study"):
        for link in knowledge.links_from(case.id, "uses", "ai-technique"):
            technique = knowledge.entities[link.object]
            text = told(knowledge, _ID.sub("", link.text), [technique], params)
            if not text or is_runnable(text) or _TABLE in text:
                yield Skip(case.id, "offensive-content" if is_runnable(text) else "no-text")
                continue
            meaning = "" if knowledge.split(technique.id) == "heldout" else clip(knowledge.text(technique.id), 40)
            answer = f"The step is {_full(knowledge, technique)}. {meaning}".strip()
            slots = {"name": number(case.id) if _shares_words(case, _full(knowledge, technique)) else case.name, "text": text}
            yield Draft(subject=case.id, slots=slots, answer=answer, key=[number(technique.id)], entities=[technique.id])


def _shares_words(case: Entity, name: str) -> bool:
    """Whether the name of a case holds a word of a technique's name: it would give the answer away."""
    stems = [{word[:6] for word in re.findall(r"[a-z]{4,}", one.lower())} for one in (case.name, name)]
    return bool(stems[0] & stems[1])


def _full(knowledge: Knowledge, technique: Entity) -> str:
    """`LLM Prompt Injection: Direct`: the names of sub-techniques say little alone."""
    parents = knowledge.objects(technique.id, "subtechnique-of", "ai-technique")
    return f"{parents[0].name}: {technique.name}" if parents else technique.name
