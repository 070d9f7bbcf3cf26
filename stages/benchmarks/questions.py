"""Questions about held-out documents: the text that is shown, the right answers, and distractors that are surely wrong."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from stages.errors import InputError
from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, mask, without_identifiers
from stages.tables import Reject, content_id

FOLDER = Path(__file__).parent
WRONG_OPTIONS = 3
LEAST_WORDS = 4


class Kind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of multiple-choice question (`kinds.yaml`)."""

    name: str
    subject: str
    answer: str
    relation: str
    question: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question before its letter is chosen; the right option stands first."""

    kind: str
    subject: str
    text: str
    options: list[str]
    entities: list[str]


def load_kinds(path: Path = FOLDER / "kinds.yaml") -> list[Kind]:
    """The kinds by name. Raises InputError naming the file."""
    from ruamel.yaml import YAML, YAMLError

    try:
        table = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        return [msgspec.convert({"name": name, **entry}, Kind) for name, entry in sorted(table.items())]
    except (OSError, YAMLError, msgspec.ValidationError, AttributeError, TypeError) as error:
        raise InputError(f"{path}: {error}", remedy="Mend the entry (stages.benchmarks.questions.Kind).") from error


def load_prompt(name: str) -> str:
    """A prompt file beside the code."""
    return (FOLDER / "prompts" / f"{name}.txt").read_text(encoding="utf-8").strip()


def questions_of(knowledge: Knowledge, kind: Kind, max_words: int) -> Iterator[Question | Reject]:
    """One question for every held-out subject of this kind that allows one."""
    pool = _pool(knowledge, kind)
    for subject in _of_type(knowledge, kind.subject):
        if knowledge.split(subject.id) != "heldout":
            continue
        rights = _rights(knowledge, kind, subject)
        if not rights:
            continue
        text = shown_text(knowledge, subject, rights, max_words)
        if not text:
            yield Reject(kind.name, subject.id, "no-text")
            continue
        right = min(rights, key=lambda one: content_id(subject.id, one.id))
        wrong = _distractors(knowledge, kind, subject, text, rights, pool)
        if len(wrong) < WRONG_OPTIONS:
            yield Reject(kind.name, subject.id, "few-distractors")
            continue
        options = [right.name, *(one.name for one in wrong)]
        yield Question(
            kind=kind.name, subject=subject.id, text=text, options=options, entities=[right.id, *(one.id for one in wrong)]
        )


def shown_text(knowledge: Knowledge, subject: Entity, rights: Sequence[Entity], max_words: int) -> str:
    """The subject's text without ids and without any name that gives the answer away; empty if there is none."""
    names = [entity.name for entity in (subject, *rights)]
    names += [knowledge.entities[one].name for entity in (subject, *rights) for one in knowledge.family(entity.id)]
    for text in (knowledge.text(subject.id), *(link.text for link in knowledge.links_from(subject.id, "instance-of"))):
        shown = clip(mask(without_identifiers(text), names), max_words)
        if len(shown.split()) >= LEAST_WORDS:
            return shown
    return ""


def _of_type(knowledge: Knowledge, kind: str) -> list[Entity]:
    return list(knowledge.techniques() if kind == "technique" else knowledge.of_type(kind))


def _pool(knowledge: Knowledge, kind: Kind) -> list[Entity]:
    """Possible options: what is linked somewhere by the relation, so that no option is absurd by its type."""
    answers = _of_type(knowledge, kind.answer)
    if not kind.relation:
        return answers
    if kind.relation.startswith("^"):
        return [one for one in answers if knowledge.links_from(one.id, kind.relation[1:], kind.subject)]
    return [one for one in answers if knowledge.links_to(one.id, kind.relation, kind.subject)]


def _rights(knowledge: Knowledge, kind: Kind, subject: Entity) -> list[Entity]:
    """Every right answer of the options' type."""
    if not kind.relation:
        return [subject]
    if kind.relation.startswith("^"):
        return knowledge.subjects(subject.id, kind.relation[1:], kind.answer)
    return knowledge.objects(subject.id, kind.relation, kind.answer)


def _distractors(
    knowledge: Knowledge, kind: Kind, subject: Entity, text: str, rights: Sequence[Entity], pool: Sequence[Entity]
) -> list[Entity]:
    """Hard negatives of the relation. Where a name is asked: two names that share words with the text, and a sibling."""
    ids = [one.id for one in rights]
    near: list[Entity] = []
    if not kind.relation:
        relation = "subtechnique-of" if kind.subject == "technique" else "child-of"
        parents = knowledge.objects(subject.id, relation)
        siblings = [one for parent in parents for one in knowledge.subjects(parent.id, relation)]
        alike = knowledge.closest_by_name(text, [one for one in pool if one.id not in knowledge.family(subject.id)], 2)
        near = [*alike, *knowledge.distractors(subject.id, "sibling", ids, siblings, WRONG_OPTIONS)]
    rest = knowledge.distractors(subject.id, kind.relation or "similar", ids, pool, 2 * WRONG_OPTIONS)
    chosen: list[Entity] = []
    names = {one.name.casefold() for one in rights}
    for one in [*near, *rest]:
        if one.name.casefold() not in names:
            chosen.append(one)
            names.add(one.name.casefold())
    return chosen[:WRONG_OPTIONS]
