"""The whole stage on small tables, with the real library."""

import json
from pathlib import Path

import pytest

from stages.benchmarks.schema import BenchmarkItem
from stages.enrich.schema import EnrichedRow
from stages.errors import InputError
from stages.ingest.schema import Link
from stages.stage import Stage
from stages.tables import Reject, read_table, write_table
from stages.validate.inspect_tables import PATHS
from stages.validate.run import CARD, SAFETY, SYNTHESIZED, run_validate
from stages.validate.schema import TrainingRow
from tests.validate.samples import item, row, tables, write_tables

OUTPUTS = (
    PATHS["train"],
    PATHS["dev"],
    "data/validate/rejects.parquet",
    SAFETY,
    CARD,
    "metrics/validate.json",
    "data/validate/manifest.json",
)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    whole = tables()
    whole["rows"] += [row(12, id="zz", instruction=f"Look: {item(1).question}"), row(4, id="yy", decision="synthesized")]
    write_table(SYNTHESIZED, [whole["rows"].pop()], EnrichedRow)
    write_tables(whole)
    Path("params.yaml").write_text("validate: {duplicates: {threshold: 0.7}}\n")
    return tmp_path


def test_two_runs_write_the_same_bytes_and_drop_what_they_must(workspace: Path, capsys: pytest.CaptureFixture) -> None:
    run_validate(Stage("validate"))
    first = {path: (workspace / path).read_bytes() for path in OUTPUTS}
    run_validate(Stage("validate"))
    assert first == {path: (workspace / path).read_bytes() for path in OUTPUTS}
    rejects = read_table("data/validate/rejects.parquet", Reject)
    assert {(one.record, one.reason) for one in rejects} == {("zz", "contaminated-13-gram"), ("yy", "duplicate-exact")}
    assert len(read_table(PATHS["train"], TrainingRow)) == 27
    metrics = json.loads(first["metrics/validate.json"])
    assert metrics["rows"] == {"in": 32, "train": 27, "dev": 3, "apart": 0, "dropped": 2}
    assert metrics["contamination"]["benchmarks"]["secforge-rcm"]["rows_dropped"] == 1
    assert "[validate] in: 32 rows" in capsys.readouterr().out


def test_without_items_the_metric_says_not_checked(workspace: Path) -> None:
    write_table(PATHS["items"], [], BenchmarkItem)
    run_validate(Stage("validate"))
    contamination = json.loads(Path("metrics/validate.json").read_text())["contamination"]
    assert contamination.keys() == {"status", "embedding", "hashed_benchmarks", "files"}
    assert contamination["status"] == contamination["embedding"] == "not checked"


def test_a_missing_table_and_a_broken_table_write_nothing(workspace: Path) -> None:
    Path(PATHS["links"]).unlink()
    with pytest.raises(InputError, match=r"links\.parquet does not exist"):
        run_validate(Stage("validate"))
    write_table(PATHS["links"], [], Link)
    with pytest.raises(InputError, match="critical"):
        run_validate(Stage("validate"))
    assert not Path(PATHS["train"]).exists()
