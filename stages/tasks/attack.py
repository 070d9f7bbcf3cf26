"""Techniques of ATT&CK: what they are, what they serve, where they work, what kinds there are."""

from collections.abc import Iterator
from itertools import combinations

from stages.knowledge import Knowledge
from stages.prose import clip, listing
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import (
    RESERVE,
    choice,
    describe,
    hash_order,
    identify,
    number,
    procedures,
    short_text,
    titled,
    verdicts,
)

Drafts = Iterator[Draft | Skip]
PARTNERS = 8  # groups to compare with, and shared techniques of each pair, to choose from


def technique_description(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Name -> description."""
    return describe(knowledge, params, knowledge.techniques())


def technique_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description -> technique id."""
    return identify(knowledge, params, knowledge.techniques(), "Technique")


def technique_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description -> one of four techniques; siblings and names that share words with the text are the wrong ones."""
    pool = list(knowledge.techniques())
    for technique in pool:
        text = short_text(knowledge, technique, params)
        if not text:
            yield Skip(technique.id, "no-text")
            continue
        parents = knowledge.objects(technique.id, "subtechnique-of")
        siblings = [one for parent in parents for one in knowledge.subjects(parent.id, "subtechnique-of")]
        strangers = [one for one in pool if one.id not in knowledge.family(technique.id)]
        near = [*siblings[:2], *knowledge.closest_by_name(text, strangers, RESERVE)]
        because = f"The text describes {titled(technique)}"
        yield choice(knowledge, technique, {"text": text}, technique, [], pool, relation="similar", because=because, near=near)


def technique_tactics(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique -> the tactics that it serves."""
    for technique in knowledge.techniques():
        tactics = knowledge.objects(technique.id, "achieves", "tactic")
        if not tactics:
            yield Skip(technique.id, "no-link")
            continue
        names = listing([titled(tactic) for tactic in tactics])
        answer = f"{titled(technique)} serves the tactic{'s' if len(tactics) > 1 else ''} {names}."
        slots = {"name": technique.name, "id": number(technique.id)}
        keys = [number(tactic.id) for tactic in tactics]
        yield Draft(subject=technique.id, slots=slots, answer=answer, key=keys, entities=[tactic.id for tactic in tactics])


def tactic_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique and tactic -> does the one serve the other?"""
    tactics = list(knowledge.of_type("tactic"))
    for technique in knowledge.techniques():
        right = hash_order(knowledge.objects(technique.id, "achieves", "tactic"), technique.id)
        wrong = knowledge.distractors(technique.id, "achieves", [one.id for one in right], tactics, 1)
        if not right or not wrong:
            yield Skip(technique.id, "no-link")
            continue
        name = titled(technique)
        goals = listing([tactic.name for tactic in right])
        yield from verdicts(
            technique,
            {"name": technique.name, "id": number(technique.id), "tactic": right[0].name},
            (right[0], f"{name} is listed under {right[0].name}"),
            {"name": technique.name, "id": number(technique.id), "tactic": wrong[0].name},
            (wrong[0], f"{name} is listed under {goals}, not under {wrong[0].name}"),
        )


def technique_platforms(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique -> the platforms on which it is seen."""
    for technique in knowledge.techniques():
        platforms = sorted({*(technique.fields.get("platforms") or [])} - {"PRE"})
        if not platforms:
            yield Skip(technique.id, "no-field")
            continue
        noun = "platforms" if len(platforms) > 1 else "platform"
        answer = f"The technique {titled(technique)} is documented for the {noun} {listing(platforms)}."
        yield Draft(subject=technique.id, slots={"name": technique.name, "id": number(technique.id)}, answer=answer)


def platform_exclusion(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique with three platforms or more -> the one of four to which it does not apply."""
    techniques = list(knowledge.techniques())
    known = sorted({platform for technique in techniques for platform in technique.fields.get("platforms") or []} - {"PRE"})
    for technique in techniques:
        own = sorted({*(technique.fields.get("platforms") or [])} - {"PRE"})
        foreign = [platform for platform in known if platform not in own]
        if len(own) < 3 or not foreign:
            yield Skip(technique.id, "few-distractors")
            continue
        slots = {"name": technique.name, "id": number(technique.id)}
        for right in foreign:
            answer = f"{titled(technique)} is documented for {listing(own)}, so {right} is the platform outside its scope."
            for wrong in combinations(own, 3):
                yield Draft(subject=technique.id, slots=slots, answer=answer, options=[right, *wrong])


def parent_technique(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a sub-technique -> the technique of which it is a kind."""
    for technique in knowledge.techniques():
        parents = knowledge.objects(technique.id, "subtechnique-of")
        text = short_text(knowledge, technique, params)
        if len(parents) != 1:
            continue
        if not text:
            yield Skip(technique.id, "no-text")
            continue
        answer = f"The text describes {technique.name}, a sub-technique of {parents[0].name}."
        yield Draft(
            subject=technique.id, slots={"text": text}, answer=answer, key=[number(parents[0].id)], entities=[parents[0].id]
        )


def tactic_odd_one_out(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Four techniques, three of which share a tactic -> the fourth."""
    pool = [one for one in knowledge.techniques() if "." not in one.id]
    goals = {one.id: {tactic.id for tactic in knowledge.objects(one.id, "achieves", "tactic")} for one in pool}
    for odd in pool:
        foreign = [tactic for tactic in knowledge.of_type("tactic") if tactic.id not in goals[odd.id]]
        for tactic in hash_order(foreign, odd.id)[:1]:
            sharing = hash_order(knowledge.subjects(tactic.id, "achieves"), odd.id)
            members = [one for one in sharing if one.id in goals and not goals[one.id] & goals[odd.id]][:3]
            if not goals[odd.id] or len(members) < 3:
                yield Skip(odd.id, "few-distractors")
                continue
            own = listing([knowledge.entities[one].name for one in sorted(goals[odd.id])])
            answer = f"{listing([one.name for one in members])} share the tactic {tactic.name}; {odd.name} serves {own} instead."
            options = [odd.name, *(one.name for one in members)]
            yield Draft(
                subject=odd.id, slots={}, answer=answer, options=options, entities=[tactic.id, *(one.id for one in members)]
            )


def technique_contrast(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Two sub-techniques of one technique -> what they share and where they part."""
    for parent in knowledge.techniques():
        kinds = hash_order(knowledge.subjects(parent.id, "subtechnique-of"), parent.id)
        for one, other in zip(kinds[::2], kinds[1::2], strict=False):
            texts = [clip(knowledge.text(kind.id), params.max_answer_words // 3) for kind in (one, other)]
            if not all(texts):
                yield Skip(one.id, "no-text")
                continue
            answer = f"Both are kinds of {parent.name}.\n{one.name}: {texts[0]}\n{other.name}: {texts[1]}"
            slots = {"one": one.name, "other": other.name}
            yield Draft(subject=one.id, slots=slots, answer=answer, entities=[parent.id], quoted=[other.id])


def procedure_to_technique(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """What an actor or a program did -> the technique."""
    for technique in knowledge.techniques():
        told = procedures(knowledge, technique, params)
        if not told:
            yield Skip(technique.id, "no-text")
        for link, text in told:
            yield Draft(
                subject=technique.id,
                slots={"text": text},
                answer=f"Technique: {technique.name}",
                key=[number(technique.id)],
                quoted=[link.subject],
            )


def shared_technique(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Two groups -> the technique of four that both have used; the others belong to one of them alone."""
    groups = list(knowledge.of_type("group"))
    used = {group.id: {one.id for one in knowledge.objects(group.id, "uses", "technique")} for group in groups}
    for group in groups:
        partners = [one for one in hash_order(groups, group.id) if one.id != group.id and used[group.id] & used[one.id]]
        drafts = [draft for partner in partners[:PARTNERS] for draft in _shared(knowledge, used, group.id, partner.id)]
        yield from drafts or [Skip(group.id, "few-distractors")]


def _shared(knowledge: Knowledge, used: dict[str, set[str]], one: str, other: str) -> Drafts:
    """A draft for each technique that both groups use; the wrong options differ."""
    both, alone = used[one] & used[other], used[one] ^ used[other]
    kin = set().union(*(knowledge.family(technique) for technique in both))
    names = knowledge.entities[one].name, knowledge.entities[other].name
    for right in hash_order([knowledge.entities[technique] for technique in sorted(both)], one, other)[:PARTNERS]:
        wrong = hash_order([knowledge.entities[technique] for technique in sorted(alone - kin)], one, other, right.id)[:3]
        if len({entity.name for entity in [right, *wrong]}) < 4:
            continue
        told = f"Reports attribute {titled(right)} to both {names[0]} and {names[1]}"
        yield Draft(
            subject=one,
            slots={"one": names[0], "other": names[1]},
            answer=f"{told}; each of the others is known of only one of them.",
            options=[right.name, *(entity.name for entity in wrong)],
            entities=[other, right.id, *(entity.id for entity in wrong)],
        )
