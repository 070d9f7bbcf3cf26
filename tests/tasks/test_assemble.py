"""Rows of a small graph: right keys, no held-out text, hostile text untouched, the same bytes twice."""

import random
import re

import pytest

from stages.benchmarks.items import build_items
from stages.benchmarks.params import BenchmarksParams
from stages.formats.library import load_library
from stages.kinds import load_kinds
from stages.knowledge import Knowledge
from stages.tables import file_sha256, write_table
from stages.tasks.assemble import _row, build_rows, repeated, summarise
from stages.tasks.catalogue import load_catalogue
from stages.tasks.draft import Draft
from stages.tasks.params import TasksParams
from stages.tasks.schema import InstructionRow
from stages.taxonomy import load_taxonomy
from tests.tasks.small_graph import HELDOUT_MARK, HOSTILE, small_knowledge, small_tables


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    knowledge = small_knowledge()
    knowledge.hold_back(load_kinds())
    return knowledge


@pytest.fixture(scope="module")
def built(knowledge):
    return build_rows(knowledge, load_catalogue(), TasksParams())


@pytest.fixture(scope="module")
def rows(built) -> list[InstructionRow]:
    return built[0]


def of(rows: list[InstructionRow], task: str) -> list[InstructionRow]:
    found = [row for row in rows if row.task == task]
    assert found, task
    return found


def test_nearly_every_task_finds_rows_even_in_a_small_graph(rows) -> None:
    assert len({row.task for row in rows}) >= 45


def test_no_row_is_about_a_heldout_document_or_quotes_one(rows, knowledge) -> None:
    for row in rows:
        assert knowledge.split(row.subject) == row.split != "heldout"
        assert HELDOUT_MARK not in row.instruction + row.answer, row


def test_heldout_subjects_and_texts_are_counted() -> None:
    _, rejects, _ = build_rows(small_knowledge(), load_catalogue(), TasksParams())
    assert {"heldout-subject", "heldout-text"} <= {reject.reason for reject in rejects}


def test_checkable_answers_end_with_their_key(rows) -> None:
    for row in rows:
        last = row.answer.rsplit("\n", 1)[-1]
        assert (last == f"Final answer: {', '.join(row.answer_key)}") == (row.key_kind != "none")


def test_braces_of_a_source_survive(rows) -> None:
    row = next(row for row in of(rows, "cve-to-cwe"))
    assert HOSTILE.split(". ")[0] in row.instruction


def test_root_cause_rows_are_compact_and_right(rows, knowledge) -> None:
    for row in of(rows, "cve-to-cwe"):
        weaknesses = knowledge.objects(row.subject, "instance-of", "weakness")
        keys = sorted((one.id.removeprefix("cwe:") for one in weaknesses), key=lambda key: int(key[4:]))
        assert row.answer_key == keys
        assert row.answer.startswith("Weakness: Careless ") and row.answer.count("\n") == 1
        assert "CWE-2" not in row.instruction


def test_letters_name_the_right_option(rows, knowledge) -> None:
    for row in of(rows, "mitigation-choice"):
        shown = dict(line.split(". ", 1) for line in row.instruction.splitlines()[-4:])
        right = {one.name for one in knowledge.subjects(row.subject, "mitigates", "mitigation")}
        assert {letter for letter, option in shown.items() if option in right} == set(row.answer_key)


def test_an_option_task_asks_once_about_a_subject(rows) -> None:
    for task in {row.task for row in rows if row.key_kind in ("letter", "yes-no")}:
        subjects = [row.subject for row in of(rows, task)]
        assert len(subjects) == len(set(subjects)), task


def test_letters_and_verdicts_are_balanced(built) -> None:
    figures = summarise(load_catalogue(), *built)
    for task in {row.task for row in built[0] if row.key_kind == "letter"}:
        shown = "ABCD" if "\nD. " in of(built[0], task)[0].instruction else "AB"
        counts = [sum(row.answer_key == [letter] for row in built[0] if row.task == task) for letter in shown]
        assert max(counts) - min(counts) <= 1, (task, counts)
    for task in {row.task for row in built[0] if row.key_kind == "yes-no"}:
        verdicts = [row.answer_key[0] for row in built[0] if row.task == task]
        assert verdicts.count("Yes") == verdicts.count("No"), task
    assert figures["verdicts"]["Yes"] == figures["verdicts"]["No"] > 0


def test_relatives_of_a_right_answer_are_no_wrong_options(rows, knowledge) -> None:
    names = {one.name: one.id for one in knowledge.entities.values() if one.type == "weakness"}
    for row in of(rows, "cve-weakness-choice"):
        options = [names[line.split(". ", 1)[1]] for line in row.instruction.splitlines()[-4:]]
        right = knowledge.objects(row.subject, "instance-of", "weakness")
        barred = set().union(*(knowledge.family(one.id) for one in right))
        assert len(set(options) & barred) == 1


def test_every_fact_leads_back_to_the_graph(rows, knowledge) -> None:
    for row in rows:
        assert row.entity_ids[0] == row.subject
        assert set(row.entity_ids) | set(row.document_ids) <= set(knowledge.entities)
        assert row.sources and row.licences


def test_the_cap_holds_and_a_larger_cap_keeps_the_rows_of_a_smaller_one(knowledge) -> None:
    catalogue = [task for task in load_catalogue() if task.name in ("technique-description", "cve-to-cwe")]
    few, _, _ = build_rows(knowledge, catalogue, TasksParams(max_rows_per_task=5, rows_of_task={}))
    more, _, _ = build_rows(knowledge, catalogue, TasksParams(max_rows_per_task=9, rows_of_task={}))
    assert len(few) == 10 and len(more) == 18
    assert {row.id for row in few} <= {row.id for row in more}


def test_the_same_records_in_another_order_give_the_same_bytes(tmp_path, rows) -> None:
    tables = small_tables()
    for table in tables.values():
        random.Random(1).shuffle(table)
    shuffled = Knowledge(**tables)
    shuffled.hold_back(load_kinds())
    again, _, _ = build_rows(shuffled, load_catalogue(), TasksParams())
    for name, table in (("one", rows), ("two", again)):
        write_table(tmp_path / name, table, InstructionRow)
    assert file_sha256(tmp_path / "one") == file_sha256(tmp_path / "two")


def test_no_row_states_what_an_item_of_the_benchmark_asks(rows) -> None:
    everything = small_knowledge()
    kinds = {kind.name: kind for kind in load_kinds()}
    for item in build_items(everything, list(kinds.values()), BenchmarksParams(), lambda prompts: [(0.7, 0.7) for _ in prompts])[
        0
    ]:
        if item.options and (item.task not in kinds or not kinds[item.task].relation):
            continue  # the name itself or an impact is asked: the text is held out
        answers = item.entity_ids[1:2] if item.options else item.entity_ids[1:]
        for row in rows:
            told = row.answer + (row.instruction if row.key_kind != "letter" else "\n".join(row.instruction.split("\n")[:-4]))
            for answer in answers:
                names = [{everything.entities[one].name, one.split(":")[1]} for one in (item.subject, answer)]
                assert not all(any(re.search(rf"{re.escape(name)}(?![\\w.])", told) for name in each) for each in names), (
                    item,
                    row,
                )


def test_rows_carry_a_document_exactly_where_the_format_reads_one(rows) -> None:
    library = load_library()
    for row in rows:
        assert bool(row.document_ids) == library[row.task].document, row.task


def test_a_format_that_rewrites_nothing_gathers_nothing() -> None:
    for form in load_library().values():
        assert form.rewrite or not (form.search or form.document), form.task


def test_one_question_with_two_answers_is_none() -> None:
    task = next(task for task in load_catalogue() if task.name == "cve-to-cwe")
    drafts = [Draft(subject=f"cve:{key}", slots={"text": "Same text."}, answer="x", key=[key]) for key in ("CWE-1", "CWE-2")]
    drafts += [Draft(subject="cve:3", slots={"text": "Own text."}, answer="x", key=["CWE-1"])]
    assert repeated(task, drafts) == {0: "ambiguous-key", 1: "ambiguous-key"}


def test_an_answer_is_given_three_times_at_most() -> None:
    task = next(task for task in load_catalogue() if task.key == "none")
    drafts = [Draft(subject=f"s{place}", slots={"name": str(place)}, answer="Always the same.") for place in range(9)]
    assert list(repeated(task, drafts).values()) == ["repeated-answer"] * 6


def test_a_text_ends_before_the_question_goes_on(knowledge) -> None:
    task = next(task for task in load_catalogue() if task.name == "cve-to-cwe")
    draft = Draft(subject="cve:CVE-2020-10000", slots={"text": "A text without an end"}, answer="x", key=["CWE-200"])
    assert "without an end." in _row(knowledge, task, draft, "", load_taxonomy()).instruction


def test_the_metrics_count_relations_beside_tasks(built) -> None:
    figures = summarise(load_catalogue(), *built)
    assert 12 <= figures["relations"] == len(figures["by_relation"]) < figures["tasks"]
    assert sum(figures["by_relation"].values()) == figures["rows"]


def test_one_question_is_asked_once(rows) -> None:
    assert len({row.instruction for row in rows}) == len(rows)


def test_rows_carry_the_categories_of_their_task_and_of_their_subject(knowledge, built) -> None:
    names = {category.name for category in load_taxonomy()}
    declared = {task.name: set(task.labels) for task in load_catalogue()}
    assert all(labels and labels <= names for labels in declared.values())
    assert all(declared[row.task] <= set(row.labels) <= names for row in built[0])


def test_two_processes_make_the_rows_of_one(knowledge, built) -> None:
    assert build_rows(knowledge, load_catalogue(), TasksParams(), workers=2) == built
