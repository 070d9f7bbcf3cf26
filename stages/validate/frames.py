"""Tables as columns for the suites: lists flattened, facts that span columns or tables computed."""

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from stages.benchmarks.schema import BenchmarkItem
from stages.control_tokens import has_control_tokens
from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ground.schema import Evidence
from stages.ingest.schema import Entity, Link, Passage
from stages.tables import content_id
from stages.tasks.schema import InstructionRow
from stages.validate.schema import ClusterRow, SafetyFinding, TrainingRow

Frame = dict[str, list[Any]]

FINAL_ANSWER = "Final answer:"
_LETTERS_NEEDED = 40  # below, three standard errors of a share of 0.25 are over 0.2
_MARKUP = re.compile(r"\(Citation: |\]\(https?://")
_WHOLE = re.compile(r"[.!?:;)\]}\"'`”’…]\s*$|^\s*(?:[-*\d].*|Final answer:.*|\S+)$")


def entity_frame(entities: Sequence[Entity]) -> Frame:
    """Columns of the entities suite."""
    frame = _columns(entities, "id", "type", "name", "text", "licence", "source", "uri", "published")
    return frame | {"is_clean": [not _MARKUP.search(entity.text) for entity in entities]}


def link_frame(links: Sequence[Link], known: Collection[str]) -> Frame:
    """Columns of the links suite; `known` are the entity ids of the graph."""
    frame = _columns(links, "subject", "relation", "object", "licence", "source")
    return frame | {
        "link": [f"{link.subject} {link.relation} {link.object} ({link.source}) {link.text}" for link in links],
        "is_subject_known": [link.subject in known for link in links],
        "is_object_known": [link.object in known for link in links],
        "is_not_loop": [link.subject != link.object for link in links],
    }


def split_frame(splits: Sequence[Split], known: Collection[str]) -> Frame:
    """Columns of the splits suite."""
    return _columns(splits, "entity_id", "split") | {"is_known": [split.entity_id in known for split in splits]}


def item_frame(items: Sequence[BenchmarkItem], split_of: Mapping[str, str]) -> Frame:
    """Columns of the items suite."""
    letters = [item.key[0] if item.key_kind == "letter" and item.key else None for item in items]
    return _columns(items, "id", "benchmark", "question", "subject") | {
        "keys": [", ".join(item.key) for item in items],
        "is_heldout": [split_of.get(item.subject) == "heldout" for item in items],
        "is_key_offered": [_offered(item) for item in items],
        "is_options_distinct": [len(set(item.options)) == len(item.options) for item in items],
        **_letter_columns(letters, [item.benchmark for item in items]),
    }


def passage_frame(passages: Sequence[Passage], known: Collection[str]) -> Frame:
    """Columns of the passages suite."""
    return _columns(passages, "id", "entity_id", "title", "text", "source", "version", "uri", "licence") | {
        "is_entity_known": [one.entity_id in known for one in passages],
        "is_part_of_entity": [one.id.startswith(f"{one.entity_id}#") for one in passages],
        "text_length": [length_class(one.text) for one in passages],
    }


def format_frame(formats: Sequence[Format]) -> Frame:
    """Columns of the formats suite; a format that rewrites nothing needs no introduction and no steps."""
    return _columns(formats, "task", "status", "sha256", "answer_line") | {
        "introduction": [one.introduction if one.rewrite else None for one in formats],
        "steps": [float(len(one.steps)) if one.rewrite else math.nan for one in formats],
        "is_counted": [one.version >= (one.status == "approved") for one in formats],
        "is_reviewed": [one.status != "approved" or bool(one.reviewer and one.date) for one in formats],
        "is_step_told": [all(step.strip() for step in one.steps) for one in formats],
    }


def task_frame(
    rows: Sequence[InstructionRow], known: Collection[str], split_of: Mapping[str, str], formatted: Collection[str]
) -> Frame:
    """Columns of the suite of instruction rows, before enrichment; `formatted` are the tasks that have a format."""
    return _columns(rows, "id", "task", "family", "instruction", "answer", "split") | _row_facts(rows, known, split_of) | {
        "is_id_of_content": [one.id == content_id(one.task, one.instruction, one.answer) for one in rows],
        "is_subject_first": [one.entity_ids[:1] == [one.subject] for one in rows],
        "is_documents_known": [all(name in known for name in one.document_ids) for one in rows],
        "is_formatted": [one.task in formatted for one in rows],
    }  # fmt: skip


def row_frame(
    rows: Sequence[EnrichedRow],
    known: Collection[str],
    split_of: Mapping[str, str],
    tasks: Mapping[str, str] | None = None,
) -> Frame:
    """Columns of the enriched rows suite; `tasks` are the digests of the instruction rows by id."""
    return _columns(rows, "id", "task", "family", "instruction", "answer", "split", "decision") | _row_facts(rows, known, split_of) | {
        "factuality": [math.nan if row.factuality is None else float(row.factuality) for row in rows],
        "is_rewrite_consistent": [
            row.answer == (row.rewrite if row.decision == "rewritten" else row.template_answer) for row in rows
        ],
        "is_row_of_tasks": [tasks is None or row.decision == "synthesized" or tasks.get(row.id) == _row_digest(row) for row in rows],
        "is_complete": [bool(_WHOLE.search(row.answer.rstrip().rsplit("\n", 1)[-1])) for row in rows],
    }  # fmt: skip


def task_digest(task: InstructionRow) -> str:
    """Of all that enrichment must leave alone."""
    return _digest(task, task.answer)


def _row_digest(row: EnrichedRow) -> str:
    return _digest(row, row.template_answer)


def _digest(one: InstructionRow | EnrichedRow, answer: str) -> str:
    lists = ["\x1e".join(one.answer_key), "\x1e".join(one.entity_ids)]
    return content_id(one.task, one.instruction, answer, one.key_kind, one.subject, one.split, *lists)


def _row_facts(
    rows: Sequence[EnrichedRow] | Sequence[InstructionRow], known: Collection[str], split_of: Mapping[str, str]
) -> Frame:
    """What must hold of a row before and after enrichment."""
    letters = [row.answer_key[0] if row.key_kind == "letter" and row.answer_key else None for row in rows]
    return _columns(rows, "key_kind", "subject") | {
        "entities": [", ".join(one for one in row.entity_ids if one not in known) for row in rows],
        "final_line": [final_line(row.answer) for row in rows],
        "is_not_heldout": [split_of.get(row.subject) != "heldout" for row in rows],
        "is_split_of_subject": [split_of.get(row.subject, row.split) == row.split for row in rows],
        "is_entities_known": [all(one in known for one in row.entity_ids) for row in rows],
        "is_key_in_final_line": [key_consistent(row.answer, row.key_kind, row.answer_key) for row in rows],
        "is_licensed": [bool(row.licences) and all(row.licences) for row in rows],
        "instruction_length": [length_class(row.instruction) for row in rows],
        "answer_length": [length_class(row.answer) for row in rows],
        **_letter_columns(letters, [row.task for row in rows]),
    }


def evidence_frame(evidence: Sequence[Evidence], row_ids: Collection[str], known: Collection[str]) -> Frame:
    """Columns of the evidence suite."""
    return _columns(evidence, "row_id", "passage_id", "entity_id", "uri", "licence", "rank", "text") | {
        "pair": [f"{one.row_id} {one.passage_id}" for one in evidence],
        "is_row_known": [one.row_id in row_ids for one in evidence],
        "is_entity_known": [one.entity_id in known for one in evidence],
    }


def training_frame(rows: Sequence[TrainingRow]) -> Frame:
    """Columns of the train and dev suites."""
    return _columns(rows, "id", "task", "family", "key_kind", "decision", "instruction", "answer") | {
        "answer_length": [length_class(row.answer) for row in rows],
        "final_line": [final_line(row.answer) for row in rows],
        "is_key_in_final_line": [key_consistent(row.answer, row.key_kind, row.answer_key) for row in rows],
        "is_clean": [not (has_control_tokens(row.instruction) or has_control_tokens(row.answer)) for row in rows],
    }


def cluster_frame(members: Sequence[ClusterRow], kept: Collection[str]) -> Frame:
    """Columns of the clusters suite; `kept` are the ids of the rows of train and dev."""
    return _columns(members, "cluster", "row", "kind", "similarity") | {
        "is_kept_where_told": [one.kept == (one.row in kept) for one in members],
        "is_headed_by_kept": [one.cluster in kept for one in members],
    }


def safety_frame(findings: Sequence[SafetyFinding], row_ids: Collection[str]) -> Frame:
    """Columns of the safety suite; `row_ids` are those of the rows that came in."""
    return _columns(findings, "row", "kind", "rule", "field", "action", "sample") | {
        "is_row_known": [one.row in row_ids for one in findings]
    }


def length_class(text: str) -> str:
    """`33-64 words`: classes by powers of two, coarse enough to compare two builds."""
    most = max(1, 1 << max(0, len(text.split()) - 1).bit_length())
    return f"{most // 2 + 1 if most > 1 else 0}-{most} words"


def final_line(answer: str) -> str:
    """The last line of an answer."""
    return answer.rstrip().rsplit("\n", 1)[-1]


def key_consistent(answer: str, key_kind: str, answer_key: Sequence[str]) -> bool:
    """Whether the last line is `Final answer:` and names exactly the key; free text has neither line nor key."""
    line = final_line(answer)
    if key_kind == "none" or not answer_key:
        return key_kind == "none" and not answer_key and not line.startswith(FINAL_ANSWER)
    if not line.startswith(FINAL_ANSWER):
        return False
    return {one.strip() for one in line.removeprefix(FINAL_ANSWER).split(",")} == set(answer_key)


def _offered(item: BenchmarkItem) -> bool:
    if item.key_kind == "letter":
        return len(item.key) == 1 and item.key[0] in "ABCDEFGHIJ"[: len(item.options)]
    return bool(item.key) and all(item.key)


def _letter_columns(letters: Sequence[str | None], groups: Sequence[str]) -> Frame:
    """Per row how far the share of its right letter is above an equal share, within its group.

    NaN where there is no letter, or where a group is so small that the share says nothing.
    """
    pairs = Counter((group, letter) for group, letter in zip(groups, letters, strict=True) if letter)
    totals = Counter(group for group, letter in zip(groups, letters, strict=True) if letter)
    options = Counter(group for group, _ in pairs)
    excess = [
        pairs[group, letter] / totals[group] - 1 / max(options[group], 2)
        if letter and totals[group] >= _LETTERS_NEEDED
        else math.nan
        for group, letter in zip(groups, letters, strict=True)
    ]
    return {"letter": list(letters), "letter_excess": excess}


def _columns(rows: Sequence[Any], *names: str) -> Frame:
    return {name: [getattr(row, name) for row in rows] for name in names}
