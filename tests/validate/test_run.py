"""The whole stage on small tables, with the real library."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages.benchmarks.schema import BenchmarkItem
from stages.enrich.schema import EnrichedRow
from stages.errors import InputError
from stages.ingest.schema import Link
from stages.stage import Stage
from stages.tables import Reject, read_table, write_table
from stages.validate.inspect_tables import PATHS
from stages.validate.run import CARD, SAFETY, SYNTHESIZED, run_validate
from stages.validate.safety import KINDS
from stages.validate.schema import TrainingRow
from tests.validate.samples import evidence, item, row, tables, write_tables
from tests.validate.test_credentials import FAKE
from tests.validate.test_safety import FORBIDDEN, poisoned

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
    assert contamination.keys() == {"status", "hashed_benchmarks"} and contamination["status"] == "not checked"


def test_a_missing_table_and_a_broken_table_write_nothing(workspace: Path) -> None:
    Path(PATHS["links"]).unlink()
    with pytest.raises(InputError, match=r"links\.parquet does not exist"):
        run_validate(Stage("validate"))
    write_table(PATHS["links"], [], Link)
    with pytest.raises(InputError, match="critical"):
        run_validate(Stage("validate"))
    assert not Path(PATHS["train"]).exists()


def test_poisoned_rows_are_dealt_with_and_nothing_unsafe_is_written_or_printed(
    workspace: Path, capsys: pytest.CaptureFixture
) -> None:
    secret = FAKE["github-token"]
    rows = [poisoned(kind) for kind in KINDS]
    rows += [row(14, id="cut", answer=f"It leaks {secret} in the middle of a"), row(15, id="shown")]
    seen = evidence("shown", f"{item(1).question} token {secret} " + item(1).question)
    whole = tables()
    write_tables(whole | {"rows": [*whole["rows"], *rows], "evidence": [*whole["evidence"], seen]})
    run_validate(Stage("validate"))
    reasons = {one.record: one.reason for one in read_table("data/validate/rejects.parquet", Reject)}
    assert reasons["bad-secret"] == reasons["cut"] == "secret" and reasons["bad-prompt-injection"] == "prompt-injection"
    assert reasons["shown"] == "contaminated-13-gram"
    kept = {one.id for one in read_table(PATHS["train"], TrainingRow)}
    assert {"bad-control-token", "bad-personal-data", "bad-live-indicator"} <= kept and not kept & reasons.keys()
    assert json.loads(Path("metrics/validate.json").read_text())["safety"]["secret"]["rows"] == 2
    printed = capsys.readouterr()
    written = "".join(map(readable, sorted((workspace / "data/validate").iterdir()))) + printed.out + printed.err
    assert "middle of a" in printed.err  # the warning shows the row, without its secret
    assert len(written) > 10_000 and not [one for one in (*FORBIDDEN, secret, secret.casefold()) if one in written]


def readable(path: Path) -> str:
    return str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else path.read_text()
