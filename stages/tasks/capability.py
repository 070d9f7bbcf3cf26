"""Security capabilities of products and cloud services: which technique they meet, and in what part."""

from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, sentence
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.linked import told
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, is_open, short_text, titled

Drafts = Iterator[Draft | Skip]
STRANGERS = 12  # techniques that a capability is not meant for, to ask about
DOES = {"mitigates": "prevents or limits", "detects": "detects", "responds-to": "responds to"}
ROLES = {"mitigates": "It prevents or limits it", "detects": "It detects it", "responds-to": "It responds to it"}


def capability_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a technique and a platform -> the platform's service of four that meets it (protects, detects or responds)."""
    pools: dict[str, list[Entity]] = {}
    for capability in knowledge.of_type("security-capability"):
        if any(knowledge.links_from(capability.id, relation, "technique") for relation in ROLES):
            pools.setdefault(_framework(capability), []).append(capability)
    for technique in knowledge.techniques() if pools else ():
        met = {one.id: one for relation in ROLES for one in knowledge.subjects(technique.id, relation, "security-capability")}
        text = short_text(knowledge, technique, params)
        for framework in sorted({_framework(one) for one in met.values()}):
            own = sorted(
                (one for one in met.values() if _framework(one) == framework), key=lambda one: content_id(technique.id, one.id)
            )
            if not text or len(pools.get(framework, [])) < 4:
                yield Skip(technique.id, "few-distractors" if text else "no-text")
                continue
            slots = {"text": text, "platform": framework}
            because = _reason(knowledge, own[0], technique)
            yield choice(
                knowledge,
                technique,
                slots,
                own[0],
                own[1:],
                pools[framework],
                relation="^capability",
                because=because,
                group=framework,
            )


def capability_role(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """What a service does about a technique -> does it prevent, detect, respond, or is it meant for another technique?"""
    pool = list(knowledge.techniques())
    for capability in knowledge.of_type("security-capability"):
        links = {relation: knowledge.links_from(capability.id, relation, "technique") for relation in ROLES}
        met = {link.object for found in links.values() for link in found}
        foreign = knowledge.distractors(capability.id, "capability", met, pool, STRANGERS)
        for letter, relation in zip("ABC", ROLES, strict=True):
            others = {one.object for role, found in links.items() if role != relation for one in found}
            for link in links[relation]:
                technique = knowledge.entities[link.object]
                text = told(knowledge, link.text, [technique], params)
                if not text or link.object in others:
                    yield Skip(link.object, "ambiguous-key" if text else "no-text")
                    continue
                answer = f"What is described {DOES[relation]} {titled(technique)}."
                yield _role(capability, technique, text, letter, answer)
                if foreign and knowledge.split(technique.id) != "heldout":
                    stranger = min(foreign, key=lambda one: content_id(link.object, one.id))
                    answer = f"What is described is meant for {titled(technique)}; {stranger.name} is not covered."
                    yield _role(capability, stranger, text, "D", answer, technique)


def _role(capability: Entity, asked: Entity, text: str, letter: str, answer: str, meant: Entity | None = None) -> Draft:
    return Draft(
        subject=asked.id,
        slots={"name": capability.name, "technique": asked.name, "text": text},
        answer=answer,
        options=[*ROLES.values(), "It is meant for another technique"],
        letter=letter,
        entities=[meant.id] if meant else [],
        quoted=[capability.id],
    )


def _framework(capability: Entity) -> str:
    """`AWS`, `Azure`, ... as the source names it."""
    return str(capability.fields.get("framework") or capability.id.partition(":")[2].partition("/")[0])


def _reason(knowledge: Knowledge, capability: Entity, technique: Entity) -> str:
    """What the source says of the pair, or the part that the capability plays."""
    for relation, role in ROLES.items():
        for link in knowledge.links_to(technique.id, relation, "security-capability"):
            if link.subject == capability.id:
                comment = clip(link.text, 50) if is_open(knowledge, capability.id) else ""
                return f"{capability.name} meets {titled(technique)}. {sentence(comment) or role + '.'}".strip()
    return f"{capability.name} meets {titled(technique)}"
