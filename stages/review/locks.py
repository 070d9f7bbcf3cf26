"""Locks between processes. The system gives them back when their holder dies, whatever killed it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.review.stamps import new_id


class Owner:
    """This process, as the owner of what it has begun in the file `path`: it is alive while its lock file is held."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, new_id()
        self._file = open(self._lock_path(self.name), "w+b")  # noqa: SIM115 - the lock lives as long as the file is open
        _locked(self._file)

    def has_died(self, name: str) -> bool:
        """Whether nobody holds the lock file of `name`. A dead owner's file is removed; its random name is never used again."""
        path = self._lock_path(name)
        if name == self.name:
            return False
        try:
            file = open(path, "r+b")  # noqa: SIM115 - closing gives up the lock
        except FileNotFoundError:
            return True
        with file:
            if not _locked(file):
                return False
            path.unlink(missing_ok=True)
            return True

    def give_up(self) -> None:
        """From now on this owner counts as dead."""
        self._lock_path(self.name).unlink(missing_ok=True)
        self._file.close()

    def _lock_path(self, name: str) -> Path:
        return self.path.with_name(f"{self.path.stem}-{name}.lock")


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock file `path` and hold it: one decision about shared files at a time, over all processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _locked(file: Any) -> bool:
    """Whether the lock could be had."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
