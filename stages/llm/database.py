"""SQLite as the response cache uses it: one file in WAL mode, errors that say what to do, transactions."""

import sqlite3
from pathlib import Path

from stages.errors import LLMError

WHAT, AGAIN = "response cache", "python -m stages.llm import"  # what a file is, and how its contents are had again
PATIENT, BRIEF = 60.0, 0.02  # seconds to wait for another process's transaction


def connect(path: Path, timeout: float = PATIENT) -> sqlite3.Connection:
    """A connection that commits only within `Transaction`. Checkpoints are not made within a commit: see `checkpoint`."""
    database = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute("PRAGMA wal_autocheckpoint=0")
    return database


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing, not even beside the file. Raises LLMError if there is no such cache."""
    if not path.is_file():
        raise LLMError(
            f"the shared cache {path} is not there.",
            allowed="the path of a responses.sqlite file, or empty",
            remedy="Mend runtime.shared_cache in params.yaml; without it the answers in it would be paid again.",
        )
    with Explained(path):
        for options in ("mode=ro", "immutable=1"):  # the second for a folder that nobody may write, where no lock can be had
            database = sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, timeout=PATIENT, isolation_level=None)
            try:
                database.execute("SELECT key FROM responses LIMIT 1").fetchone()
            except sqlite3.OperationalError:
                database.close()
                if options == "immutable=1":
                    raise
            else:
                break
    return database


def checkpoint(path: Path, what: str = WHAT, again: str = AGAIN) -> None:
    """Move what is in the write-ahead log into the file, beside readers and writers. It may wait for the disk."""
    with Explained(path, what, again):
        database = connect(path)
        try:
            database.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            database.close()


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another process is writing at this moment."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


class Transaction:
    """BEGIN IMMEDIATE ... COMMIT; rolled back if the block fails."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database

    def __enter__(self) -> None:
        self.database.execute("BEGIN IMMEDIATE")

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        try:
            if error_type is None:
                self.database.execute("COMMIT")
        finally:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")


class Explained:
    """Turns errors of SQLite into an LLMError that names the file and what to do."""

    def __init__(self, path: Path, what: str = WHAT, again: str = AGAIN) -> None:
        self.path, self.what, self.again = path, what, again

    def __enter__(self) -> None:
        pass

    def __exit__(self, error_type: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if not isinstance(error, sqlite3.Error):
            return
        if "full" in str(error) or "disk I/O" in str(error):
            remedy = "Free space on its disk and run the same command again; stored answers are kept."
        elif is_locked(error):
            remedy = "Another process holds it (`python -m stages.llm gc`?): run the same command again when that has ended."
        elif "readonly" in str(error):
            remedy = "Give this user the right to write the file and its folder."
        else:
            remedy = f"Run again; if it stays, move the file away (its answers can be had again with `{self.again}`)."
        raise LLMError(f"the {self.what} {self.path} cannot be used: {error}.", remedy=remedy) from error
