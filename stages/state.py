"""Where things live that must outlast a build: response cache, checkpoints, MLflow database, locks.

The state folder is a sibling of DVC's own cache directory, because `dvc exp run --temp` throws its
workspace away and shares only that cache. Downloads are shared by all projects of a user.
"""

import configparser
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from stages.errors import BusyError

ABANDONED_AFTER = 7 * 24 * 3600  # seconds


def state_dir(root: Path | None = None) -> Path:
    """The folder `secforge` beside DVC's cache directory of the repository at `root` (default: here)."""
    return _dvc_cache_dir(root or Path.cwd()).parent / "secforge"


def downloads_dir() -> Path:
    """Fetched, hash-checked files, outside every work tree: `$SECFORGE_DOWNLOADS` or the user's cache folder."""
    named = os.environ.get("SECFORGE_DOWNLOADS")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "secforge" / "downloads"


def claim_work_dir(stage: str, fingerprint: str) -> tuple[Path, TextIO]:
    """A folder for unfinished work of `stage`, and its lock; equal deps and params find it again after a crash.

    Temporary workspaces of experiments share the state folder, so two of them may want the same work at once:
    BusyError names the process that has it.
    """
    folder = state_dir() / "work" / f"{stage}-{fingerprint}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder, _hold(_lock_file(folder), stage)


def remove_work_dir(folder: Path, lock: TextIO) -> None:
    """Remove finished work, and unfinished work of the same stage that nothing has touched for a week."""
    shutil.rmtree(folder, ignore_errors=True)
    _lock_file(folder).unlink(missing_ok=True)
    lock.close()
    stage = folder.name.rpartition("-")[0]
    for other in folder.parent.glob(f"{stage}-*/"):
        if time.time() - other.stat().st_mtime > ABANDONED_AFTER:
            try:
                held = _hold(_lock_file(other), stage)
            except BusyError:
                continue
            shutil.rmtree(other, ignore_errors=True)
            _lock_file(other).unlink(missing_ok=True)
            held.close()


@contextmanager
def stage_lock(stage: str, root: Path | None = None) -> Iterator[None]:
    """Hold the lock of `stage` in this workspace; BusyError names the process that holds it already.

    Killing `dvc repro` alone leaves its stage running: without this a second repro would write beside it.
    """
    folder = (root or Path.cwd()) / ".dvc" / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    with _hold(folder / f"secforge-{stage}.lock", stage):
        yield


def _lock_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _hold(path: Path, stage: str) -> TextIO:
    """The open, locked file `path`, which names this process; the lock ends with the file or the process."""
    import fcntl

    file = open(path, "a+", encoding="ascii")  # noqa: SIM115 - the lock lives as long as the file is open
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        pid = file.read().strip() or "unknown"
        file.close()
        raise BusyError(
            f"stage `{stage}` is already running as process {pid} (left over from a killed `dvc repro`, or another experiment).",
            remedy=f"Wait for it, or stop it with `kill {pid}`, then run the same command again; finished work is kept.",
        ) from None
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def _dvc_cache_dir(root: Path) -> Path:
    """`cache.dir` as DVC resolves it: config.local over config over the user's config; default `.dvc/cache`."""
    user = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "dvc" / "config"
    for file in (root / ".dvc" / "config.local", root / ".dvc" / "config", user):
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        if file.exists() and parser.read(file, encoding="utf-8") and parser.has_option("cache", "dir"):
            return (file.parent / parser.get("cache", "dir")).resolve()
    return (root / ".dvc" / "cache").resolve()
