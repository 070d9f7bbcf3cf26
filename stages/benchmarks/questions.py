"""Questions about held-out documents: the text that is shown, the right answers, and distractors that are surely wrong."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import msgspec

from stages.ingest.schema import Entity
from stages.kinds import Kind
from stages.knowledge import Knowledge
from stages.options import WRONG_OPTIONS, Ask, fresh_options, wrong_options
from stages.prose import IDENTIFIER, clip, mask, without_identifiers
from stages.tables import Reject, content_id

FOLDER = Path(__file__).parent
ALIKE = 24  # names that share words with the text: few of them are right elsewhere and may stand
TOLD_ALIKE = 12  # entities described in like words
RESERVE = 12  # named wrong options for kinds with few questions
LEAST_WORDS = 4
LEAST_WORDS_LEFT = 8  # of a text with hidden names: of less nobody can tell what it is about
LEAST_REPORT_LEFT = 25  # of a vulnerability's text with hidden names: product and version alone tell no flaw
HIDDEN = "[...]"
TOO_WIDE = ("Discouraged", "Prohibited")  # CWE's usage notes for mapping
IMPACT_ONLY = re.compile(
    r"[^.]*\b(?:Remote Code Execution|Elevation of Privilege|Information Disclosure|Denial of Service|Spoofing|Tampering"
    r"|Security Feature Bypass|Memory Corruption) Vulnerability\.?",
    re.IGNORECASE,
)  # such a title names a product and what happens, never the flaw


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question before its letter and its wrong options are chosen; the right option stands first."""

    kind: str
    subject: str
    text: str
    options: list[str]
    ask: Ask  # how the wrong options are found when all questions of the kind are known
    ids: dict[str, str]  # ids of named options
    entities: list[str]


def load_prompt(name: str) -> str:
    """A prompt file beside the code."""
    return (FOLDER / "prompts" / f"{name}.txt").read_text(encoding="utf-8").strip()


def tells_nothing(text: str) -> bool:
    """Whether a vulnerability's text is a title that names no more than a product and an impact."""
    return IMPACT_ONLY.fullmatch(text.strip()) is not None


def questions_of(knowledge: Knowledge, kind: Kind, max_words: int) -> Iterator[Question | Reject]:
    """Questions about every held-out subject of this kind that allows one: `per_subject` at most, the seldom linked answers first."""
    pool = _pool(knowledge, kind)
    times, options = _times_linked(knowledge, kind, pool), {one.id for one in pool}
    for subject in _of_type(knowledge, kind.subject):
        if knowledge.split(subject.id) != "heldout":
            continue
        rights = _rights(knowledge, kind, subject)
        asked = [one for one in rights if one.id in options]
        if not asked:
            continue
        text = shown_text(knowledge, subject, rights, max_words)
        if not text:
            yield Reject(kind.name, subject.id, "no-text")
            continue
        wrong = _distractors(knowledge, kind, subject, text, rights, pool)
        if len(wrong) < WRONG_OPTIONS:
            yield Reject(kind.name, subject.id, "few-distractors")
            continue
        ranked = sorted(asked, key=lambda one: (times[one.id], content_id(subject.id, one.id)))
        for right in ranked[: kind.per_subject]:
            yield _question(knowledge, kind, subject, text, (right, rights), wrong)


def _question(
    knowledge: Knowledge, kind: Kind, subject: Entity, text: str, right: tuple[Entity, list[Entity]], wrong: Sequence[Entity]
) -> Question:
    """The question for which the first of `right` is the right option, and none of the others is a wrong one."""
    chosen, rights = right
    barred = {subject.id}.union(*(knowledge.family(one.id) for one in rights))
    names = [one.name for one in wrong]
    ask = Ask(
        key=subject.id if kind.per_subject == 1 else f"{subject.id} {chosen.id}",
        right=chosen.name,
        barred=frozenset(knowledge.entities[one].name.casefold() for one in barred),
        hard=names,
        reserve=names,
    )
    ids = {one.name: one.id for one in reversed([chosen, *wrong])}
    return Question(kind=kind.name, subject=subject.id, text=text, options=[chosen.name], ask=ask, ids=ids, entities=[chosen.id])


def complete(questions: Sequence[Question]) -> list[Question]:
    """Questions of one kind with their wrong options; those for which there are too few are left out.

    Where the subjects' own names are asked, each is right once: then no name stands twice.
    """
    asks = [one.ask for one in questions]
    once = len({ask.right for ask in asks}) == len(asks) and all(one.entities == [one.subject] for one in questions)
    ids = {name: one for question in questions for name, one in sorted(question.ids.items())}
    found = []
    for question, wrong in zip(questions, (fresh_options if once else wrong_options)(asks), strict=True):
        if len(wrong) == WRONG_OPTIONS:
            used = [*question.entities, *(ids[name] for name in wrong if name in ids)]
            found.append(msgspec.structs.replace(question, options=[*question.options, *wrong], entities=used))
    return found


def _times_linked(knowledge: Knowledge, kind: Kind, pool: Sequence[Entity]) -> Counter[str]:
    """Number of subjects that each answer is linked with: the seldom linked one says more about its subject."""
    if not kind.relation:
        return Counter()
    look = knowledge.objects if kind.relation.startswith("^") else knowledge.subjects
    return Counter({one.id: len(look(one.id, kind.relation.removeprefix("^"), kind.subject)) for one in pool})


def shown_text(knowledge: Knowledge, subject: Entity, rights: Sequence[Entity], max_words: int) -> str:
    """The subject's text without ids and without any name that gives the answer away; empty if there is none."""
    is_rule = subject.type == "sigma-rule"  # its title says what it looks for
    names = spellings(knowledge.hidden_names(*(entity.id for entity in (rights if is_rule else (subject, *rights)))))
    title = f"{subject.name}: " if is_rule and not IDENTIFIER.search(subject.name) else ""
    least = LEAST_REPORT_LEFT if subject.type == "vulnerability" else LEAST_WORDS_LEFT
    for text in (knowledge.text(subject.id), *(link.text for link in knowledge.links_from(subject.id, "instance-of"))):
        shown = clip(mask(without_identifiers(text), names), max_words)
        shown = mask(without_identifiers(title + shown), names) if shown else ""
        if subject.type == "vulnerability" and tells_nothing(shown):
            continue
        words = re.findall(r"[A-Za-z]{3,}", shown)
        if len(shown.split()) >= LEAST_WORDS and (HIDDEN not in shown or len(words) >= least):
            return shown
    return ""


def spellings(names: Sequence[str]) -> list[str]:
    """Names with their hyphens as spaces and their spaces as hyphens too: `divide-by-zero`, `out of bounds read`."""
    return sorted({form for name in names for form in (name, name.replace(" ", "-"), name.replace("-", " "))})


def _of_type(knowledge: Knowledge, kind: str) -> list[Entity]:
    return list(knowledge.techniques() if kind == "technique" else knowledge.of_type(kind))


def _pool(knowledge: Knowledge, kind: Kind) -> list[Entity]:
    """Possible options: what is linked somewhere by the relation, so that no option is absurd by its type.

    A weakness that CWE itself advises against mapping to is none: it is so wide that it is right beside a narrower one.
    """
    answers = _of_type(knowledge, kind.answer)
    if not kind.relation:
        return answers
    answers = [one for one in answers if (one.fields.get("mapping") or {}).get("usage") not in TOO_WIDE]
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
    """Wrong options in the order of their worth: siblings or hard negatives, what is told or named alike, others.

    What the text itself names is none: it may be right too, or is told apart without knowing anything.
    """
    ids = [one.id for one in rights]
    barred = set().union(*(knowledge.family(one) for one in ids))
    candidates = [one for one in pool if one.id not in barred]
    alike = knowledge.closest_by_name(text, candidates, ALIKE)
    if not kind.relation:
        alike = _in_turn(knowledge.closest_by_text(subject.id, candidates, TOLD_ALIKE), alike)
    rest = knowledge.distractors(subject.id, kind.relation or "similar", ids, pool, RESERVE)
    allowed = {one.id for one in candidates}
    hard = knowledge.hard_negatives(subject.id, kind.relation) if kind.relation else _siblings(knowledge, kind, subject)
    chosen: dict[str, Entity] = {}
    for one in [*hard, *alike, *rest]:
        if one.id in allowed and mask(text, [one.name]) == text:
            chosen.setdefault(one.name.casefold(), one)
    for one in rights:
        chosen.pop(one.name.casefold(), None)
    return list(chosen.values())


def _in_turn(one: Sequence[Entity], other: Sequence[Entity]) -> list[Entity]:
    """Both lists dealt alternately."""
    return [entity for pair in zip_longest(one, other) for entity in pair if entity is not None]


def _siblings(knowledge: Knowledge, kind: Kind, subject: Entity) -> list[Entity]:
    relation = "subtechnique-of" if kind.subject == "technique" else "child-of"
    parents = knowledge.objects(subject.id, relation)
    found = [one for parent in parents for one in knowledge.subjects(parent.id, relation)]
    return [one for one in found if one.id != subject.id][:1]
