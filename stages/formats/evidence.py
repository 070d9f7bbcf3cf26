"""Passages that a drafter may read: about the sampled questions' subjects, held out nowhere, and giving no answer away."""

import re
from collections.abc import Iterable, Mapping, Sequence

from stages.benchmarks.schema import BenchmarkItem
from stages.graph.schema import Split
from stages.ingest.schema import Passage
from stages.tasks.schema import InstructionRow

MAX_PASSAGE = 600  # characters of one passage
RUN = 6  # so many words in a row that stand in an answer, and not in its question, give the answer away
_WORD = re.compile(r"[a-z0-9]+")


def usable_by_entity(
    passages: Iterable[Passage], splits: Iterable[Split], items: Iterable[BenchmarkItem]
) -> dict[str, list[Passage]]:
    """Passages by entity, without those of held-out subjects and of every entity that a benchmark item is about or names."""
    barred = {split.entity_id for split in splits if split.split == "heldout"}
    for item in items:
        barred.update((item.subject, *item.entity_ids))
    found: dict[str, list[Passage]] = {}
    for passage in sorted(passages, key=lambda passage: passage.id):
        if passage.entity_id not in barred and passage.text.strip():
            found.setdefault(passage.entity_id, []).append(passage)
    return found


def passages_for(rows: Sequence[InstructionRow], by_entity: Mapping[str, Sequence[Passage]], count: int) -> list[str]:
    """At most `count` texts about the documents of `rows`, else about their subjects, rows taking turns."""
    about = [row.document_ids or row.entity_ids[:1] for row in rows]
    queues = [[passage for entity in entities for passage in by_entity.get(entity, ())] for entities in about]
    turns = range(max(map(len, queues), default=0))
    ordered = {queue[turn].id: queue[turn] for turn in turns for queue in queues if turn < len(queue)}
    told = [passage for passage in ordered.values() if not any(gives_away(passage, row) for row in rows)]
    return [f"{passage.title}: {' '.join(passage.text.split())}"[:MAX_PASSAGE] for passage in told[:count]]


def gives_away(passage: Passage, row: InstructionRow) -> bool:
    """Whether a passage holds a run of words, or a key, of the answer of `row` that the question does not hold."""
    text = f"{passage.id} {passage.title} {passage.text}".lower()
    question = row.instruction.lower()
    if row.key_kind not in ("letter", "yes-no") and any(
        key.lower() in text and key.lower() not in question for key in row.answer_key
    ):
        return True
    return bool((_runs(row.answer) - _runs(row.instruction)) & _runs(text))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return set(zip(*(words[start:] for start in range(RUN)), strict=False))
