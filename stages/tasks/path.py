"""Chains over several relations: every step of the answer is one link of the graph."""

from collections.abc import Iterator
from itertools import product

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import listing, sentence
from stages.tasks.cve import cases, vulnerability_text
from stages.tasks.cwe import cwe_number, mitigation_lines
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import hash_order, number, points, procedures, titled

Drafts = Iterator[Draft | Skip]
MOST_VULNERABILITIES = 5
ALTERNATIVES = 4  # measures of each kind to choose from, so that no name gives itself away


def procedure_tactic_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """What an actor did -> technique -> tactic."""
    for technique in knowledge.techniques():
        tactics = knowledge.objects(technique.id, "achieves", "tactic")
        told = procedures(knowledge, technique, params)
        if len(tactics) != 1 or not told:
            yield Skip(technique.id, "ambiguous-key" if told else "no-text")
            continue
        for link, text in told:
            user = knowledge.entities[link.subject]
            steps = [
                f"The behaviour of the {user.type} {user.name} that is described is {titled(technique)}.",
                f"{technique.name} serves the tactic {titled(tactics[0])}.",
            ]
            yield Draft(
                subject=technique.id,
                slots={"text": text},
                answer=_chain(steps),
                key=[number(tactics[0].id)],
                entities=[tactics[0].id],
                quoted=[link.subject],
            )


def technique_vulnerability_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique -> attack pattern -> weakness -> a vulnerability that shows it; every weakness that joins them is right."""
    for technique in knowledge.techniques():
        patterns: dict[str, list[Entity]] = {}
        for pattern in knowledge.objects(technique.id, "corresponds-to", "attack-pattern"):
            for weakness in knowledge.objects(pattern.id, "exploits", "weakness"):
                patterns.setdefault(weakness.id, []).append(pattern)
        shown = {one.id: one for weakness in patterns for one in knowledge.subjects(weakness, "instance-of", "vulnerability")}
        open_ones = [one for one in shown.values() if knowledge.split(one.id) != "heldout"]
        for vulnerability in hash_order(open_ones, technique.id)[:MOST_VULNERABILITIES]:
            yield _vulnerability_chain(knowledge, technique, patterns, vulnerability)


def cve_remedy_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Text of a vulnerability -> weakness -> what its developers should have done."""
    remedies: dict[str, str] = {}
    for vulnerability, weaknesses, text in cases(knowledge, params, "cve-remedy-path"):
        if len(weaknesses) != 1:
            continue
        cause = weaknesses[0].id
        if cause not in remedies:
            remedies[cause] = points(mitigation_lines(weaknesses[0].fields), params.max_answer_words // 2)
        remedy = remedies[cause]
        if not text or not remedy:
            yield Skip(vulnerability.id, "no-text" if remedy else "no-field")
            continue
        answer = f"The root cause is {titled(weaknesses[0])}.\nMitigations of that weakness:\n{remedy}"
        yield Draft(
            subject=vulnerability.id, slots={"text": text}, answer=answer, key=[number(cause)], quoted=[cause], documents=[cause]
        )


def detect_or_mitigate(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique and two measures of either kind, one of each kind meant for it -> the one that plays the part asked for."""
    shows, stops = list(knowledge.of_type("data-component")), list(knowledge.of_type("mitigation"))
    for technique in knowledge.techniques():
        detect = hash_order(knowledge.subjects(technique.id, "detects", "data-component"), technique.id)
        prevent = hash_order(knowledge.subjects(technique.id, "mitigates", "mitigation"), technique.id)
        if not detect or not prevent:
            yield Skip(technique.id, "no-link")
            continue
        no_detect = knowledge.distractors(technique.id, "^detects", [one.id for one in detect], shows, ALTERNATIVES)
        no_prevent = knowledge.distractors(technique.id, "^mitigates", [one.id for one in prevent], stops, ALTERNATIVES)
        foreign = list(zip(no_detect, no_prevent, strict=False))
        for right_detect, right_prevent in product(detect[:ALTERNATIVES], prevent[:ALTERNATIVES]):
            for wrong_detect, wrong_prevent in foreign:
                yield _part(technique, "detects", [right_detect, wrong_detect, right_prevent, wrong_prevent])
                yield _part(technique, "prevents", [right_prevent, wrong_prevent, right_detect, wrong_detect])


def _part(technique: Entity, aim: str, options: list[Entity]) -> Draft:
    """The right option first, then an unrelated one of its kind, then one of the other kind that is meant for the technique."""
    right, foreign, other, stranger = options
    does = "prevents" if aim == "detects" else "detects"
    answer = (
        f"{right.name} {aim} {titled(technique)}. {other.name} {does} it instead; "
        f"{foreign.name} and {stranger.name} are not listed for it."
    )
    return Draft(
        subject=technique.id,
        slots={"name": technique.name, "aim": aim},
        answer=answer,
        options=[one.name for one in options],
        entities=[one.id for one in options],
    )


def group_mitigation_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Group -> the techniques that it uses -> the mitigations that meet most of them."""
    for group in knowledge.of_type("group"):
        used = knowledge.objects(group.id, "uses", "technique")
        techniques = [
            one for one in used if knowledge.split(one.id) != "heldout"
        ]  # of the others the mitigations are unknown here
        met: dict[str, list[Entity]] = {}
        for technique in techniques:
            for mitigation in knowledge.subjects(technique.id, "mitigates", "mitigation"):
                met.setdefault(mitigation.id, []).append(technique)
        ranked = sorted(met, key=lambda one: (-len(met[one]), one))[:3]
        if len(techniques) < 3 or len(ranked) < 3:
            yield Skip(group.id, "no-link")
            continue
        lines = [
            f"Counted over {len(techniques)} techniques that {group.name} is known to use, these mitigations meet most of them:"
        ]
        for one in ranked:
            named = ", ".join(titled(technique) for technique in hash_order(met[one], group.id)[:3])
            lines.append(f"- {titled(knowledge.entities[one])}: {len(met[one])} techniques, such as {named}.")
        yield Draft(subject=group.id, slots={"name": group.name}, answer="\n".join(lines), entities=ranked)


def _vulnerability_chain(
    knowledge: Knowledge, technique: Entity, patterns: dict[str, list[Entity]], vulnerability: Entity
) -> Draft | Skip:
    """The chain over every weakness that the technique's patterns rely on and the vulnerability shows."""
    weaknesses = [one for one in knowledge.objects(vulnerability.id, "instance-of", "weakness") if one.id in patterns]
    text = vulnerability_text(knowledge, vulnerability, 40)
    if not text or any(one.fields.get("abstraction") in ("Pillar", "Class") for one in weaknesses):
        return Skip(technique.id, "no-text" if not text else "broad-weakness")
    weaknesses.sort(key=lambda one: cwe_number(one.id))
    between = list({pattern.id: pattern for one in weaknesses for pattern in patterns[one.id]}.values())
    names = listing([titled(one) for one in weaknesses])
    steps = [
        f"{titled(technique)} corresponds to the attack pattern {listing([titled(one) for one in between])}.",
        f"{'That pattern relies' if len(between) == 1 else 'Those patterns rely'} on {names}.",
        f"{number(vulnerability.id)} shows the same: {sentence(text)}",
    ]
    return Draft(
        subject=technique.id,
        slots={"name": technique.name, "id": number(technique.id), "vulnerability": number(vulnerability.id)},
        answer=_chain(steps),
        key=[number(one.id) for one in weaknesses],
        entities=[one.id for one in [*between, *weaknesses]],
        quoted=[vulnerability.id],
    )


def _chain(steps: list[str]) -> str:
    return "\n".join(f"{place}. {step}" for place, step in enumerate(steps, start=1))
