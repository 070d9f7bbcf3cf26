"""The exported folder, read back by the library that others will read it with."""

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from stages.enrich.schema import EnrichedRow
from stages.ingest.schema import Entity
from stages.licences import CLASSES_FILE
from stages.stage import Stage
from stages.tables import read_table, write_json, write_table
from stages.validate.chain import APART, trace
from stages.validate.export import main
from stages.validate.inspect_tables import PATHS
from stages.validate.notice import TERMS
from stages.validate.run import SYNTHESIZED, run_validate
from stages.validate.schema import RowApart, TrainingRow
from tests.validate.recount import class_by_row
from tests.validate.samples import entity, evidence, mapping_row, row, tables, write_tables


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        whole = tables()
        author = {"fields": {"author": "Ada Example, Zoë Beispiel"}, "licence": "DRL-1.1", "source": "sigma"}
        whole["entities"][3] = entity("cwe:CWE-3", **author)
        whole["rows"][3] = row(3, licences=["DRL-1.1"], sources=["sigma"])
        told = {"entity_id": "d3fend:D3-FCR", "passage_id": "d3fend:D3-FCR#definition", "licence": "MIT"}
        whole["entities"].append(entity(told["entity_id"], source="d3fend", licence="MIT"))
        whole["evidence"].append(evidence(whole["rows"][5].id, "A file is read again after a change.", **told))
        shown = {"decision": "rewritten", "rewrite": whole["rows"][5].answer, "evidence_ids": [told["passage_id"]]}
        whole["rows"][5] = msgspec.structs.replace(whole["rows"][5], **shown)
        whole["rows"].append(mapping_row(4, answer='Line one\n\n"quoted" | – ümlaut\nFinal answer: CWE-79'))
        write_tables(whole)
        write_table(SYNTHESIZED, [], EnrichedRow)
        write_json("metrics/ingest.json", {"sources": {"sigma": {"version": "7"}}})
        Path("params.yaml").write_text("validate: {}\n")
        run_validate(Stage("validate"))
    return folder


@pytest.fixture(autouse=True)
def here(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(build)


def loaded(folder: Path, config: str, cache: Path) -> Any:
    from datasets import load_dataset

    return load_dataset(str(folder), config, cache_dir=str(cache))


def test_both_configurations_round_trip_through_load_dataset(tmp_path: Path) -> None:
    assert main([str(tmp_path / "set")]) == 0
    chat, pairs = (loaded(tmp_path / "set", name, tmp_path / "cache") for name in ("chat", "prompt_completion"))
    for split, table in (("train", "train"), ("validation", "dev")):
        rows = read_table(PATHS[table], TrainingRow)
        turns = [[{"role": "user", "content": one.instruction}, {"role": "assistant", "content": one.answer}] for one in rows]
        assert chat[split]["messages"][:] == turns and chat[split]["id"][:] == [one.id for one in rows]
        assert pairs[split]["prompt"][:] == [one.instruction for one in rows]
        assert pairs[split]["completion"][:] == [one.answer for one in rows]
        assert pairs[split]["answer_key"][:] == [one.answer_key for one in rows]
    classes = dict(zip(chat["train"]["id"], chat["train"]["licence_class"], strict=True))
    assert classes[row(3).id] == "attribution" and set(classes.values()) == {"attribution", "terms"}


def test_the_front_matter_is_what_the_hub_reads(tmp_path: Path) -> None:
    from huggingface_hub import DatasetCard

    main([str(tmp_path / "set")])
    text = (tmp_path / "set/README.md").read_text(encoding="utf-8")
    card = DatasetCard(text).data.to_dict()
    assert card == YAML(typ="safe", pure=True).load(text.split("---\n")[1])
    assert card["license"] == "other" and card["size_categories"] == ["n<1K"]
    assert (tmp_path / "set" / card["license_link"]).exists()
    named = {(one["config_name"], file["split"], file["path"]) for one in card["configs"] for file in one["data_files"]}
    assert len(named) == 4 and all((tmp_path / "set" / path).is_file() for _, _, path in named)
    assert [one.get("default") for one in card["configs"]] == [True, None]
    assert "## Exact build" in text and "| sigma | 7 |" in text and text.count("\n# ") == 1


def test_the_notice_names_sources_duties_and_authors(tmp_path: Path) -> None:
    main([str(tmp_path / "set")])
    text = (tmp_path / "set/NOTICE").read_text(encoding="utf-8")
    assert "d3fend 1: 1 records under MIT" in text  # no subject of a row, but shown to the model that rewrote one
    assert "sigma 1: 1 records under DRL-1.1 (attribution)" in text
    assert (
        "  https://github.com/SigmaHQ/Detection-Rule-License\n" in text
        and "(c) The MITRE Corporation. CWE is a trademark" in text
    )
    assert "Authors: Ada Example, Zoë Beispiel" in text and "cve:" not in text


def test_every_known_licence_has_an_address_for_its_terms() -> None:
    terms = json.loads(TERMS.read_text())
    known = {name for names in json.loads(CLASSES_FILE.read_text()).values() for name in names}
    assert terms.keys() == known
    assert all(one["terms"].startswith("https://") for name, one in terms.items() if name != "LicenseRef-Own-Data")


def test_the_build_file_names_commit_params_and_hashes(tmp_path: Path, build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main([str(tmp_path / "set")])
    facts = json.loads((tmp_path / "set/build.json").read_text())
    assert facts["commit"] == "not in git" and facts["dvc_lock_sha256"] == ""
    assert facts["params"]["validate"]["validate"]["letter_excess"] == 0.15
    assert facts["outputs"][PATHS["train"]]["rows"] == 28
    for command in (["init", "-q"], ["add", "params.yaml"], ["commit", "-q", "-m", "x"]):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *identity, *command], check=True)
    main([str(tmp_path / "again")])
    facts = json.loads((tmp_path / "again/build.json").read_text())
    assert len(facts["commit"]) == 40 and facts["uncommitted_changes"] is False


def test_an_export_replaces_an_earlier_one_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "set").mkdir()
    assert main([str(tmp_path / "set")]) == 0 and main([str(tmp_path / "set")]) == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    (tmp_path / "mine/build.json").write_text("{}")  # of another tool: no sign of an export
    assert main([str(tmp_path / "mine")]) == 2
    assert "holds other files" in capsys.readouterr().err
    assert (tmp_path / "mine/thesis.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "set"]


def test_a_changed_set_and_a_missing_build_are_refused(
    tmp_path: Path, build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    whole = Path(PATHS["train"]).read_bytes()
    write_table(PATHS["train"], read_table(PATHS["train"], TrainingRow)[1:], TrainingRow)
    assert main([str(tmp_path / "set")]) == 2
    assert "is not what the last run of validate wrote" in capsys.readouterr().err
    Path(PATHS["train"]).write_bytes(whole)
    monkeypatch.chdir(tmp_path)
    assert main([str(tmp_path / "set")]) == 2
    assert "dvc repro" in capsys.readouterr().err and not (tmp_path / "set").exists()


def test_a_set_without_dev_rows_has_no_validation_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole = tables(9)
    write_tables(whole)
    write_table(SYNTHESIZED, [], EnrichedRow)
    Path("params.yaml").write_text("validate: {}\n")
    run_validate(Stage("validate"))
    assert main([str(tmp_path / "set")]) == 0
    assert list(loaded(tmp_path / "set", "chat", tmp_path / "cache")) == ["train"]
    assert read_table(PATHS["entities"], Entity)


def test_a_licence_class_that_is_kept_apart_has_configurations_and_a_notice_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datasets import get_dataset_config_names

    monkeypatch.chdir(tmp_path)
    whole = tables()
    licences = {4: "CC-BY-SA-4.0", 5: "GPL-3.0-only", 9: "CC-BY-SA-4.0", 11: "CC-BY-NC-4.0"}  # row 9 is of dev
    for number, licence in licences.items():
        whole["entities"][number] = entity(f"cwe:CWE-{number}", source="kin", licence=licence)
        split = whole["rows"][number].split
        whole["rows"][number] = row(number, licences=["MIT", licence], sources=["kin"], split=split)
    write_tables(whole)
    write_table(SYNTHESIZED, [], EnrichedRow)
    Path("params.yaml").write_text("validate: {licences: {splits: [share-alike, copyleft]}}\n")
    run_validate(Stage("validate"))
    metrics = json.loads(Path("metrics/validate.json").read_text())
    assert metrics["licence_splits"] == {"copyleft": {"train": 1, "dev": 0}, "share-alike": {"train": 1, "dev": 1}}
    assert metrics["rows"] == {"in": 30, "train": 24, "dev": 2, "apart": 3, "dropped": 1}
    trained = {one.id for name in ("train", "dev") for one in read_table(PATHS[name], TrainingRow)}
    assert not trained & {whole["rows"][number].id for number in licences}
    again = class_by_row(tmp_path)
    assert not {again[one] for one in trained} & {"share-alike", "copyleft", "non-commercial", "unknown"}
    apart = {one.id: one.licence_class for one in read_table(APART, RowApart)}
    assert apart == {one: again[one] for one in apart} and len(apart) == 3
    assert main([str(tmp_path / "set")]) == 0
    names = get_dataset_config_names(str(tmp_path / "set"))
    assert {*names} == {f"{form}{kind}" for form in ("chat", "prompt_completion") for kind in ("", "-copyleft", "-share-alike")}
    kin = loaded(tmp_path / "set", "chat-share-alike", tmp_path / "cache")
    assert {split: part["id"][:] for split, part in kin.items()} == {
        "train": [whole["rows"][4].id],
        "validation": [whole["rows"][9].id],
    }
    assert set(kin["train"]["licence_class"]) == {"share-alike"}
    mixed = loaded(tmp_path / "set", "prompt_completion", tmp_path / "cache")
    assert not {"share-alike", "copyleft"} & {*mixed["train"]["licence_class"], *mixed["validation"]["licence_class"]}
    notices = {path.name: path.read_text() for path in (tmp_path / "set").glob("NOTICE*")}
    assert "kin 1: 2 records under CC-BY-SA-4.0 (share-alike)" in notices["NOTICE-share-alike"]
    assert "GPL-3.0-only" in notices["NOTICE-copyleft"] and "kin" not in notices["NOTICE"] and len(notices) == 3
    assert main([str(tmp_path / "set")]) == 0  # an export with more configurations is an earlier export too
    chain = trace(whole["rows"][4].id)
    assert chain["row"]["set"] == "share-alike train" and chain["licence"]["class"] == "share-alike"
