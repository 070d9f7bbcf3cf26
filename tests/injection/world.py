"""A small build with one case per injection: its own task, row, format, passages and document, and what came out of it.

write_tables(tmp_path, "evidence")          # the corpus at one of PLACES
write_params(tmp_path, server.base_url)
outcomes = ground_and_enrich(tmp_path, monkeypatch)   # by case
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from stages.benchmarks.schema import BenchmarkItem
from stages.enrich.run import run_enrich
from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ground.run import run_ground
from stages.ground.schema import Evidence, GroundedRow
from stages.ingest.schema import Entity, Link, Passage
from stages.stage import Stage
from stages.tables import read_table, write_table
from stages.tasks.schema import InstructionRow
from tests.injection.steady import KEYS
from tests.obedient import corpus
from tests.toy_rows import make_entity, make_format, make_item, make_passage, make_row

CASES = range(len(corpus()))
EVERYTHING = ("rounds: 2, gap_tokens: 0, summary_tokens: 20", "adaptive: true, claims: judge")  # of ground and enrich
PLACES = ("evidence", "document", "instruction", "answer", "format", "rewrite")
WIDE = "row_tokens: 90000, passage_tokens: 90000, document_tokens: 90000, least_score: 0.0, keep: 4"  # what is long comes through
Texts = Mapping[int, list[str]]  # by case: an injection's parts


class Outcome(NamedTuple):
    """All that no injection may change of one case."""

    queries: list[str]
    kept_queries: list[str]
    documents: list[str]
    summary: str
    readability: str
    factuality: int | None
    rewrite_key: str  # the last line of the rewrite
    steps_followed: int
    decision: str
    key: str  # the last line of the answer that stays
    reasons: list[str]


def injected(place: str, asked: str) -> Texts:
    """The corpus at one place, and nothing at any other."""
    return {number: one.parts for number, one in enumerate(corpus())} if place == asked else {}


def write_tables(root: Path, place: str) -> None:
    """Everything that grounding, enrichment, drafting, labelling and synthesis read, with the corpus at `place`."""
    write_table(root / "data/tasks/rows.parquet", [_row(number, place) for number in CASES], InstructionRow)
    write_table(root / "data/formats/formats.parquet", [_format(number, place) for number in CASES], Format)
    passages = [passage for number in CASES for passage in _passages(number, place)]
    write_table(root / "data/ingest/passages.parquet", passages, Passage)
    entities = [make_entity(name) for number in CASES for name in _entities(number)[:-1]]
    entities += [make_entity(f"guide:{number:04d}", type="guide", text=_guide(number, place)) for number in CASES]
    write_table(root / "data/graph/entities.parquet", [*entities, *(make_entity(f"cwe:{key}") for key in KEYS)], Entity)
    write_table(root / "data/graph/splits.parquet", [Split(entity_id=entity.id, split="train") for entity in entities], Split)
    write_table(root / "data/graph/links.parquet", [], Link)
    write_table(root / "data/benchmarks/items.parquet", [make_item("What is it?")], BenchmarkItem)


def write_params(root: Path, url: str, *, everything: bool = False) -> None:
    """Nothing is cut, every rewrite is judged. `everything`: also what is off by default."""
    role = "{provider: openai, model: MODEL, repetition_penalty: 1.0, max_tokens: 4000}"
    ground, enrich = (f", {more}" if everything else "" for more in EVERYTHING)
    (root / "params.yaml").write_text(
        f"llm: {{teacher: {role.replace('MODEL', 'teacher')}, judge: {role.replace('MODEL', 'judge')}}}\n"
        f"ground: {{engines: [bm25], rows: 0, {WIDE}{ground}}}\nenrich: {{judge_all: true, evidence_tokens: 900000{enrich}}}\n"
        f"formats: {{policy: draft, evidence: 1}}\nlabel: {{rows: {len(CASES)}, question_words: 90000}}\n"
        f"synthesize: {{documents: {len(CASES)}, iterations: 1, types: [guide], document_words: 90000}}\n"
        f'runtime: {{concurrency: 32, endpoints: {{teacher: [{{base_url: "{url}"}}], judge: [{{base_url: "{url}"}}]}}}}\n'
    )


def ground_and_enrich(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[int, Outcome]:
    """The two stages, and what came of each case."""
    monkeypatch.chdir(root)
    run_ground(Stage("ground"))
    run_enrich(Stage("enrich"))
    grounded = {row.row_id: row for row in read_table("data/ground/rows.parquet", GroundedRow)}
    rows = {row.id: row for row in read_table("data/enrich/rows.parquet", EnrichedRow)}
    return {number: _outcome(grounded[case(number)], rows[case(number)]) for number in CASES}


def evidence_of(root: Path) -> dict[int, list[str]]:
    """The texts that each case's rewrite was shown."""
    found: dict[int, list[str]] = {number: [] for number in CASES}
    for passage in read_table(root / "data/ground/evidence.parquet", Evidence):
        found[int(passage.row_id.removeprefix("case-"))].append(passage.text)
    return found


def case(number: int) -> str:
    """The id of the row of a case."""
    return f"case-{number:04d}"


def _outcome(grounded: GroundedRow, row: EnrichedRow) -> Outcome:
    return Outcome(
        grounded.queries, grounded.kept_queries, grounded.document_ids, grounded.summary, row.readability, row.factuality,
        _last_line(row.rewrite), row.steps_followed, row.decision, _last_line(row.answer), row.reasons,
    )  # fmt: skip


def _last_line(text: str) -> str:
    return re.split(r"\n", text.strip())[-1]


def _joined(place: str, asked: str, number: int) -> str:
    """The injection of a case where there is but one text."""
    return "\n".join(injected(place, asked).get(number, []))


def _entities(number: int) -> list[str]:
    return [f"cve:CVE-2020-{number:04d}", f"note:{number:04d}-0", f"note:{number:04d}-1", f"guide:{number:04d}"]


def _row(number: int, place: str) -> InstructionRow:
    key = KEYS[number % 3]
    told = f"In case{number:04d} the module{number:04d} trusts its input. The flaw is that nothing confines the input before it is used."
    return make_row(
        f"In case{number:04d} the module{number:04d} of unit{number:04d} reads frame{number:04d} without a check. Which weakness is the root cause?\n"
        f"{_joined(place, 'instruction', number)}".strip(),
        f"{told} {_joined(place, 'answer', number)}\nFinal answer: {key}",
        id=case(number), task=f"task-{number:04d}", answer_key=[key], subject=f"guide:{number:04d}",
        entity_ids=[*_entities(number), f"cwe:{key}"], document_ids=[f"guide:{number:04d}"],
    )  # fmt: skip


def _format(number: int, place: str) -> Format:
    said = _joined(place, "format", number)
    steps = ["State what the question describes.", "Name the property that decides.", "Draw the conclusion."]
    return make_format(
        f"task-{number:04d}", introduction=f"Answers name the finding. {said}", steps=[steps[0], f"{steps[1]} {said}".strip(), steps[2]],
        instructions=["Keep sentences short.", *([said] if said else [])], search=True, document=True,
    )  # fmt: skip


def _guide(number: int, place: str) -> str:
    about = f"The guide to module{number:04d} of case{number:04d}, built as unit{number:04d} with frame{number:04d}, tells what is read. "
    return f"{about}{'Every frame is read as it comes and nobody is asked. ' * 4}{_joined(place, 'document', number)}".strip()


def _passages(number: int, place: str) -> list[Passage]:
    notes = [*injected(place, "evidence").get(number, []), "", ""][:2]
    about = f"module{number:04d} of case{number:04d}, built as unit{number:04d} with frame{number:04d}"
    texts = {
        f"note:{number:04d}-0": f"A note on the {about}: input is confined by a check at the border. {notes[0]}",
        f"note:{number:04d}-1": f"Another note on the {about}: the border check came with a patch. {notes[1]}",
        f"guide:{number:04d}": _guide(number, place),
    }
    return [make_passage(entity, text.strip()) for entity, text in texts.items()]
