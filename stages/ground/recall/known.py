"""Known-item questions by code: rows and benchmark items that quote or describe one entry, without names and ids."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.ground.recall.names import names_of, without_names
from stages.ground.recall.schema import Question
from stages.ground.text import words
from stages.ingest.schema import Entity, Passage
from stages.tables import content_id
from stages.tasks.schema import InstructionRow

# An intruder's act in a report's words, whose technique is known; the technique's entry says it in its own words.
DESCRIBING = ("procedure-mitigation-path", "procedure-tactic-path", "procedure-to-technique", "procedure-verdict")
PER_TASK = 40  # rows of a task that are looked at, in the order of content hashes
WORDING_ROWS = 400  # rows of a task that tell its wording
PER_WORDING = 130  # questions kept of rows that quote, of held-out items that quote, and of rows that describe
COMMON_SHARE = 0.02  # a word in more of a task's questions belongs to their wording
COMMON_ROWS = 3  # or in more than so many, where a task is small
LEAST_WORDS = 4  # words of its own that a question must have left
RUN = 8  # words in a row that make a quotation; a shorter sentence has to stand there whole
SHORTEST = 3  # words of a sentence that can be quoted
_OPTION = re.compile(r"^\s*\(?[A-H][.)]\s.*$", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+|\n+")


class Candidate(msgspec.Struct, frozen=True):
    """A row or an item as far as it can become a question."""

    id: str
    task: str
    text: str
    about: list[str]  # the entries that it is about: its documents, or else its subject
    entity_ids: list[str]  # every entity whose facts or names are in it
    quoting: str  # wording of the question if it quotes: `quotes`, or `held-out` for an item of a held-out document


def known_items(
    rows: Iterable[InstructionRow], items: Iterable[BenchmarkItem], entities: Iterable[Entity], passages: Iterable[Passage]
) -> tuple[list[Question], dict[str, int]]:
    """At most 3 x PER_WORDING questions, spread over tasks, and how many rows were looked at and left out for which reason."""
    of_task = _by_task([*map(_of_row, rows), *map(_of_item, items)])
    named = {entity.id: entity for entity in entities}
    texts: dict[str, list[str]] = defaultdict(list)
    for passage in passages:
        texts[passage.entity_id].append(passage.text)
    queues: dict[str, dict[str, list[Question]]] = {"quotes": {}, "held-out": {}, "describes": {}}
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    for task, candidates in of_task.items():
        common = task_wording(candidates)
        for candidate in candidates[:PER_TASK]:
            counts["looked-at"] += 1
            found = as_question(candidate, common, named, texts)
            if isinstance(found, str) or found.question in seen:
                counts[found if isinstance(found, str) else "said-already"] += 1
                continue
            seen.add(found.question)
            queues[found.wording].setdefault(task, []).append(found)
    kept = [question for queue in queues.values() for question in _take_turns(list(queue.values()))[:PER_WORDING]]
    counts["more-than-needed"] = sum(len(of_task) for queue in queues.values() for of_task in queue.values()) - len(kept)
    return kept, dict(sorted(counts.items()))


def as_question(
    candidate: Candidate, common: set[str], named: Mapping[str, Entity], texts: Mapping[str, Sequence[str]]
) -> Question | str:
    """The question that is left of `candidate`, or why it is none."""
    about = [entity_id for entity_id in candidate.about if texts.get(entity_id) and entity_id in named]
    if not about:
        return "no-passage"
    names = [name for entity_id in candidate.entity_ids if entity_id in named for name in names_of(named[entity_id])]
    text = own_words(without_names(_OPTION.sub(" ", candidate.text), names), common)
    if len(set(words(text)) - common) < LEAST_WORDS:
        return "nothing-left"
    quoted = sorted(entity_id for entity_id in set(candidate.entity_ids) if quotes(text, texts.get(entity_id, ())))
    if quoted:
        return Question(question=text, answers=quoted, kind=_kind(named, quoted), wording=candidate.quoting)
    if candidate.task not in DESCRIBING:
        return "no-description"
    return Question(question=text, answers=about, kind=_kind(named, about), wording="describes")


def task_wording(candidates: Sequence[Candidate]) -> set[str]:
    """The words that many of one task's questions share: its templates, not one question."""
    counts = Counter(word for candidate in candidates for word in set(words(candidate.text)))
    return {word for word, n in counts.items() if n > max(COMMON_ROWS, COMMON_SHARE * len(candidates))}


def own_words(text: str, common: set[str]) -> str:
    """The sentences of `text` that are more than their task's wording, in one line."""
    sentences = (" ".join(sentence.split()) for sentence in _SENTENCE_END.split(text))
    return " ".join(sentence for sentence in sentences if set(words(sentence)) - common)


def quotes(text: str, passages: Sequence[str]) -> bool:
    """Whether `text` has RUN words in a row of a passage, or a shorter sentence of one as a whole."""
    spoken = f" {' '.join(words(text))} "
    for sentence in (words(sentence) for passage in passages for sentence in _SENTENCE_END.split(passage)):
        runs = [sentence] if len(sentence) < RUN else [sentence[at : at + RUN] for at in range(len(sentence) - RUN + 1)]
        if len(sentence) >= SHORTEST and any(f" {' '.join(run)} " in spoken for run in runs):
            return True
    return False


def _by_task(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    """WORDING_ROWS of each task, the same on every machine: another task's rows move none of them."""
    of_task: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in sorted(candidates, key=lambda one: content_id("recall", one.id)):
        if len(of_task[candidate.task]) < WORDING_ROWS:
            of_task[candidate.task].append(candidate)
    return dict(sorted(of_task.items()))


def _take_turns(queues: Sequence[Sequence[Question]]) -> list[Question]:
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def _kind(named: Mapping[str, Entity], ids: Sequence[str]) -> str:
    return named[ids[0]].type if ids[0] in named else ""


def _of_row(row: InstructionRow) -> Candidate:
    ids = [*row.entity_ids, row.subject, *row.document_ids]
    return Candidate(row.id, row.task, row.instruction, row.document_ids or [row.subject], ids, "quotes")


def _of_item(item: BenchmarkItem) -> Candidate:
    ids = [*item.entity_ids, item.subject]
    return Candidate(item.id, f"{item.benchmark}/{item.task}", item.question, [item.subject], ids, "held-out")
