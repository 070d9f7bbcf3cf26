"""The four mutations that the stage must not miss, through the whole stage."""

import json
from pathlib import Path

import pytest

from stages.enrich.schema import EnrichedRow
from stages.stage import Stage, stage_main
from stages.tables import read_table, write_table
from stages.validate.docs import main as docs
from stages.validate.drift import Baseline
from stages.validate.inspect_tables import PATHS
from stages.validate.run import SYNTHESIZED, run_validate
from stages.validate.schema import ClusterRow
from tests.validate.samples import complete, row, tables, task_row, write_tables

SWAPPED = row(3, id="swapped", instruction=row(3).answer, answer=row(3).instruction)
DANGLING = row(3, id="dangling", entity_ids=["attack:T9999"])


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_table(SYNTHESIZED, [row(4, id="zz", decision="synthesized")], EnrichedRow)
    Path("params.yaml").write_text("validate: {}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("bad", "check", "shown"), [(SWAPPED, "is_row_of_tasks", "swapped"), (DANGLING, "is_entities_known", "attack:T9999")]
)
def test_a_critical_one_ends_the_command_with_its_first_rows_and_is_seen_in_data_docs(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, bad: EnrichedRow, check: str, shown: str
) -> None:
    whole = complete(tables())
    write_tables(whole | {"rows": [*whole["rows"], bad], "tasks": [*whole["tasks"], task_row(row(3), id=bad.id)]})
    monkeypatch.setattr("sys.argv", ["validate"])
    with pytest.raises(SystemExit) as ended:
        stage_main("validate", run_validate, None)
    message = str(ended.value.code)
    assert check in message and shown in message and "data/enrich/rows.parquet" in message
    assert not Path(PATHS["train"]).exists() and not Path("data/validate/manifest.json").exists()
    assert docs(["site"]) == 0 and shown in Path("site/index.html").read_text()


def test_a_truncated_answer_and_a_shifted_distribution_are_told_with_rows_and_values(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    whole = tables(300)
    cut = row(7, id="cut", answer="It ends in the middle of a")
    write_tables(whole | {"rows": [*whole["rows"][:-1], cut]})
    before = Baseline({"entities": {"source": {"cwe": 302}}, "rows": {"family": {"attack": 300}}})
    monkeypatch.setattr("stages.validate.run.load_baseline", lambda: before)
    run_validate(Stage("validate"))
    told = capsys.readouterr().err
    assert "is_complete" in told and "cut: It ends in the middle of a" in told
    assert "drift of rows.family" in told and "cwe 0.0% -> 100.0%" in told
    drift = json.loads(Path("metrics/validate.json").read_text())["drift"]
    assert [(one["table"], one["column"]) for one in drift["shifts"]] == [("rows", "family")]
    assert drift["not_compared"]["items"].startswith("2 rows; below 200")


def test_clusters_are_a_table_and_without_an_encoder_semantic_ones_are_not_checked(workspace: Path) -> None:
    write_tables(tables())
    run_validate(Stage("validate"))
    duplicates = json.loads(Path("metrics/validate.json").read_text())["duplicates"]
    assert duplicates["pairs"]["semantic"] == "not checked" and duplicates["pairs"]["exact"]["within_train"] == 1
    members = read_table(PATHS["clusters"], ClusterRow)
    assert [(one.row, one.kept, one.kind) for one in members] == [(row(4).id, True, ""), ("zz", False, "exact")]
