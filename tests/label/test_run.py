"""The stage from table to tables, with a server and without any row to label."""

from pathlib import Path

import msgspec
import pytest

from stages.label.run import run_label
from stages.label.schema import Labelled
from stages.stage import Stage
from stages.tables import read_table, write_table
from stages.tasks.schema import InstructionRow
from tests.fake_openai import FakeOpenAI
from tests.toy_rows import toy_corpus

PARAMS = """
label: {{rows: {rows}}}
llm: {{teacher: {{provider: openai, model: fake}}, judge: {{provider: openai, model: fake}}}}
runtime: {{endpoints: {{teacher: [{{base_url: "{url}"}}], judge: [{{base_url: "{url}"}}]}}}}
"""


def run(root: Path, monkeypatch: pytest.MonkeyPatch, rows: int, url: str) -> dict:
    write_table(root / "data/tasks/rows.parquet", toy_corpus(), InstructionRow)
    (root / "params.yaml").write_text(PARAMS.format(rows=rows, url=url))
    monkeypatch.chdir(root)
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    run_label(Stage("label"))
    return msgspec.json.decode((root / "metrics/label.json").read_bytes())


def test_sampled_rows_are_labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeOpenAI(behaviour=lambda messages: "threat-intelligence") as server:
        metrics = run(tmp_path, monkeypatch, 3, server.base_url)
    labelled = read_table("data/label/labels.parquet", Labelled)
    assert metrics["rows"] == metrics["labelled"] == len(labelled) > 0
    assert metrics["categories"]["threat-intelligence"]["named"] == len(labelled)


def test_no_rows_need_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = run(tmp_path, monkeypatch, 0, "http://127.0.0.1:9/v1")
    assert metrics["rows"] == 0 and metrics["mean_jaccard"] is None
