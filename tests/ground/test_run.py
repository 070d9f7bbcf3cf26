"""The whole stage with a second round and summaries, against a real server: same bytes whatever the order of the calls."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.ground.retriever import Retriever, open_retriever
from stages.ground.run import run_ground
from stages.ground.schema import Evidence, GroundedRow
from stages.ground.summary import named_terms
from stages.ingest.schema import Link, Passage
from stages.llm.schema import StoredResponse
from stages.stage import Stage
from stages.tables import file_sha256, read_table, write_table
from stages.tasks.schema import InstructionRow
from tests import fake_teacher
from tests.enrich.test_run import make_inputs
from tests.fake_openai import FakeOpenAI
from tests.toy_rows import make_link, make_passage, make_row

PARAMS = """
llm:
  teacher: {{provider: openai, model: fake, temperature: 0.2, repetition_penalty: 1.0, max_tokens: 400}}
ground: {{rows: 0, rounds: {rounds}, summary_tokens: {summary}, least_score: 0.0, engines: [bm25]}}
runtime: {{concurrency: {concurrency}, endpoints: {{teacher: [{{base_url: "{url}"}}], judge: [{{base_url: "{url}"}}]}}}}
"""
TABLES = ("rows", "evidence", "rejects", "responses")


THINGS = (
    "gallery",
    "forum",
    "router",
    "camera",
    "printer",
    "kernel",
    "browser",
    "mailer",
    "archive",
    "wallet",
    "console",
    "parser",
)
FLAWS = (
    "script",
    "statement",
    "buffer",
    "pointer",
    "header",
    "cookie",
    "ticket",
    "socket",
    "thread",
    "pickle",
    "string",
    "secret",
)


def questions() -> list[InstructionRow]:
    """Rows of two tasks whose questions have words of their own."""
    rows = []
    for number, (thing, flaw) in enumerate(zip(THINGS, FLAWS, strict=True)):
        other = FLAWS[number - 5]
        text = f"What does a broken {flaw} handler of the {thing} allow besides reading its {other}?"
        rows.append(make_row(text, f"A broken {flaw} handler lets attackers reach the {thing}.\nFinal answer: CWE-79"))
        text = f"Does the {thing} of a remote office trust each {flaw} that names another {other}?"
        answer = f"It trusts each {flaw} of the office.\nFinal answer: Yes"
        rows.append(make_row(text, answer, task="is-remote", family="path", key_kind="yes-no", answer_key=["Yes"]))
    return rows


def grounded(
    root: Path, url: str, patch: pytest.MonkeyPatch, *, rounds: int = 2, summary: int = 60, concurrency: int = 8
) -> dict[str, Any]:
    """The metrics of the stage, run in a toy workspace below `root`."""
    make_inputs(root)
    write_table(root / "data/tasks/rows.parquet", questions(), InstructionRow)
    more = [
        make_passage(
            f"cwe:CWE-{500 + number}",
            f"The {flaw} handler of the {thing} must check what it reads. Attackers in a remote office who reach this handler "
            f"control the {FLAWS[number - 5]}. Logs of the {thing} show each request that the handler did not trust.",
            licence="CC-BY-SA-4.0" if number == 0 else "CC-BY-4.0",
        )
        for number, (thing, flaw) in enumerate(zip(THINGS, FLAWS, strict=True))
    ]
    write_table(
        root / "data/ingest/passages.parquet", [*read_table(root / "data/ingest/passages.parquet", Passage), *more], Passage
    )
    said = make_link(
        "cve:CVE-2020-0001", "instance-of", "cwe:CWE-501", "A remote office lost its wallet through a torn envelope."
    )
    write_table(root / "data/graph/links.parquet", [said], Link)
    patch.chdir(root)
    patch.setenv("OPENAI_API_KEY", "test")
    (root / "params.yaml").write_text(PARAMS.format(rounds=rounds, summary=summary, concurrency=concurrency, url=url))
    run_ground(Stage("ground"))
    return json.loads((root / "metrics/ground.json").read_text())


@pytest.fixture(scope="module")
def server() -> object:
    with FakeOpenAI(behaviour=fake_teacher.behaviour) as running:
        yield running


def test_gaps_and_summaries_are_counted_and_the_order_of_calls_changes_no_byte(
    server: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []
    for concurrency in (1, 16):
        root = tmp_path / str(concurrency)
        figures = grounded(root, server.base_url, monkeypatch, concurrency=concurrency)
        hashes.append([file_sha256(root / f"data/ground/{name}.parquet") for name in TABLES])
    assert hashes[0] == hashes[1]
    asked = figures["llm"]["by_purpose"]
    assert 0 < figures["gaps"]["closed"] < figures["gaps"]["rows"] < figures["rows"]
    assert 0 < figures["summaries"] < figures["rows"] and figures["events"]["summary-refused:invented"] > 0
    assert asked["ground.gap_queries"]["requests"] >= figures["gaps"]["rows"] and asked["ground.summary"]["parse_failures"] > 0


def test_every_row_can_be_followed_to_its_calls_and_passages(
    server: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = grounded(tmp_path, server.base_url, monkeypatch)
    rows, evidence = (
        read_table(f"data/ground/{name}.parquet", kind) for name, kind in (("rows", GroundedRow), ("evidence", Evidence))
    )
    stored = {response.key: response for response in read_table("data/ground/responses.parquet", StoredResponse)}
    passages = {one.id: one for one in read_table("data/ingest/passages.parquet", Passage)}
    assert {key for row in rows for key in row.request_hashes} == set(stored)
    for row in rows:
        namespaces = [stored[key].namespace for key in row.request_hashes]
        assert namespaces[0] == "ground.queries" and ("ground.summary" in namespaces[-1]) >= bool(row.summary)
        of_row = [one for one in evidence if one.row_id == row.row_id]
        assert named_terms(row.summary) <= named_terms(" ".join(f"{one.text} {one.entity_id}" for one in of_row))
    for one in evidence:
        source = passages[one.passage_id]
        assert one.text in source.text and (one.uri, one.licence) == (source.uri, source.licence)
    assert figures["anchors"]["usable"] == 1 and not [one for one in evidence if "envelope" in one.text]
    assert figures["passages"]["licence-denied"] == 1 and "CC-BY-SA-4.0" not in figures["licences"]


def test_what_the_stage_searches_has_the_sentences_of_links(
    server: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Retriever] = []

    def watched(*given: Any) -> Retriever:
        opened.append(open_retriever(*given))
        return opened[-1]

    monkeypatch.setattr("stages.ground.run.open_retriever", watched)
    grounded(tmp_path, server.base_url, monkeypatch, rounds=1, summary=0)
    (retriever,) = opened
    assert [hit.passage.entity_id for hit in retriever.search("torn envelope", 4)] == ["cwe:CWE-501"], "no passage says so itself"


def test_one_round_and_no_summary_ask_for_neither(server: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = grounded(tmp_path, server.base_url, monkeypatch, rounds=1, summary=0)
    assert set(figures["llm"]["by_purpose"]) == {"ground.queries", "ground.filter"}
    assert figures["gaps"] == {"rows": 0, "closed": 0} and figures["summaries"] == 0
