"""`kill -9` in the middle: no finished call is made again, training goes on, and the result is the undisturbed one."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.finetune.checkpoints import MANIFEST
from tests.e2e.toy_repository import ToyRepository, start_server
from tests.fake_openai import FakeOpenAI

pytestmark = pytest.mark.slow
SLOW_TRAINING = {"finetune": {"max_tokens": 20000, "epochs": 6, "save_seconds": 1}}


def start(repository: ToyRepository, stage: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["dvc", "repro", stage],
        cwd=repository.root, env=repository.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def wait_until(met: Callable[[], bool], process: "subprocess.Popen[str]", seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert process.poll() is None, f"ended before it could be killed:\n{process.stdout and process.stdout.read()}"
        assert time.monotonic() < until, "nothing to kill came"
        time.sleep(0.05)


def stage_pid(repository: ToyRepository, stage: str) -> int:
    lock = repository.root / ".dvc" / "tmp" / f"secforge-{stage}.lock"
    text = lock.read_text() if lock.exists() else ""
    return int(text) if text else 0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("whole_group", [True, False], ids=["process-group", "dvc-only"])
def test_enrich_pays_no_finished_call_twice(tmp_path: Path, built: ToyRepository, server: FakeOpenAI, whole_group: bool) -> None:
    with start_server() as slow:
        slow.latency = 0.1
        repository = ToyRepository(tmp_path / "repository", slow.base_url, {"runtime": {"concurrency": 2}})
        repository.dvc("repro", "ground")
        before = slow.calls
        process = start(repository, "enrich")
        wait_until(lambda: slow.calls >= before + 20, process)
        orphan = stage_pid(repository, "enrich")
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
            process.wait()
            refused = repository.dvc("repro", "enrich", check=False)
            assert refused.returncode != 0 and f"kill {orphan}" in refused.stdout + refused.stderr
            os.kill(orphan, signal.SIGKILL)
        process.wait()
        wait_until_dead(orphan)
        paid = slow.calls - before
        repository.dvc("repro", "enrich")
        total = slow.calls - before
    needed = repository.json("metrics/enrich.json")["llm"]["requests"]
    in_flight = 2
    assert paid >= 20 and needed <= total <= needed + in_flight
    same = {path: md5 for path, md5 in built.locked_outputs().items() if path.startswith("data/enrich/")}
    assert {path: md5 for path, md5 in repository.locked_outputs().items() if path.startswith("data/enrich/")} == same


def wait_until_dead(pid: int) -> None:
    until = time.monotonic() + 20
    while alive(pid):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("whole_group", [True, False], ids=["process-group", "dvc-only"])
def test_training_goes_on_from_its_checkpoint(
    tmp_path: Path, built: ToyRepository, server: FakeOpenAI, whole_group: bool
) -> None:
    repository = ToyRepository(tmp_path / "repository", server.base_url, SLOW_TRAINING)
    repository.dvc("repro", "validate")
    process = start(repository, "finetune")
    work = repository.root / ".dvc" / "secforge" / "work"
    wait_until(lambda: any(work.glob(f"finetune-*/**/{MANIFEST}")), process)
    orphan = stage_pid(repository, "finetune")
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
        process.wait()
        os.kill(orphan, signal.SIGKILL)
    process.wait()
    wait_until_dead(orphan)
    done = repository.dvc("repro", "finetune")
    assert "resum" in (done.stdout + done.stderr).lower() or "goes on" in (done.stdout + done.stderr)
    steps = [int(line.split(",")[0]) for line in (repository.root / "metrics/finetune_loss.csv").read_text().splitlines()[1:]]
    assert steps == sorted(set(steps)) and steps
    assert not list(work.glob("finetune-*"))
