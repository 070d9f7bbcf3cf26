"""Shapes of tasks that recognise an entry by its text: choose its name among near ones, confirm or deny a name.

What a reader learns here is to tell an entry from its nearest neighbours, so the wrong names are those whose texts
share most rare words with the text shown.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import log

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, is_cut, mask, sentence, sentences, without_identifiers
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import LEAST_CONTENT_WORDS, RESERVE, choice, number, titled

Drafts = Iterator[Draft | Skip]
COMMON = 0.1  # a word in more than this share of the texts tells none of them apart
CONTRAST_WORDS = 45  # of the text that says what the wrong name stands for


def of_domain(entities: Iterable[Entity], *domains: str) -> list[Entity]:
    """Entities of these matrices: the mobile and the ICS one repeat names of the enterprise one."""
    return [one for one in entities if one.fields.get("domain", "enterprise") in domains]


def ordinary_words(entities: Iterable[Entity]) -> frozenset[str]:
    """Words that some text writes in lower case: a name's other words are its own and give it away."""
    return frozenset(word for entity in entities for word in re.findall(r"\b[a-z]{3,}\b", entity.text))


def shown_text(knowledge: Knowledge, entity: Entity, params: TasksParams, ordinary: frozenset[str] | None = None) -> str:
    """The entity's text with every name hidden; a text that the source ended early serves a question, if not an answer.

    With `ordinary`, words that only the name has are hidden one by one, too (`APT28` of a campaign named after it).
    """
    if is_cut(entity.text):
        return ""
    names = knowledge.hidden_names(entity.id)
    if ordinary is not None:
        words = {word for name in knowledge.names_of(entity.id) for word in re.findall(r"[\w.-]{3,}", name)}
        names = sorted({*names, *(word for word in words if word.casefold() not in ordinary)})
    text = clip(mask(without_identifiers(entity.text), names), params.max_text_words)
    if re.search(rf"(?<!\w){re.escape(entity.name)}(?!\w)", text, re.IGNORECASE):  # too short to be hidden: `at`
        return ""
    return text if len(re.findall(r"[A-Za-z]{3,}", text)) >= LEAST_CONTENT_WORDS else ""


def nearest(pool: Sequence[Entity]) -> dict[str, list[Entity]]:
    """For each entity the others by the rare words that their texts share, the nearest first; at most RESERVE."""
    words = {one.id: set(re.findall(r"[a-z]{4,}", one.text.lower())) for one in pool}
    holders: dict[str, list[Entity]] = defaultdict(list)
    for one in sorted(pool, key=lambda entity: entity.id):
        for word in words[one.id]:
            holders[word].append(one)
    weight = {
        word: log(len(pool) / len(found)) for word, found in holders.items() if 1 < len(found) <= max(2, COMMON * len(pool))
    }
    found: dict[str, list[Entity]] = {}
    for one in pool:
        scores: Counter[str] = Counter()
        for word in sorted(words[one.id] & weight.keys()):
            for other in holders[word]:
                scores[other.id] += weight[word] / (1 + len(words[other.id])) ** 0.5  # type: ignore[assignment]
        ranked = sorted(
            (other for other in pool if other.id != one.id), key=lambda other: (-round(scores[other.id], 6), other.id)
        )
        found[one.id] = ranked[:RESERVE]
    return found


def partners(knowledge: Knowledge, pool: Sequence[Entity], barred: dict[str, frozenset[str]] | None = None) -> dict[str, Entity]:
    """For each entity a near one that is surely another; each serves about once, so that no name tells the verdict."""
    near, times = nearest(pool), Counter[str]()
    found: dict[str, Entity] = {}
    for one in sorted(pool, key=lambda entity: content_id("partner", entity.id)):
        kin = knowledge.family(one.id) | (barred or {}).get(one.id, frozenset())
        open_ones = [
            other
            for other in near[one.id]
            if other.id not in kin and other.name != one.name and knowledge.split(other.id) != "heldout"
        ]
        if open_ones:
            found[one.id] = min(open_ones, key=lambda other: times[other.id])
            times[found[one.id].id] += 1
    return found


def choose_name(
    knowledge: Knowledge, params: TasksParams, pool: Sequence[Entity], noun: str, ordinary: frozenset[str] | None = None
) -> Drafts:
    """Text with the names hidden -> one of four names; those of the nearest texts are the wrong ones."""
    near = nearest(pool)
    for entity in pool:
        text = shown_text(knowledge, entity, params, ordinary)
        if not text:
            yield Skip(entity.id, "no-text")
            continue
        because = f"The text describes the {noun} {titled(entity)}"
        hard = near[entity.id]
        if ordinary is None:  # names that say what they stand for: those that share words with the text come first
            hard = [*knowledge.closest_by_name(text, [one for one in pool if one.id != entity.id], RESERVE // 2), *hard]
        yield choice(knowledge, entity, {"text": text}, entity, [], pool, relation="similar", because=because, near=hard)


def confirm_name(
    knowledge: Knowledge, params: TasksParams, pool: Sequence[Entity], noun: str, ordinary: frozenset[str] | None = None
) -> Drafts:
    """Text and a name -> is it that one? The answer to a wrong name says what that name stands for instead."""
    other = partners(knowledge, pool)
    for entity in pool:
        text = shown_text(knowledge, entity, params, ordinary)
        if not text or entity.id not in other:
            yield Skip(entity.id, "few-distractors" if text else "no-text")
            continue
        wrong = other[entity.id]
        yes = f"The text fits: it describes the {noun} {titled(entity)}"
        no = f"The text describes {titled(entity)}, not {titled(wrong)}"
        yield _verdict(entity, text, entity, True, sentence(yes))
        yield _verdict(entity, text, wrong, False, f"{sentence(no)} {_contrast(knowledge, wrong)}".strip())


def describe_with(knowledge: Knowledge, params: TasksParams, pool: Sequence[Entity], facts: dict[str, list[str]]) -> Drafts:
    """Name -> the beginning of its text and, line by line, what the graph adds to it."""
    for entity in pool:
        told = "\n".join(facts.get(entity.id, []))
        text = clip(entity.text if knowledge.text(entity.id) else "", params.max_answer_words - len(told.split()))
        if not text:
            yield Skip(entity.id, "no-text")
            continue
        slots = {"name": entity.name, "id": number(entity.id)}
        yield Draft(subject=entity.id, slots=slots, answer=f"{text}\n{told}".strip())


def _contrast(knowledge: Knowledge, entity: Entity) -> str:
    """The first sentence that says what another entry is."""
    told = next((one for one in sentences(knowledge.text(entity.id)) if not one.endswith(":")), "")
    return sentence(told) if len(told.split()) <= CONTRAST_WORDS else ""


def _verdict(subject: Entity, text: str, named: Entity, verdict: bool, answer: str) -> Draft:
    slots = {"text": text, "name": named.name}
    quoted = [] if named.id == subject.id else [named.id]
    return Draft(subject=subject.id, slots=slots, answer=answer, verdict=verdict, quoted=quoted)
