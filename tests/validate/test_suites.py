"""One context of the real library for the whole module: its import takes seconds."""

from typing import Any

import pytest

from stages.errors import InputError
from stages.graph.schema import Split
from stages.validate.checks import checks_of
from stages.validate.core import training_rows
from stages.validate.frames import training_frame
from stages.validate.inspect_tables import PATHS, input_frames, inspect, output_frames, summary, warnings_of
from stages.validate.params import ValidateParams
from stages.validate.schema import ClusterRow, SafetyFinding
from stages.validate.suites import SuiteRunner, require_clean
from tests.validate.samples import complete, entity, evidence, form, item, link, mapping_row, passage, row, tables, task_row

PARAMS = ValidateParams()


@pytest.fixture(scope="module")
def runner() -> SuiteRunner:
    return SuiteRunner()


def inspected(runner: SuiteRunner, **changes: Any) -> list:
    """Results of all tables, or of the changed ones; what is not changed fits the rest."""
    frames = input_frames(complete(tables() | changes).__getitem__)
    results = inspect(runner, ((name, frame) for name, frame in frames if not changes or name in changes), PARAMS).results
    require_clean(results)
    return results


def test_consistent_tables_pass(runner: SuiteRunner) -> None:
    figures = summary(inspected(runner))
    assert set(figures) == set(PATHS) - {"train", "dev", "clusters", "safety"}
    assert all(one["failed_critical"] == one["failed_warning"] == 0 for one in figures.values())
    assert figures["rows"]["rows"] == 30 and figures["rows"]["expectations"] > 10


def with_row(**changes: Any) -> dict[str, Any]:
    return {"rows": [*tables()["rows"], row(12, id="bad-row", **changes)]}


BROKEN = {
    "repeated id": ({"rows": [*tables()["rows"], tables()["rows"][4]]}, "Unique", tables()["rows"][4].id),
    "dangling entity": (with_row(entity_ids=["attack:T9999"]), "is_entities_known", "attack:T9999"),
    "held-out subject": (with_row(subject="cve:CVE-2031-1000"), "is_not_heldout", "cve:CVE-2031-1000"),
    "subject of another split": (with_row(split="dev"), "is_split_of_subject", "bad-row"),
    "unknown split": (with_row(split="test"), r"InSet\(split\)", "test"),
    "flipped key": (
        {"rows": [mapping_row(1, id="bad-row", answer="So.\nFinal answer: CWE-80")]},
        "is_key_in_final_line",
        "CWE-80",
    ),
    "no key line": (
        {"rows": [mapping_row(1, id="bad-row", answer="So it is CWE-79.")]},
        "is_key_in_final_line",
        "So it is CWE-79.",
    ),
    "factuality": (with_row(factuality=11), "factuality", "11"),
    "no licence": (with_row(licences=[]), "is_licensed", "bad-row"),
    "empty answer": (with_row(answer=""), r"Lengths.*\(answer\)", "bad-row"),
    "swapped answer": (with_row(template_answer="Another."), "is_rewrite_consistent", "bad-row"),
    "dangling link": ({"links": [link("cwe:CWE-1", "cwe:CWE-404404")]}, "is_object_known", "cwe:CWE-404404"),
    "loop": ({"links": [link("cwe:CWE-1", "cwe:CWE-1")]}, "is_not_loop", "cwe:CWE-1 child-of"),
    "foreign id": ({"entities": [*tables()["entities"], entity("no prefix")]}, "MatchRegex", "no prefix"),
    "two splits": ({"splits": [*tables()["splits"], Split(entity_id="cwe:CWE-1", split="dev")]}, "Unique", "cwe:CWE-1"),
    "trained item": ({"items": [item(0, subject="cwe:CWE-1")]}, "is_heldout", "item-0"),
    "item without key": ({"items": [item(0, key=[])]}, "keys", "item-0"),
    "evidence of no entity": (
        {"evidence": [evidence("row", "Text.", entity_id="cwe:CWE-9999")]},
        "is_entity_known",
        "cwe:CWE-9999",
    ),
    "swapped columns": (
        {
            "rows": [row(1, id="bad-row", instruction=row(1).answer, answer=row(1).instruction)],
            "tasks": [task_row(row(1), id="bad-row")],
        },
        "is_row_of_tasks",
        "bad-row",
    ),
    "row of no task": ({"rows": [row(1)], "tasks": [task_row(row(2))]}, "is_row_of_tasks", row(1).id),
    "truncated template answer": (
        {"rows": [row(1, id="bad-row")], "tasks": [task_row(row(1), id="bad-row", answer=row(1).answer[:40])]},
        "is_row_of_tasks",
        "bad-row",
    ),
    "unknown kind of key": ({"tasks": [task_row(row(1), key_kind="riddle")]}, r"InSet\(key_kind\)", "riddle"),
    "dangling document": ({"tasks": [task_row(row(1), document_ids=["cwe:CWE-9999"])]}, "is_documents_known", row(1).id),
    "held-out instruction row": (
        {"tasks": [task_row(row(1), subject="cve:CVE-2031-1000")]},
        "is_not_heldout",
        "cve:CVE-2031-1000",
    ),
    "passage of no entity": ({"passages": [passage("cwe:CWE-9999")]}, "is_entity_known", "cwe:CWE-9999"),
    "passage under another id": (
        {"passages": [passage("cwe:CWE-1", id="cwe:CWE-2#description")]},
        "is_part_of_entity",
        "cwe:CWE-2#description",
    ),
    "passage without licence": ({"passages": [passage("cwe:CWE-1", licence="")]}, r"Lengths.*\(licence\)", "cwe:CWE-1"),
    "two formats of a task": ({"formats": [form("cwe-definition"), form("cwe-definition")]}, "Unique", "cwe-definition"),
    "unreviewed format": ({"formats": [form("cwe-definition", reviewer="")]}, "is_reviewed", "cwe-definition"),
    "approved format without version": ({"formats": [form("cwe-definition", version=0)]}, "is_counted", "cwe-definition"),
    "format without steps": ({"formats": [form("cwe-definition", steps=[])]}, r"\(steps\)", "cwe-definition"),
    "format without place for the key": (
        {"formats": [form("cwe-definition", answer_line="Final answer: B")]},
        r"\(answer_line\)",
        "Final answer: B",
    ),
    "empty table": ({"links": []}, "TableRowCount", "found 0"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_critical_mutation_stops_the_build_and_is_shown(runner: SuiteRunner, name: str) -> None:
    changes, check, shown = BROKEN[name]
    with pytest.raises(InputError, match=check) as error:
        inspected(runner, **changes)
    message = str(error.value)
    assert shown in message and "data/" in message and "Remedy" in message


WARNED = {
    "truncated answer": (with_row(answer="It ends in the middle of a"), "rows", "ColumnValuesToBeInSet(is_complete)"),
    "row changed after it was made": (
        {"tasks": [task_row(row(1), answer="Another answer.")]},
        "tasks",
        "ColumnValuesToBeInSet(is_id_of_content)",
    ),
    "task without format": (
        {"tasks": [task_row(row(1))], "formats": [form("other")]},
        "tasks",
        "ColumnValuesToBeInSet(is_formatted)",
    ),
    "subject behind": (
        {"tasks": [task_row(row(1), entity_ids=["cwe:CWE-2", "cwe:CWE-1"])]},
        "tasks",
        "ColumnValuesToBeInSet(is_subject_first)",
    ),
    "markup": ({"entities": [entity("cwe:CWE-1", text="Seen (Citation: X)")]}, "entities", "ColumnValuesToBeInSet(is_clean)"),
    "date of no calendar": (
        {"entities": [entity("cwe:CWE-1", published="last May")]},
        "entities",
        "ColumnValuesToMatchRegex(published)",
    ),
    "passage without version": (
        {"passages": [passage("cwe:CWE-1", version="")]},
        "passages",
        "ColumnValueLengthsToBeBetween(version)",
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_a_mutation_of_less_weight_is_counted_and_does_not_stop(runner: SuiteRunner, name: str) -> None:
    changes, table, check = WARNED[name]
    results = inspected(runner, **changes)
    assert summary(results)[table]["warning_rows"][check] >= 1
    assert any(check in line and "data/" in line for line in warnings_of(results))


def test_a_draft_that_no_file_holds_and_a_format_that_rewrites_nothing_are_not_errors(runner: SuiteRunner) -> None:
    draft = form("cwe-definition", status="draft", reviewer="", date="", version=0)
    untouched = form("other", introduction="", steps=[], instructions=[], rewrite=False, search=False, document=False)
    for formats in ([draft, untouched], [draft], [untouched]):
        figures = summary(inspected(runner, formats=formats))
        assert figures["formats"]["failed_critical"] == figures["formats"]["failed_warning"] == 0


def test_unbalanced_letters_are_a_warning(runner: SuiteRunner) -> None:
    rows = [mapping_row(1, "A" if number < 30 else "BCD"[number % 3], id=f"r{number}", key_kind="letter") for number in range(48)]
    assert (
        summary(inspected(runner, rows=rows, evidence=[]))["rows"]["warning_rows"]["ColumnValuesToBeBetween(letter_excess)"] == 30
    )


def test_only_the_first_offending_rows_are_shown(runner: SuiteRunner) -> None:
    rows = [row(1, id=f"r{number:02}", licences=[]) for number in range(20)]
    with pytest.raises(InputError, match="20 of 20 rows") as error:
        inspected(runner, rows=rows, evidence=[])
    assert "r04" in str(error.value) and "r05" not in str(error.value)


def test_no_items_no_evidence_and_no_dev_rows_are_not_errors(runner: SuiteRunner) -> None:
    inspected(runner, items=[], evidence=[])
    assert runner.run("dev", "dev.parquet", training_frame([]), checks_of("dev", 0.15)).failed("critical") == []


def finding(**changes: Any) -> SafetyFinding:
    values = {"row": "r1", "task": "t", "kind": "secret", "rule": "key", "field": "answer", "action": "reject", "sample": "..."}
    return SafetyFinding(**(values | changes))


def member(row_id: str, **changes: Any) -> ClusterRow:
    values = {
        "cluster": "r1",
        "row": row_id,
        "kept": row_id == "r1",
        "kind": "",
        "similarity": 1.0,
        "task": "t",
        "split": "train",
    }
    return ClusterRow(**(values | changes))


OUTGOING = {
    "dropped row in the set": ({"clusters": [member("r1"), member("r2", kind="near")]}, "is_kept_where_told", "r2"),
    "row in two clusters": ({"clusters": [member("r1"), member("r9", kind="near"), member("r9", kind="near")]}, "Unique", "r9"),
    "similarity of no measure": ({"clusters": [member("r1"), member("r9", kind="near", similarity=80.0)]}, "similarity", "80.0"),
    "cluster of none that stayed": ({"clusters": [member("r9", cluster="r8", kind="exact")]}, "is_headed_by_kept", "r8"),
    "finding in no row": ({"findings": [finding(row="r7")]}, "is_row_known", "r7"),
    "whole text as a sample": ({"findings": [finding(sample="x" * 900)]}, r"\(sample\)", "xxx"),
}


def outgoing(clusters: list[ClusterRow] = [], findings: list[SafetyFinding] = []) -> list:  # noqa: B006 - read only
    rows = training_rows([row(1, id="r1"), row(2, id="r2")], "train")
    return list(output_frames(rows, [], clusters, findings, {"r1", "r2", "r9"}))


def test_tables_that_go_out_pass(runner: SuiteRunner) -> None:
    tables = outgoing([member("r1"), member("r9", kind="semantic", similarity=0.97)], [finding()])
    figures = summary(inspect(runner, tables, PARAMS).results)
    assert set(figures) == {"train", "dev", "clusters", "safety"}
    assert all(one["failed_critical"] == one["failed_warning"] == 0 for one in figures.values())


@pytest.mark.parametrize("name", OUTGOING)
def test_a_mutation_of_a_table_that_goes_out_stops_the_build(runner: SuiteRunner, name: str) -> None:
    changes, check, shown = OUTGOING[name]
    with pytest.raises(InputError, match=check) as error:
        require_clean(inspect(runner, outgoing(**changes), PARAMS).results)
    assert shown in str(error.value)


def test_a_missing_column_is_named(runner: SuiteRunner) -> None:
    frame = training_frame([])
    del frame["answer"]
    with pytest.raises(InputError, match=r"train\.parquet lacks the column\(s\) answer"):
        runner.run("train", "train.parquet", frame, checks_of("train", 0.15))
