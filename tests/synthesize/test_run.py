"""The stage from tables to tables: with a server, without documents, and twice to the same bytes."""

from pathlib import Path

import msgspec
import pytest

from stages.enrich.schema import EnrichedRow
from stages.graph.schema import Split
from stages.ingest.schema import Entity
from stages.stage import Stage
from stages.synthesize.run import run_synthesize
from stages.tables import file_sha256, read_table, write_table
from stages.tasks.schema import InstructionRow
from tests.fake_openai import FakeOpenAI
from tests.synthesize.test_core import TEXT
from tests.tasks.small_graph import entity
from tests.toy_rows import toy_corpus

PARAMS = """
synthesize: {{documents: {documents}, iterations: 2}}
llm: {{teacher: {{provider: openai, model: fake}}, judge: {{provider: openai, model: fake}}}}
runtime: {{concurrency: {concurrency}, endpoints: {{teacher: [{{base_url: "{url}"}}], judge: [{{base_url: "{url}"}}]}}}}
"""


def behaviour(messages: list[dict[str, str]]) -> str:
    """Judges by what the hand-written bad answers say; writes a pair otherwise."""
    shown = messages[-1]["content"]
    if "Decide three things" not in shown:
        return (
            "<question>Why does the motor start whoever has sent the frame to the port?</question>"
            "<answer>Because the controller trusts every frame and asks nobody.</answer>"
        )
    bad = ("always signed", "Three levels.", "48-bit", "tomatoes")
    return f"1: yes\n2: yes\n3: {'no' if any(word in shown for word in bad) else 'yes'}"


def run(root: Path, monkeypatch: pytest.MonkeyPatch, documents: int, url: str, concurrency: int = 4) -> dict:
    made = [entity(f"nist:AC-{n}", "control", f"Control {n}", TEXT) for n in range(3)]
    write_table(root / "data/graph/entities.parquet", made, Entity)
    write_table(root / "data/graph/splits.parquet", [Split(entity_id=one.id, split="train") for one in made], Split)
    write_table(root / "data/tasks/rows.parquet", toy_corpus(), InstructionRow)
    (root / "params.yaml").write_text(PARAMS.format(documents=documents, url=url, concurrency=concurrency))
    monkeypatch.chdir(root)
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    run_synthesize(Stage("synthesize"))
    return msgspec.json.decode((root / "metrics/synthesize.json").read_bytes())


def test_pairs_are_written_checked_and_counted_and_concurrency_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []
    with FakeOpenAI(behaviour=behaviour) as server:
        for concurrency in (1, 8):
            metrics = run(tmp_path / str(concurrency), monkeypatch, 3, server.base_url, concurrency)
            hashes.append([file_sha256(f"data/synthesize/{name}.parquet") for name in ("rows", "rejects", "responses")])
    assert metrics["calibration"]["passed"] and metrics["documents"] == 3 and metrics["tried"] == 6
    rows = read_table("data/synthesize/rows.parquet", EnrichedRow)
    assert len(rows) == metrics["rows"] == 1  # the server writes the same pair every time
    assert metrics["reasons"]["not-new"] == 3
    assert hashes[0] == hashes[1]


def test_no_documents_need_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = run(tmp_path, monkeypatch, 0, "http://127.0.0.1:9/v1")
    assert metrics["rows"] == 0 and metrics["documents"] == 0
