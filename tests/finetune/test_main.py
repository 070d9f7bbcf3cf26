"""The stage as a command: killed hard, it goes on from its checkpoint and ends like an undisturbed run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stages.tables import write_table
from stages.validate.schema import TrainingRow
from tests.finetune.conftest import training_row
from tests.tiny_model import make_tiny_model

PARAMS = """
finetune: {mix: {other: 1.0}, max_tokens: 4000, pack_tokens: 64, log_steps: 2, rank: 4, save_seconds: 0.0}
runtime: {device: cpu, dtype: float32, threads: 1}
"""


def make_workspace(folder: Path) -> Path:
    (folder / "models").mkdir(parents=True)
    (folder / "params.yaml").write_text(PARAMS)
    make_tiny_model(folder / "models" / "base")
    write_table(folder / "data/validate/train.parquet", [training_row(number) for number in range(80)], TrainingRow)
    write_table(folder / "data/validate/dev.parquet", [training_row(number) for number in range(1000, 1005)], TrainingRow)
    return folder


def start(folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-m", "stages.finetune"]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_kill_9_loses_no_step_and_repeats_none_in_the_loss_file(tmp_path: Path) -> None:
    undisturbed, killed = make_workspace(tmp_path / "undisturbed"), make_workspace(tmp_path / "killed")
    assert start(undisturbed).wait(timeout=300) == 0

    first = start(killed)
    deadline = time.monotonic() + 300
    while not list(killed.glob(".dvc/secforge/work/*/checkpoint-*/complete.json")):
        assert first.poll() is None and time.monotonic() < deadline, "no checkpoint was written"
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (killed / "data/finetune/manifest.json").exists()

    second = start(killed)
    said, _ = second.communicate(timeout=300)
    assert second.returncode == 0 and "resumes from step" in said
    for name in ("metrics/finetune.json", "metrics/finetune_loss.csv", "models/finetune/merged/model.safetensors"):
        assert (killed / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert not list(killed.glob(".dvc/secforge/work/*")), "finished work is removed"
