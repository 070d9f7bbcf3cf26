"""Chains over several relations: every step of the answer is one link of the graph."""

from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import sentence
from stages.tasks.cve import vulnerability_text
from stages.tasks.cwe import mitigation_lines
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import hash_order, number, points, procedures, titled

Drafts = Iterator[Draft | Skip]


def procedure_tactic_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """What an actor did -> technique -> tactic."""
    for technique in knowledge.techniques():
        tactics = knowledge.objects(technique.id, "achieves", "tactic")
        told = procedures(knowledge, technique, params)
        if len(tactics) != 1 or not told:
            yield Skip(technique.id, "ambiguous-key" if told else "no-text")
            continue
        for link, text in told:
            steps = [
                f"The actor is {knowledge.entities[link.subject].name}, and the behaviour described is {titled(technique)}.",
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
    """Technique -> attack pattern -> weakness -> a vulnerability that shows it."""
    for technique in knowledge.techniques():
        for link in knowledge.links_from(technique.id, "corresponds-to", "attack-pattern"):
            pattern = knowledge.entities[link.object]
            for weakness in knowledge.objects(pattern.id, "exploits", "weakness"):
                yield from _vulnerability_chains(knowledge, params, technique, pattern, weakness)


def cve_remedy_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Text of a vulnerability -> weakness -> what its developers should have done."""
    for vulnerability in knowledge.of_type("vulnerability"):
        weaknesses = knowledge.objects(vulnerability.id, "instance-of", "weakness")
        if len(weaknesses) != 1:
            continue
        text = vulnerability_text(knowledge, vulnerability, params.max_text_words)
        remedy = points(mitigation_lines(weaknesses[0].fields), params.max_answer_words // 2)
        if not text or not remedy:
            yield Skip(vulnerability.id, "no-text" if remedy else "no-field")
            continue
        answer = f"The root cause is {titled(weaknesses[0])}.\nMitigations of that weakness:\n{remedy}"
        cause = weaknesses[0].id
        yield Draft(
            subject=vulnerability.id, slots={"text": text}, answer=answer, key=[number(cause)], quoted=[cause], documents=[cause]
        )


def detect_or_mitigate(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique and four measures of it -> the one that detects where three prevent, or the other way round."""
    for technique in knowledge.techniques():
        detect = hash_order(knowledge.subjects(technique.id, "detects", "data-component", "sigma-rule"), technique.id)
        prevent = hash_order(knowledge.subjects(technique.id, "mitigates", "mitigation"), technique.id)
        for aim, one, others in (("detects", detect, prevent), ("prevents", prevent, detect)):
            chosen = [*one[:1], *others[:3]]
            if len({entity.name for entity in chosen}) < 4:
                yield Skip(technique.id, "few-distractors")
                continue
            rest = "prevent it" if aim == "detects" else "only show it"
            answer = f"{chosen[0].name} {aim} {titled(technique)}; the other three {rest}."
            used = [entity.id for entity in chosen]
            slots = {"name": technique.name, "aim": aim}
            options = [entity.name for entity in chosen]
            yield Draft(subject=technique.id, slots=slots, answer=answer, options=options, entities=used)


def group_mitigation_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Group -> the techniques that it uses -> the mitigations that meet most of them."""
    for group in knowledge.of_type("group"):
        techniques = knowledge.objects(group.id, "uses", "technique")
        met: dict[str, list[Entity]] = {}
        for technique in techniques:
            for mitigation in knowledge.subjects(technique.id, "mitigates", "mitigation"):
                met.setdefault(mitigation.id, []).append(technique)
        ranked = sorted(met, key=lambda one: (-len(met[one]), one))[:3]
        if len(techniques) < 3 or len(ranked) < 3:
            yield Skip(group.id, "no-link")
            continue
        lines = [f"{group.name} is known to use {len(techniques)} techniques. Mitigations by how many of them they meet:"]
        for one in ranked:
            named = ", ".join(titled(technique) for technique in hash_order(met[one], group.id)[:3])
            lines.append(f"- {titled(knowledge.entities[one])}: {len(met[one])} techniques, such as {named}.")
        yield Draft(subject=group.id, slots={"name": group.name}, answer="\n".join(lines), entities=ranked)


def _vulnerability_chains(
    knowledge: Knowledge, params: TasksParams, technique: Entity, pattern: Entity, weakness: Entity
) -> Drafts:
    """Chains of one technique, pattern and weakness, one for each vulnerability (three at most)."""
    vulnerabilities = knowledge.subjects(weakness.id, "instance-of", "vulnerability")
    open_ones = [one for one in hash_order(vulnerabilities, technique.id) if knowledge.split(one.id) != "heldout"]
    for vulnerability in open_ones[:3]:
        text = vulnerability_text(knowledge, vulnerability, 40)
        if not text:
            yield Skip(technique.id, "no-text")
            continue
        steps = [
            f"{titled(technique)} corresponds to the attack pattern {titled(pattern)}.",
            f"That pattern relies on the weakness {titled(weakness)}.",
            f"{number(vulnerability.id)} shows this weakness: {sentence(text)}",
        ]
        yield Draft(
            subject=technique.id,
            slots={"name": technique.name, "id": number(technique.id), "vulnerability": number(vulnerability.id)},
            answer=_chain(steps),
            key=[number(weakness.id)],
            entities=[pattern.id, weakness.id],
            quoted=[vulnerability.id],
            documents=[pattern.id, weakness.id],
        )


def _chain(steps: list[str]) -> str:
    return "\n".join(f"{place}. {step}" for place, step in enumerate(steps, start=1))
