"""Relationship prediction: two statements about one entity, of which one explains its link to a held-out technique."""

from collections.abc import Iterator, Sequence

from stages.benchmarks.choice import letter_item, letters_of, round_robin
from stages.benchmarks.params import BenchmarksParams
from stages.benchmarks.questions import LEAST_WORDS, Question, load_prompt
from stages.benchmarks.schema import BenchmarkItem
from stages.ingest.schema import Entity, Link
from stages.kinds import Kind
from stages.knowledge import Knowledge
from stages.options import Ask
from stages.prose import clip, fill, mask, without_identifiers
from stages.tables import Reject, content_id

BENCHMARK = "secforge-relations"
LETTERS = "AB"


def relation_items(
    knowledge: Knowledge, kinds: Sequence[Kind], params: BenchmarksParams
) -> tuple[list[BenchmarkItem], list[Reject]]:
    """Items of the benchmark, letters in turn, and what was rejected."""
    by_kind: dict[str, list[Question]] = {}
    rejects: list[Reject] = []
    for kind in kinds:
        if kind.benchmark == BENCHMARK:
            made = list(_questions(knowledge, kind, params.max_text_words // 2))
            by_kind[kind.name] = [one for one in made if isinstance(one, Question)]
            rejects += [one for one in made if isinstance(one, Reject)]
    asked = round_robin(by_kind, params.seed)[: params.size(BENCHMARK)]
    asked = asked[: len(asked) // len(LETTERS) * len(LETTERS)]
    prompt, letters = load_prompt("mcq"), letters_of(len(asked), LETTERS, params.seed)
    return [_item(knowledge, one, letter, prompt) for one, letter in zip(asked, letters, strict=True)], rejects


def _item(knowledge: Knowledge, question: Question, letter: str, prompt: str) -> BenchmarkItem:
    options = question.options if letter == "A" else question.options[::-1]
    subject = knowledge.entities[question.subject]
    return letter_item(subject, BENCHMARK, question.kind, (prompt, question.text), options, letter, question.entities)


def _questions(knowledge: Knowledge, kind: Kind, max_words: int) -> Iterator[Question | Reject]:
    """For each held-out technique its first links in hash order, each beside what the same entity does elsewhere."""
    relation = kind.relation.removeprefix("^")
    for technique in knowledge.techniques():
        if knowledge.split(technique.id) != "heldout":
            continue
        links = knowledge.links_to(technique.id, relation, kind.answer)
        for link in sorted(links, key=lambda one: content_id(one.subject, one.object))[: kind.per_subject]:
            yield _question(knowledge, kind, technique, link, max_words)


def _question(knowledge: Knowledge, kind: Kind, technique: Entity, link: Link, max_words: int) -> Question | Reject:
    """The right statement first. The wrong one is about a technique that is no relative of the held-out one."""
    other, family = knowledge.entities[link.subject], knowledge.family(technique.id)
    right = _statement(knowledge, link, technique.id, max_words)
    elsewhere = knowledge.links_from(link.subject, link.relation, "technique")
    wrong = {_statement(knowledge, one, technique.id, max_words): one.object for one in elsewhere if one.object not in family}
    near = sorted((text for text in wrong if text and text != right), key=lambda text: content_id(link.subject, right, text))
    if not right or not near:
        return Reject(kind.name, f"{link.subject} {technique.id}", "no-text" if not right else "few-distractors")
    closest = min(near, key=lambda text: (-_shared(text, right), content_id(right, text)))
    asked = fill(kind.question, {"other": other.name, "name": technique.name})
    ask = Ask(key=f"{link.subject} {technique.id}", right=right, barred=frozenset())
    used = [link.subject, wrong[closest]]
    return Question(kind=kind.name, subject=technique.id, text=asked, options=[right, closest], ask=ask, ids={}, entities=used)


def _statement(knowledge: Knowledge, link: Link, technique: str, max_words: int) -> str:
    """The source's sentence without ids and without names of the asked technique and of its own; empty if too little is left."""
    names = knowledge.hidden_names(technique, link.object)
    text = mask(without_identifiers(clip(link.text, max_words)), names)
    return text if len(text.split()) >= 2 * LEAST_WORDS else ""


def _shared(one: str, other: str) -> float:
    """Jaccard similarity of the words: the closest wrong statement is the one worth reading."""
    words, others = set(one.casefold().split()), set(other.casefold().split())
    return len(words & others) / len(words | others)
