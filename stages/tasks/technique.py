"""Techniques of ATT&CK, judged: by their texts and by their place in the hierarchy."""

import re
from collections.abc import Iterator

from stages.knowledge import Knowledge
from stages.prose import listing
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import hash_order, titled, verdicts
from stages.tasks.recognition import confirm_name

Drafts = Iterator[Draft | Skip]


def technique_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description and a technique's name -> do they agree? The wrong name is the nearest by wording, and is said to differ."""
    return confirm_name(knowledge, params, list(knowledge.techniques()), "technique")


def subtechnique_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Two names -> is the one a kind of the other? Hierarchy without the numbers that would show it."""
    parents = {one.id: one for kind in knowledge.techniques() for one in knowledge.objects(kind.id, "subtechnique-of")}
    pool = [parents[one] for one in sorted(parents)]
    for technique in knowledge.techniques():
        own = knowledge.objects(technique.id, "subtechnique-of")
        strangers = [one for one in pool if not _words(one.name) & _words(technique.name)]
        wrong = knowledge.distractors(technique.id, "subtechnique-of", [one.id for one in own], strangers, 1)
        if not own or not wrong:
            continue
        if _words(own[0].name) & _words(technique.name):
            yield Skip(technique.id, "names-the-answer")
            continue
        kinds = listing([one.name for one in hash_order(knowledge.subjects(wrong[0].id, "subtechnique-of"), technique.id)[:3]])
        yield from verdicts(
            technique,
            {"name": technique.name, "parent": own[0].name},
            (own[0], f"{titled(technique)} is a sub-technique of {titled(own[0])}"),
            {"name": technique.name, "parent": wrong[0].name},
            (wrong[0], f"{titled(technique)} is a sub-technique of {titled(own[0])}. Kinds of {wrong[0].name} are {kinds}"),
        )


def _words(name: str) -> set[str]:
    """Stems of a name's longer words: a shared one would give the answer away."""
    return {word[:5] for word in re.findall(r"[a-z]{3,}", name.lower())}
