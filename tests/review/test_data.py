"""The build's tables as the review sees them: nothing held out, nothing read that is not asked for, clear messages."""

from pathlib import Path

import pytest

from stages.errors import InputError
from stages.ground.core import group_by_entity
from stages.ground.hygiene import usable_passages
from stages.ground.params import GroundParams
from stages.ground.queries import task_words
from stages.ingest.schema import Link
from stages.review.data import Workspace
from stages.runtime import RuntimeParams
from stages.tables import read_table, write_table
from stages.tasks.schema import InstructionRow
from tests.review.sample import DOCUMENTED, HELD_OUT_SUBJECT, HOSTILE, ROWS, SEARCHED, item, passages, splits, write_build
from tests.toy_rows import make_link, make_row


def test_held_out_rows_are_neither_counted_nor_shown(build: Path) -> None:
    workspace = Workspace()
    hidden = [row for row in read_table("data/tasks/rows.parquet", InstructionRow) if row.subject >= "cve:CVE-2020-0998"]
    assert workspace.tasks()[SEARCHED].rows == ROWS and len(hidden) == 2
    assert not {row.id for row in hidden} & {row.id for row in workspace.rows(SEARCHED)}
    for row in hidden:
        with pytest.raises(InputError, match="held-out"):
            workspace.row(row.id)


def test_a_larger_sample_begins_with_the_smaller_one(build: Path) -> None:
    workspace = Workspace()
    few, many, other = (workspace.sample(SEARCHED, n, seed) for n, seed in ((3, 0), (8, 0), (8, 1)))
    assert many[:3] == few and many != other and len(workspace.sample(SEARCHED, 99, 0)) == ROWS
    assert workspace.sample(SEARCHED, -1, 0) == []


def test_the_library_of_a_task_is_the_stage_s(build: Path) -> None:
    workspace = Workspace()
    made = write_build(build)
    usable, left_out = usable_passages(passages(), splits(made), [item()], 13)
    library = workspace.library(SEARCHED, GroundParams(), RuntimeParams())
    assert left_out["held-out"] == 1 and library.retriever.lexical.passages == usable
    assert library.by_entity == group_by_entity(usable)
    rows = read_table("data/tasks/rows.parquet", InstructionRow)
    assert library.common[SEARCHED] == task_words(rows)[SEARCHED], "words of all rows, also of those that nobody sees here"
    assert HELD_OUT_SUBJECT not in workspace.background() and "cwe:CWE-22" in workspace.background()


def test_sentences_of_links_find_a_passage_as_in_the_stage(build: Path) -> None:
    said = make_link("cve:CVE-2020-0001", "instance-of", "cwe:CWE-22", "An envelope was torn at the quay.")
    write_table("data/graph/links.parquet", [said], Link)
    for weight, wanted in ((0.5, ["cwe:CWE-22"]), (0.0, [])):
        retriever = Workspace().library(SEARCHED, GroundParams(anchors=weight), RuntimeParams()).retriever
        assert [hit.passage.entity_id for hit in retriever.search("torn envelope quay", 4)] == wanted


def test_documents_and_entities_are_read_one_by_one(build: Path) -> None:
    workspace = Workspace()
    row = workspace.sample(DOCUMENTED, 1, 0)[0]
    assert [passage.entity_id for passage in workspace.documents(row)] == row.document_ids
    assert workspace.documents(make_row("q", "a")) == []
    assert workspace.entities["cwe:CWE-79"].source == "toy-graph" and "cwe:CWE-1" not in workspace.entities
    assert f"note:{next(iter(HOSTILE))}" in set(workspace.entities)
    with pytest.raises(KeyError):
        workspace.entities["cwe:CWE-1"]


@pytest.mark.parametrize("table", ["tasks/rows", "graph/splits", "ingest/passages", "benchmarks/items", "graph/entities"])
def test_a_missing_or_damaged_table_says_what_makes_it(build: Path, table: str) -> None:
    path = build / "data" / f"{table}.parquet"

    def use() -> None:
        workspace = Workspace()
        workspace.tasks()
        workspace.library(SEARCHED, GroundParams(), RuntimeParams())
        assert workspace.entities

    use()
    path.write_bytes(b"PAR1 damaged")
    with pytest.raises(InputError, match="Parquet"):
        use()
    path.unlink()
    with pytest.raises(InputError, match="dvc repro"):
        use()


def test_a_table_of_another_version_is_a_message(build: Path) -> None:
    write_table("data/tasks/rows.parquet", splits([]), type(splits([])[0]))
    with pytest.raises(InputError, match="another version"):
        Workspace().tasks()


def test_a_row_of_the_held_out_split_is_hidden_whatever_its_subject(build: Path) -> None:
    rows = read_table("data/tasks/rows.parquet", InstructionRow)
    rows.append(make_row("Hidden by its split alone?", "Final answer: CWE-79", split="heldout", subject="cve:CVE-2020-0001"))
    write_table("data/tasks/rows.parquet", rows, InstructionRow)
    assert rows[-1].id not in {row.id for row in Workspace().rows(rows[-1].task)}
    with pytest.raises(InputError, match="held-out"):
        Workspace().row(rows[-1].id)
