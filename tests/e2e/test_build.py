"""One whole build on a toy corpus: what it makes, what a second one skips, what a change re-runs."""

import subprocess
import sys
import time
from pathlib import Path

from stages.enrich.schema import EnrichedRow
from stages.graph.schema import Split
from stages.ground.schema import Evidence
from stages.ingest.schema import Entity
from stages.tables import read_table
from stages.tasks.schema import InstructionRow
from stages.validate.schema import TrainingRow
from tests.e2e.toy_repository import CANARY, ToyRepository, ran
from tests.fake_openai import FakeOpenAI

UP_TO_VALIDATE = (
    "data/ingest/",
    "data/graph/",
    "data/tasks/",
    "data/benchmarks/",
    "data/formats/",
    "data/ground/",
    "data/enrich/",
    "data/validate/",
)


def data_outputs(repository: ToyRepository) -> dict[str, str]:
    return {path: md5 for path, md5 in repository.locked_outputs().items() if path.startswith(UP_TO_VALIDATE)}


def test_every_stage_left_its_outputs_and_nothing_is_empty(built: ToyRepository) -> None:
    train = read_table(built.root / "data/validate/train.parquet", TrainingRow)
    assert len(train) > 100 and len({row.task for row in train}) >= 20
    assert (built.root / "models/finetune/merged/model.safetensors").stat().st_size > 1000
    for variant in ("int8", "nf4"):
        assert (built.root / "models/quantize" / variant / "config.json").exists()
    page = (built.root / "data/report/index.html").read_text(encoding="utf-8")
    assert "secforge-rcm" in page and "<script src" not in page


def test_every_training_row_leads_back_to_source_records(built: ToyRepository) -> None:
    entities = {entity.id: entity for entity in read_table(built.root / "data/ingest/entities.parquet", Entity)}
    rows = {row.id: row for row in read_table(built.root / "data/tasks/rows.parquet", InstructionRow)}
    for trained in read_table(built.root / "data/validate/train.parquet", TrainingRow):
        for entity_id in rows[trained.id].entity_ids:
            entity = entities[entity_id]
            assert entity.source and entity.version and entity.uri and entity.licence


def test_no_training_row_is_about_a_held_out_document(built: ToyRepository) -> None:
    heldout = {
        split.entity_id for split in read_table(built.root / "data/graph/splits.parquet", Split) if split.split == "heldout"
    }
    rows = {row.id: row for row in read_table(built.root / "data/enrich/rows.parquet", EnrichedRow)}
    assert heldout
    assert not [
        row.id for row in read_table(built.root / "data/validate/train.parquet", TrainingRow) if rows[row.id].subject in heldout
    ]
    assert not [
        one.passage_id for one in read_table(built.root / "data/ground/evidence.parquet", Evidence) if one.entity_id in heldout
    ]


def test_the_checks_caught_what_the_teacher_did_wrong_and_kept_what_was_right(built: ToyRepository) -> None:
    rows = read_table(built.root / "data/enrich/rows.parquet", EnrichedRow)
    reasons = {reason for row in rows for reason in row.reasons}
    assert {"key-changed", "unknown-id", "mentions-evidence"} <= reasons
    kept = [row for row in rows if row.decision == "rewritten"]
    assert kept and all(row.answer == row.rewrite and row.factuality is not None and row.request_hashes for row in kept)
    assert all(row.answer == row.template_answer for row in rows if row.decision != "rewritten")


def test_the_key_is_in_no_file(built: ToyRepository) -> None:
    holders = [path for path in built.root.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert not holders


def test_a_second_build_runs_nothing(built: ToyRepository) -> None:
    started = time.perf_counter()
    done = built.dvc("repro")
    assert ran(done) == [] and "up to date" in done.stdout
    assert time.perf_counter() - started < 30
    assert built.git("status", "--porcelain") == ""


def test_a_forced_rebuild_gives_the_same_bytes_and_pays_no_call(built: ToyRepository, server: FakeOpenAI) -> None:
    before, calls = data_outputs(built), server.calls
    done = built.dvc("repro", "--force", "validate")
    assert {"ingest", "graph", "tasks", "benchmarks", "enrich", "validate"} <= set(ran(done))
    assert data_outputs(built) == before
    assert server.calls == calls


def test_how_to_run_never_changes_what_is_made(built: ToyRepository, tmp_path: Path, server: FakeOpenAI) -> None:
    other = ToyRepository(tmp_path / "repository", server.base_url, {"runtime": {"concurrency": 1, "retries": 2}})
    other.dvc("repro", "validate")
    assert data_outputs(other) == {path: md5 for path, md5 in data_outputs(built).items() if path in data_outputs(other)}


def test_a_stricter_keep_rule_reruns_enrich_and_nothing_before(built: ToyRepository, server: FakeOpenAI) -> None:
    calls = server.calls
    done = built.dvc("exp", "run", "-S", "enrich.keep.factuality=10", "validate")
    assert ran(done)[0] == "enrich" and server.calls == calls
    shown = built.dvc("exp", "show", "--md", "--only-changed").stdout
    assert "enrich.keep.factuality" in shown
    assert "enrich" in built.dvc("metrics", "diff", "--md").stdout
    built.restore()


def test_a_bad_key_stops_with_one_message_and_git_and_dvc_bring_everything_back(built: ToyRepository) -> None:
    built.change_params({"enrich": {"kep": {}}})
    done = built.dvc("repro", "enrich", check=False)
    built.restore()
    assert done.returncode != 0
    assert "unknown field `kep`" in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr
    assert built.git("status", "--porcelain") == ""


def test_git_tracked_comparisons_are_readable(built: ToyRepository, tmp_path: Path) -> None:
    shown = built.dvc("metrics", "show", "--md").stdout
    assert "metrics/evaluate.json" in shown and "| metrics/finetune.json" in shown
    built.dvc("plots", "show", "-o", str(tmp_path / "plots"))
    page = (tmp_path / "plots" / "index.html").read_text(encoding="utf-8")
    assert "metrics_finetune_loss_csv" in page and "metrics_evaluate_scores_csv" in page


def test_register_after_the_commit(built: ToyRepository) -> None:
    command = [sys.executable, "-m", "stages.register"]
    first = subprocess.run(
        command, cwd=built.root, env=built.environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert first.returncode == 0, first.stdout + first.stderr
    resolved = subprocess.run(
        [*command, "resolve", "candidate"],
        cwd=built.root,
        env=built.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.git("rev-parse", "HEAD").strip()[:7] in resolved.stdout
