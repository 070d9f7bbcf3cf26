"""State lives beside DVC's cache, wherever that is; a running stage is never joined by a second writer."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stages.errors import BusyError
from stages.state import claim_work_dir, downloads_dir, remove_work_dir, stage_lock, state_dir


def test_state_is_a_sibling_of_the_default_cache(tmp_path: Path) -> None:
    assert state_dir(tmp_path) == tmp_path.resolve() / ".dvc" / "secforge"


def test_state_follows_the_cache_that_a_temporary_workspace_shares(tmp_path: Path) -> None:
    workspace, shared = tmp_path / "temp" / "workspace", tmp_path / "repo" / ".dvc" / "cache"
    (workspace / ".dvc").mkdir(parents=True)
    (workspace / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (workspace / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {shared}\n")
    assert state_dir(workspace) == shared.parent / "secforge"


def test_downloads_may_be_put_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECFORGE_DOWNLOADS", str(tmp_path))
    assert downloads_dir() == tmp_path
    monkeypatch.delenv("SECFORGE_DOWNLOADS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert downloads_dir() == tmp_path / "cache" / "secforge" / "downloads"


def test_equal_fingerprints_find_unfinished_work_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    folder, lock = claim_work_dir("enrich", "abc")
    (folder / "part").write_text("half")
    with pytest.raises(BusyError, match=f"kill {os.getpid()}"):
        claim_work_dir("enrich", "abc")
    lock.close()
    again, _ = claim_work_dir("enrich", "abc")
    assert (again / "part").read_text() == "half"
    other, _ = claim_work_dir("enrich", "abd")
    assert not list(other.iterdir())


def test_finished_work_goes_and_takes_long_abandoned_work_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    folders = {}
    for name in ("done", "abandoned", "running", "recent"):
        folders[name] = claim_work_dir("finetune", name)
    for name in ("abandoned", "recent"):
        folders[name][1].close()
    for name in ("abandoned", "running"):
        os.utime(folders[name][0], (0, 0))
    remove_work_dir(*folders["done"])
    left = sorted(path.name for path in (tmp_path / ".dvc" / "secforge" / "work").iterdir() if path.is_dir())
    assert left == ["finetune-recent", "finetune-running"]


def test_a_second_writer_is_told_the_process_to_stop_and_a_killed_one_frees_the_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from stages.state import stage_lock\n"
        "with stage_lock('enrich', Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=f"kill {holder.pid}"), stage_lock("enrich", tmp_path):
            pass
        with stage_lock("finetune", tmp_path):
            pass
    finally:
        holder.kill()
        holder.wait()
    time.sleep(0.05)
    with stage_lock("enrich", tmp_path):
        pass
