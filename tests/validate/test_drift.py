"""Distributions against a baseline: what moves is named, what only grows is not."""

from pathlib import Path
from typing import Any

import pytest

from stages.enrich.schema import EnrichedRow
from stages.errors import InputError
from stages.stage import Stage
from stages.tables import write_table
from stages.validate.baseline import main
from stages.validate.drift import Baseline, TableCounts, compare, described, load_baseline, stability_index
from stages.validate.frames import Frame, entity_frame, length_class, training_frame
from stages.validate.run import SYNTHESIZED, run_validate
from stages.validate.schema import TrainingRow
from tests.validate.samples import entity, row, tables, write_tables


def frames(**changes: Any) -> dict[str, Frame]:
    """300 rows, a third of them of family `attack` unless `changes` say otherwise."""
    share, words, count = changes.get("share", 3), changes.get("words", 20), changes.get("count", 300)
    rows = [
        TrainingRow(
            id=f"r{number}", task="t", family="attack" if number % share == 0 else "cwe", instruction="What is it?",
            answer="word " * words, key_kind="none", answer_key=[], decision="template", licences=["MIT"],
        )
        for number in range(count)
    ]  # fmt: skip
    entities = [entity(f"cwe:CWE-{number}", source=changes.get("source", "cwe")) for number in range(300)]
    return {"train": training_frame(rows), "entities": entity_frame(entities)}


def counted(tables: dict[str, Frame]) -> TableCounts:
    counts = TableCounts({}, {})
    for name, frame in tables.items():
        counts.add(name, frame)
    return counts


def baseline(tables: dict[str, Frame]) -> Baseline:
    return Baseline(counted(tables).tables)


def test_equal_and_only_larger_tables_have_not_moved() -> None:
    before = baseline(frames())
    assert compare(counted(frames()), before, 0.25).shifts == []
    larger = compare(counted(frames(count=3000)), before, 0.25)
    assert larger.status == "compared" and larger.shifts == [] and max(larger.index["train"].values()) < 0.01


@pytest.mark.parametrize(
    ("changes", "column", "told"),
    [
        ({"share": 30}, "family", "attack 33.3% -> 3.3%"),
        ({"words": 200}, "answer_length", "129-256 words 0.0% -> 100.0%"),
    ],
)
def test_a_shifted_distribution_is_named_with_what_moved(changes: dict[str, int], column: str, told: str) -> None:
    drift = compare(counted(frames(**changes)), baseline(frames()), 0.25)
    assert [(one.table, one.column) for one in drift.shifts] == [("train", column)]
    assert told in described(drift)[0] and f"train.{column}" in described(drift)[0]


def test_other_sources_are_another_data_set_and_small_tables_tell_nothing() -> None:
    drift = compare(counted(frames(source="attack")), baseline(frames()), 0.25)
    assert drift.status.startswith("not compared") and drift.index == {}
    small = compare(counted(frames(count=50, share=1)), baseline(frames()), 0.25)
    assert "train" not in small.index and small.shifts == [] and small.not_compared["train"].startswith("50 rows; below 200")


def test_a_table_that_only_one_build_has_is_named() -> None:
    both, one = counted(frames()), counted({"entities": frames()["entities"]})
    assert compare(both, Baseline(one.tables), 0.25).not_compared == {"train": "the baseline has no such table"}
    assert compare(one, Baseline(both.tables), 0.25).not_compared == {"train": "this build has no such table"}


def test_the_index_is_symmetric_and_finite() -> None:
    assert stability_index({"a": 1, "b": 1}, {"a": 10, "b": 10}) == 0
    gone = stability_index({"a": 99, "b": 1}, {"a": 1})
    assert 0 < gone < 1 and gone == pytest.approx(stability_index({"a": 1}, {"a": 99, "b": 1}))


def test_lengths_are_classed_by_powers_of_two() -> None:
    assert [length_class("w " * count) for count in (0, 1, 2, 3, 64, 65)] == [
        "0-1 words", "0-1 words", "2-2 words", "3-4 words", "33-64 words", "65-128 words",
    ]  # fmt: skip


def test_the_committed_baseline_can_be_read_and_a_damaged_one_is_an_error(tmp_path: Path) -> None:
    assert set(load_baseline().tables) >= {"entities", "links", "tasks", "rows", "train"}
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(InputError, match="stages.validate baseline"):
        load_baseline(tmp_path / "b.json")


def test_the_command_writes_what_a_later_build_is_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    write_tables(tables(300) | {"links": tables(3)["links"]})
    write_table(SYNTHESIZED, [], EnrichedRow)
    Path("params.yaml").write_text("validate: {}\n")
    run_validate(Stage("validate"))
    assert main(["--out", "own.json"]) == 0
    first = load_baseline(Path("own.json"))
    assert first.tables["rows"]["family"] == {"cwe": 300} and "links" not in first.tables
    rows = [row(number, family="cwe" if number % 2 else "attack") for number in range(300)]
    write_tables(tables(300) | {"rows": [one for one in rows if one.split == "train"], "splits": tables(300)["splits"][-2:]})
    capsys.readouterr()
    assert main(["--out", "own.json"]) == 0
    assert "accepted: drift of rows.family" in capsys.readouterr().out
    assert load_baseline(Path("own.json")) != first
    assert isinstance(first, Baseline)


def test_the_command_without_a_build_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "does not exist" in capsys.readouterr().err
