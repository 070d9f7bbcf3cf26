import json
from pathlib import Path

import pytest

from stages.benchmarks.schema import BenchmarkItem
from stages.errors import InputError
from stages.evaluate.run import base_note, run_evaluate
from stages.evaluate.schema import Prediction
from stages.evaluate.systems import select_items
from stages.finetune.schema import TrainedRow
from stages.stage import Stage
from stages.tables import read_table, write_json, write_table
from stages.validate.schema import TouchedItem, TrainingRow
from tests.evaluate.planted import benchmark_items, training_rows
from tests.tiny_model import make_tiny_model

PARAMS_TEXT = """
evaluate:
  runs:
    - {benchmark: secforge-mcq, protocol: loglikelihood, systems: [base, finetuned], items: 6}
    - {benchmark: secforge-rcm, protocol: generative, systems: [base, finetuned], items: 6, max_new_tokens: 4}
  baseline_items: 6
runtime: {device: cpu, dtype: float32, threads: 2}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS_TEXT, encoding="utf-8")
    write_table("data/benchmarks/items.parquet", benchmark_items(), BenchmarkItem)
    write_table("data/validate/train.parquet", training_rows(), TrainingRow)
    trained = [TrainedRow(id=row.id, task=row.task, tokens=9) for row in training_rows()[:2]]
    write_table("data/finetune/rows.parquet", trained, TrainedRow)
    given_away = select_items(benchmark_items(), "secforge-rcm", 6)[0].id
    touched = TouchedItem(benchmark="secforge-rcm", item=given_away, rules=["embedding"], rows=1)
    write_table("data/validate/touched.parquet", [touched], TouchedItem)
    write_json("data/base/manifest.json", {"config": {"base": {"kind": "wheel", "member": "x/Small.Q4_1.gguf"}}})
    make_tiny_model(Path("models/base"))
    make_tiny_model(Path("models/finetune/merged"), seed=1)
    return tmp_path


def test_two_runs_of_the_stage_give_the_same_bytes_and_leave_no_work(workspace: Path) -> None:
    made = []
    for _ in range(2):
        run_evaluate(Stage("evaluate"))
        made.append(
            {
                name: Path(name).read_bytes()
                for name in ("metrics/evaluate.json", "metrics/evaluate_scores.csv", "data/evaluate/predictions.parquet")
            }
        )
    assert made[0] == made[1]
    assert not any((workspace / ".dvc").rglob("*.parquet"))
    figures = json.loads(made[0]["metrics/evaluate.json"])
    assert "Small.Q4_1" in figures["base_note"]
    assert figures["scores"]["secforge-rcm"]["baseline"]["tfidf-linear"]["accuracy"] == 1.0
    asked, left = (figures[name]["secforge-rcm"]["generative"]["base"]["n"] for name in ("scores", "untouched"))
    assert asked - left == 1 and figures["untouched"]["secforge-mcq"]["loglikelihood"]["base"]["n"] == 6
    assert "beats_base" in figures["comparisons"]["secforge-mcq"]["loglikelihood"]["finetuned"]["base"]
    assert len(read_table("data/evaluate/predictions.parquet", Prediction)) == 6 * (4 + 7)
    timings = json.loads(Path("metrics/timings/evaluate.json").read_text())
    assert timings["secforge-rcm"]["generative"]["base"]["p95_seconds"] > 0


def test_a_missing_variant_is_named_before_any_model_is_loaded(workspace: Path) -> None:
    (workspace / "models/finetune/merged/config.json").unlink()
    with pytest.raises(InputError, match="finetuned[\\s\\S]*dvc repro"):
        run_evaluate(Stage("evaluate"))


def test_a_benchmark_without_items_says_where_to_look(workspace: Path) -> None:
    write_table("data/benchmarks/items.parquet", [], BenchmarkItem)
    with pytest.raises(InputError, match="metrics/benchmarks.json"):
        run_evaluate(Stage("evaluate"))


def test_the_note_about_the_base_is_said_only_where_it_is_true(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    write_json(manifest, {"config": {"base": {"kind": "hub", "member": "x/Small.Q4_1.gguf"}}})
    assert base_note(manifest) == ""
    manifest.write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="dvc repro base"):
        base_note(manifest)
