"""Where things live that must outlast a build: response cache, checkpoints, MLflow database, locks.

The state folder is a sibling of DVC's own cache directory, because `dvc exp run --temp` throws its
workspace away and shares only that cache. Downloads are shared by all projects of a user.
"""

import configparser
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.errors import BusyError


def state_dir(root: Path | None = None) -> Path:
    """The folder `secforge` beside DVC's cache directory of the repository at `root` (default: here)."""
    return _dvc_cache_dir(root or Path.cwd()).parent / "secforge"


def downloads_dir() -> Path:
    """Fetched, hash-checked files, outside every work tree: `$SECFORGE_DOWNLOADS` or the user's cache folder."""
    named = os.environ.get("SECFORGE_DOWNLOADS")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "secforge" / "downloads"


def work_dir(stage: str, fingerprint: str) -> Path:
    """A folder for unfinished work of `stage`; equal deps and params find it again after a crash."""
    folder = state_dir() / "work" / f"{stage}-{fingerprint}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_work_dir(folder: Path) -> None:
    """Remove finished work and its empty parent's leftovers."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stage_lock(stage: str, root: Path | None = None) -> Iterator[None]:
    """Hold the lock of `stage` in this workspace; BusyError names the process that holds it already.

    Killing `dvc repro` alone leaves its stage running: without this a second repro would write beside it.
    """
    import fcntl

    folder = (root or Path.cwd()) / ".dvc" / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"secforge-{stage}.lock", "a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            pid = file.read().strip() or "unknown"
            raise BusyError(
                f"stage `{stage}` is already running here as process {pid} (left over from a killed `dvc repro`?).",
                remedy=f"Wait for it, or stop it with `kill {pid}`, then run the same command again; finished work is kept.",
            ) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def _dvc_cache_dir(root: Path) -> Path:
    """`cache.dir` as DVC resolves it: config.local over config over the user's config; default `.dvc/cache`."""
    user = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "dvc" / "config"
    for file in (root / ".dvc" / "config.local", root / ".dvc" / "config", user):
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        if file.exists() and parser.read(file, encoding="utf-8") and parser.has_option("cache", "dir"):
            return (file.parent / parser.get("cache", "dir")).resolve()
    return (root / ".dvc" / "cache").resolve()
