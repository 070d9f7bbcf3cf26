"""The stage from tables to tables: drafts come from a server only where the library has nothing, and loading stays light."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from stages.benchmarks.schema import BenchmarkItem
from stages.formats.run import run_formats
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ingest.schema import Passage
from stages.stage import Stage
from stages.tables import Reject, file_sha256, read_table, write_table
from stages.tasks.schema import InstructionRow
from tests import fake_teacher
from tests.fake_openai import FakeOpenAI
from tests.toy_rows import make_passage, make_row, toy_corpus

ROOT = Path(__file__).parents[2]
PARAMS = """
formats: {{policy: {policy}, evidence: {evidence}}}
llm: {{teacher: {{provider: openai, model: fake}}}}
runtime: {{concurrency: {concurrency}, endpoints: {{teacher: [{{base_url: "{url}"}}]}}}}
"""


def run(root: Path, monkeypatch: pytest.MonkeyPatch, policy: str, url: str, concurrency: int = 4, evidence: int = 0) -> dict:
    write_table(root / "data/tasks/rows.parquet", toy_corpus(), InstructionRow)
    (root / "params.yaml").write_text(PARAMS.format(policy=policy, url=url, concurrency=concurrency, evidence=evidence))
    monkeypatch.chdir(root)
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    run_formats(Stage("formats"))
    return msgspec.json.decode((root / "metrics/formats.json").read_bytes())


def test_missing_formats_are_drafted_and_concurrency_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = []
    with FakeOpenAI(behaviour=fake_teacher.behaviour) as server:
        for concurrency in (1, 8):
            metrics = run(tmp_path / str(concurrency), monkeypatch, "approved-or-draft", server.base_url, concurrency)
            hashes.append([file_sha256(f"data/formats/{name}.parquet") for name in ("formats", "rejects", "responses")])
    assert metrics["status"] == {"approved": 1, "draft": 2} and metrics["drafted"] == 2 and metrics["failed"] == 0
    assert hashes[0] == hashes[1]
    drafts = [form for form in read_table("data/formats/formats.parquet", Format) if form.status == "draft"]
    assert all(form.reviewer == "" and form.author == "fake" and form.rewrite for form in drafts)


def test_evidence_is_read_from_the_tables_only_if_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject, seen = "cve:CVE-2020-0001", []

    def listen(messages: list[dict[str, str]]) -> str:
        seen.append(messages[-1]["content"])
        return fake_teacher.behaviour(messages)

    write_table(tmp_path / "data/ingest/passages.parquet", [make_passage(subject, "Background words.")], Passage)
    write_table(tmp_path / "data/graph/splits.parquet", [Split(entity_id=subject, split="train")], Split)
    write_table(tmp_path / "data/benchmarks/items.parquet", [], BenchmarkItem)
    with FakeOpenAI(behaviour=listen) as server:
        metrics = run(tmp_path, monkeypatch, "draft", server.base_url, evidence=1)
    assert metrics["status"] == {"draft": 3} and any("Background words." in asked for asked in seen)


def test_approved_asks_no_model_and_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = run(tmp_path, monkeypatch, "approved", "http://127.0.0.1:9/v1")
    assert metrics["status"] == {"approved": 1} and metrics["reasons"] == {"no-approved-format": 2}
    assert [reject.record for reject in read_table("data/formats/rejects.parquet", Reject)] == ["describe", "is-remote"]


def test_nothing_heavy_is_imported_when_nothing_is_drafted(tmp_path: Path) -> None:
    write_table(tmp_path / "data/tasks/rows.parquet", [make_row("Q?", "A.")], InstructionRow)
    (tmp_path / "params.yaml").write_text("formats: {policy: approved-or-draft}\n")
    code = (
        "import sys; from stages.stage import Stage; from stages.formats.__main__ import run; run(Stage('formats'));"
        "print(sorted({'torch', 'openai', 'transformers', 'aiohttp', 'mlflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
