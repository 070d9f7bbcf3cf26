"""The chain behind a row, on a small whole build written here."""

import json
import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages.enrich.schema import EnrichedRow
from stages.errors import InputError
from stages.ground.schema import Evidence, GroundedRow
from stages.ingest.schema import Entity, Link
from stages.label.schema import Labelled
from stages.llm.schema import StoredResponse
from stages.stage import Stage
from stages.tables import read_table, write_json, write_table
from stages.validate.chain import trace
from stages.validate.inspect_tables import PATHS
from stages.validate.run import SYNTHESIZED, run_validate
from stages.validate.schema import TrainingRow
from stages.validate.trace import lines_of, main
from tests.validate.recount import recounted
from tests.validate.samples import entity, evidence, form, item, row, sentence, tables, write_tables

REWRITE, TRIED, TASK = "rewritten-row", "tried-row", "weakness-description"
SUMMARY = "A summary that the teacher read."
LICENCES = ["LicenseRef-MITRE-CWE", "CC0-1.0", "MIT", "CC-BY-4.0 AND LicenseRef-MITRE-CWE"]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished build: one kept rewrite, one that was not kept, one leak, one synthesized row."""
    folder = tmp_path_factory.mktemp("build")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        _write_tables()
        run_validate(Stage("validate"))
    return folder


@pytest.fixture(autouse=True)
def here(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(build)


def _write_tables() -> None:
    whole = tables()
    licence_of = {f"cwe:CWE-{number}": LICENCES[number % len(LICENCES)] for number in range(30)}
    whole["entities"] = [entity(one.id, type=one.type, licence=licence_of.get(one.id, one.licence)) for one in whole["entities"]]
    shown = [
        evidence(REWRITE, sentence(90_002), licence="CC-BY-SA-4.0"),
        evidence(REWRITE, sentence(90_003), licence="GPL-3.0-only"),
    ]
    kept = {"id": REWRITE, "decision": "rewritten", "template_answer": f"It was: {sentence(5)}", "request_hashes": ["k1", "k2"]}
    tried = {"id": TRIED, "decision": "template", "rewrite": "No.", "reasons": ["key-changed"], "request_hashes": ["k1", "k3"]}
    whole["rows"] = [_relicensed(one, licence_of) for one in whole["rows"]] + [
        _relicensed(row(21, **kept, rewrite=row(21).answer, evidence_ids=[shown[0].passage_id]), licence_of, shown[:1]),
        _relicensed(row(22, **tried, evidence_ids=[shown[0].passage_id]), licence_of),
        _relicensed(row(12, id="leak", instruction=f"Look: {item(1).question}"), licence_of),
    ]
    whole["rows"] = [one for one in whole["rows"] if one.id not in (row(21).id, row(22).id)]
    whole["formats"] = [form(TASK)]
    whole["evidence"] += [*shown, evidence(TRIED, shown[0].text)]
    synthesized = _relicensed(
        row(300, task="synthesis-new", subject="cwe:CWE-1", entity_ids=["cwe:CWE-1"], decision="synthesized"), licence_of
    )
    write_tables(whole)
    write_table(SYNTHESIZED, [synthesized], EnrichedRow)
    grounded = GroundedRow(row_id=REWRITE, task=TASK, queries=["a", "b"], kept_queries=["a"], document_ids=["cwe:CWE-21"], evidence=2, request_hashes=[], summary=SUMMARY)  # fmt: skip
    write_table("data/ground/rows.parquet", [grounded], GroundedRow)
    write_table("data/ground/responses.parquet", [_response("k1", "ground.filter")], StoredResponse)
    write_table("data/enrich/responses.parquet", [_response("k2", "enrich.rewrite")], StoredResponse)
    pin = {"kind": "wheel", "name": "cwe2", "version": "3.0.0", "sha256": "ab"}
    config = {"pins": {"cwe2": pin}, "sources": {"cwe": {"files": {"all": {"pin": "cwe2", "member": "x"}}}}}
    write_json("data/ingest/manifest.json", {"config": {"ingest": config}})
    allow = "allow: [public-domain, permissive, attribution, terms, share-alike], deny: [non-commercial, copyleft, unknown]"
    Path("params.yaml").write_text(f"validate: {{licences: {{{allow}}}}}\n")


def _relicensed(one: EnrichedRow, licence_of: dict[str, str], used: list[Evidence] | None = None) -> EnrichedRow:
    parts = {licence_of[name] for name in one.entity_ids} | {passage.licence for passage in used or []}
    return row(
        0,
        **{name: getattr(one, name) for name in one.__struct_fields__}
        | {"licences": sorted(parts), "task": one.task.replace("cwe-definition", TASK)},
    )


def _response(key: str, purpose: str) -> StoredResponse:
    return StoredResponse(
        key=key, namespace=purpose, model="teacher-1", text="t", finish_reason="stop", prompt_tokens=3, completion_tokens=2
    )


def test_ten_random_kept_rows_lead_to_sources_that_exist() -> None:
    rows = read_table(PATHS["train"], TrainingRow)
    for one in random.Random(6).sample(rows, 10):
        chain = trace(one.id)
        assert chain["broken"] == [] and chain["row"]["set"] == "train" and chain["row"]["answer"] == one.answer
        assert all(source["exists"] and source["version"] and source["uri"] and source["licence"] for source in chain["sources"])
        assert chain["read_from"] == {"cwe": ["wheel cwe2 3.0.0 sha256 ab"]}


def test_the_licence_summary_equals_an_independent_recount(build: Path) -> None:
    counted = json.loads(Path("metrics/validate.json").read_text())["licence_classes"]
    assert counted == recounted(build) and counted["share-alike"] == 1 and len(counted) == 4


def test_a_kept_rewrite_shows_what_it_rests_on_and_takes_the_strictest_licence() -> None:
    chain = trace(REWRITE)
    states = {one["licence"]: one["state"] for one in chain["evidence"]["passages"]}
    assert states == {"CC-BY-SA-4.0": "used", "GPL-3.0-only": "found"}
    assert chain["evidence"]["summary"] == SUMMARY and SUMMARY in "\n".join(lines_of(chain))
    unseen = [{**one, "state": "found"} for one in chain["evidence"]["passages"]]
    unread = {**chain, "evidence": {**chain["evidence"], "passages": unseen}}
    assert SUMMARY not in "\n".join(lines_of(unread)), "nothing was shown, so no summary was read"
    assert chain["evidence"]["kept_queries"] == ["a"] and chain["evidence"]["document_ids"] == ["cwe:CWE-21"]
    assert chain["licence"] == {
        "class": "share-alike", "decided_by": ["CC-BY-SA-4.0"], "licences": ["CC-BY-SA-4.0", "CC0-1.0"],
        "recorded": ["CC-BY-SA-4.0", "CC0-1.0"], "agrees": True,
    }  # fmt: skip
    first, second = chain["requests"]
    assert (first["purpose"], first["model"], first["prompt"]["file"]) == (
        "ground.filter", "teacher-1", "stages/ground/prompts/filter.txt",
    )  # fmt: skip
    assert second["prompt"]["file"] == "stages/enrich/prompts/rewrite.txt" and len(second["prompt"]["sha256"]) == 64
    assert chain["format"]["applied"] and chain["format"]["version"] == 1


def test_a_rewrite_that_was_not_kept_lends_no_licence_and_a_lost_response_is_named(capsys: pytest.CaptureFixture) -> None:
    assert main([TRIED]) == 1
    shown = capsys.readouterr().out
    assert "1 tried" in shown and "decision template: key-changed" in shown
    assert "BROKEN   request k3 has no stored response" in shown
    assert trace(TRIED)["licence"]["class"] == "permissive"


def test_the_requests_that_labelled_a_row_are_shown_and_a_label_table_without_them_is_a_message() -> None:
    path = Path("data/label/labels.parquet")
    labelled = Labelled(row_id=REWRITE, task=TASK, declared=[], named=["memory"], request_hashes=["k9"])
    write_table(path, [labelled], Labelled)
    try:
        assert [one["hash"] for one in trace(REWRITE)["requests"]] == ["k1", "k2", "k9"]
        table = pq.read_table(path)
        pq.write_table(table.drop_columns(["request_hashes"]), path)
        with pytest.raises(InputError, match="labels.parquet is of another version") as error:
            trace(REWRITE)
        assert "dvc repro label" in str(error.value)
        assert trace(TRIED)["requests"], "a row without a label needs none"
    finally:
        path.unlink()


def test_a_dropped_row_says_why_it_is_not_in_the_set(capsys: pytest.CaptureFixture) -> None:
    assert main(["leak"]) == 0
    assert "row      leak: dropped: contaminated-13-gram (secforge-rcm item item-1" in capsys.readouterr().out


def test_a_synthesized_row_names_its_method_and_json_holds_the_whole_texts(capsys: pytest.CaptureFixture) -> None:
    one = read_table(SYNTHESIZED, EnrichedRow)[0]
    assert main([one.id, "--json"]) == 0
    chain = json.loads(capsys.readouterr().out)
    assert chain["task"]["generator"] == "stages.synthesize, method self-instruct" and chain["format"] is None
    assert chain["row"]["instruction"] == one.instruction


def test_an_entity_that_the_graph_lost_breaks_the_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Path) -> None:
    for path in build.rglob("*.*"):
        if path.is_file():
            (tmp_path / path.relative_to(build)).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path.relative_to(build)).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    entities = read_table(PATHS["entities"], Entity)
    write_table(PATHS["entities"], [one for one in entities if one.id != "cwe:CWE-3"], Entity)
    chain = trace(row(3).id)
    assert "entity cwe:CWE-3 is not in the graph" in chain["broken"]


def test_an_unknown_id_is_one_message_with_near_ids(
    capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([row(3).id[:9]]) == 2
    assert row(3).id in capsys.readouterr().err
    assert main(["rewriten-row"]) == 2
    assert "near ids: rewritten-row" in capsys.readouterr().err
    assert main(["--json", "nothing like it"]) == 2
    assert "No row has the id" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert main([row(3).id]) == 2
    assert "dvc repro" in capsys.readouterr().err


def test_a_damaged_table_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.chdir(tmp_path)
    write_table("data/enrich/rows.parquet", [], Link)
    assert main(["x"]) == 2
    assert "cannot be searched by id" in capsys.readouterr().err
    Path("data/enrich/rows.parquet").write_bytes(b"not a table")
    assert main(["x"]) == 2
    assert "cannot be searched by id" in capsys.readouterr().err
