"""The folder of preference pairs: what DPOTrainer and `load_dataset` read, with card and NOTICE, or one clear message."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from stages.enrich.schema import EnrichedRow, RewriteAttempt
from stages.tables import file_sha256, read_table, write_json, write_table, write_text
from stages.validate.card import CARD
from stages.validate.core import training_rows
from stages.validate.export_preferences import ATTEMPTS, JUDGE, MADE_BY, MANIFEST, PATHS, main
from stages.validate.params import ValidateParams
from stages.validate.schema import TrainingRow
from tests.validate.samples import TYPES, entity, evidence, item, mapping_row
from tests.validate.test_preferences import BAD, GOOD, TEMPLATE, attempt


def write_build(*, passed: bool = True, attempts: list[RewriteAttempt] | None = None) -> list[EnrichedRow]:
    """A finished build of four rows in the working directory: one rewrite kept, two refused, one of a dropped row."""
    rows = [mapping_row(number, template_answer=TEMPLATE, split="dev" if number == 2 else "train") for number in range(4)]
    rows[0] = msgspec.structs.replace(rows[0], answer=GOOD, rewrite=GOOD, decision="rewritten", evidence_ids=["p"])
    told = evidence(rows[0].id, "A passage.", passage_id="p", entity_id="d3fend:D3-FCR", licence="MIT")
    entities = [entity(f"cwe:CWE-{number}") for number in range(4)] + [entity("d3fend:D3-FCR", source="d3fend", licence="MIT")]
    tried = [
        attempt(rows[0], text=GOOD, reasons=[], readability="rewritten", factuality=9, evidence_ids=["p"]), attempt(rows[1]),
        attempt(rows[2], reasons=["unknown-id"], text=BAD + "\nSee “CVE-2099-99999”."), attempt(rows[3]),
    ]  # fmt: skip
    write_table(PATHS["train"], training_rows(rows[:3], "train"), TrainingRow)
    write_table(PATHS["dev"], training_rows(rows[:3], "dev"), TrainingRow)
    for name, table in {"rows": rows, "entities": entities, "evidence": [told], "items": [item(0)]}.items():
        write_table(PATHS[name], table, TYPES[name])
    write_table(ATTEMPTS, tried if attempts is None else attempts, RewriteAttempt)
    write_text(CARD, "# Data card\n")
    write_json(JUDGE, {"calibration": {"passed": passed}})
    write_manifest(MANIFEST, PATHS["train"], PATHS["dev"], str(CARD))
    write_manifest(MADE_BY, PATHS["rows"], ATTEMPTS)
    return rows


def write_manifest(path: Path, *outputs: str) -> None:
    config = {"validate": msgspec.to_builtins(ValidateParams()), "enrich": {"keep": {"factuality": 8}}}
    write_json(path, {"outputs": {name: {"sha256": file_sha256(name)} for name in outputs}, "config": config})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(folder: str) -> Any:
    from datasets import load_dataset

    return load_dataset(folder, cache_dir="cache")


def test_pairs_are_chat_messages_that_load_dataset_reads_and_the_lines_are_the_same() -> None:
    rows = write_build()
    assert main(["pairs"]) == 0
    found = loaded("pairs")
    assert {split: len(found[split]) for split in found} == {"train": 2, "validation": 1}
    by_row = {one["row_id"]: one for split in found for one in found[split]}
    kept, refused = by_row[rows[0].id], by_row[rows[1].id]
    assert kept["prompt"] == [{"role": "user", "content": rows[0].instruction}]
    assert (kept["chosen"], kept["rejected"]) == (
        [{"role": "assistant", "content": GOOD}],
        [{"role": "assistant", "content": TEMPLATE}],
    )
    assert (refused["chosen"][0]["content"], refused["rejected"][0]["content"]) == (TEMPLATE, BAD)
    assert (refused["kind"], refused["reasons"], kept["kind"], kept["licence_class"]) == (
        "key",
        ["key-changed"],
        "readability",
        "terms",
    )
    for split in found:
        assert [
            json.loads(line) for line in Path(f"pairs/jsonl/{split}.jsonl").read_text(encoding="utf-8").splitlines()
        ] == found[split].to_list()


def test_card_and_notice_say_what_is_in_it_and_what_was_left_out() -> None:
    write_build()
    main(["pairs"])
    card = Path("pairs/README.md").read_text(encoding="utf-8")
    facts = YAML(typ="safe", pure=True).load(card.split("---\n")[1])
    assert [one["path"] for one in facts["configs"][0]["data_files"]] == [
        "preferences/train.parquet",
        "preferences/validation.parquet",
    ]
    assert (
        "wrong on purpose" in card and "| key | 1 |" in card and "| row-not-in-the-set | 1 |" in card and "## Exact build" in card
    )
    assert "d3fend 1: 1 records under MIT" in Path("pairs/NOTICE").read_text(encoding="utf-8")
    assert json.loads(Path("pairs/build.json").read_text())["commit"]


def test_a_judge_that_failed_its_examination_prefers_nothing() -> None:
    rows = write_build(passed=False)
    assert main(["pairs"]) == 0
    assert rows[0].id not in loaded("pairs")["train"]["row_id"]
    assert "| kept-but-not-preferred | 1 |" in Path("pairs/README.md").read_text()


def test_two_exports_are_equal_byte_for_byte() -> None:
    write_build()
    assert main(["one"]) == main(["two"]) == main(["two"]) == 0
    for path in ("README.md", "NOTICE", "build.json", "preferences/train.parquet", "jsonl/validation.jsonl"):
        assert Path("one", path).read_bytes() == Path("two", path).read_bytes()


def test_a_build_without_a_pair_is_one_clear_message(capsys: pytest.CaptureFixture[str]) -> None:
    write_build(attempts=[])
    assert main(["pairs"]) == 2
    assert "no rewrite of this build makes a preference pair" in capsys.readouterr().err and not Path("pairs").exists()


def test_tables_of_another_build_and_foreign_folders_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write_build()
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years")
    assert main(["mine"]) == 2 and "holds other files" in capsys.readouterr().err
    write_table(ATTEMPTS, read_table(ATTEMPTS, RewriteAttempt)[1:], RewriteAttempt)
    assert main(["pairs"]) == 2
    assert f"{ATTEMPTS} is not what the last run of enrich wrote" in capsys.readouterr().err and not Path("pairs").exists()
    Path(ATTEMPTS).unlink()
    assert main(["pairs"]) == 2 and "dvc repro enrich" in capsys.readouterr().err
