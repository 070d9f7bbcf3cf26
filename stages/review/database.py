"""The review's SQLite file: its tables, and how they are read and written. Nothing is ever deleted from it.

Every write is one transaction, on disk at its end: a closed page, a killed process or a second expert loses nothing.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.errors import InputError
from stages.llm.database import Transaction

CREATE = """
CREATE TABLE IF NOT EXISTS versions (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, task TEXT NOT NULL, origin TEXT NOT NULL, content TEXT NOT NULL,
    data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS versions_task ON versions (task);
CREATE TABLE IF NOT EXISTS runs (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, task TEXT NOT NULL, version_id TEXT NOT NULL, state TEXT NOT NULL,
    error TEXT NOT NULL, finished TEXT NOT NULL, owner TEXT NOT NULL, stop TEXT NOT NULL, calibration BLOB NOT NULL,
    spent BLOB NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS runs_task ON runs (task);
CREATE TABLE IF NOT EXISTS run_rows (
    seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL, row_id TEXT NOT NULL, failed INTEGER NOT NULL, usage BLOB NOT NULL,
    data BLOB NOT NULL, UNIQUE (run_id, row_id));
CREATE TABLE IF NOT EXISTS decisions (
    seq INTEGER PRIMARY KEY, task TEXT NOT NULL, version_id TEXT NOT NULL, data BLOB NOT NULL);
"""


class Database:
    """Safe for several threads and processes. Whatever SQLite has to say is raised as InputError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._turn = threading.RLock()
        with self._explained():
            self._connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(CREATE)

    def close(self) -> None:
        """After whatever another thread is doing."""
        with self._turn:
            self._connection.close()

    def all(self, query: str, *values: str) -> list[Any]:
        """Every line of the answer."""
        with self._turn, self._explained():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: on disk at the end of the block, or nothing of it, also where the commit itself fails."""
        with self._turn, self._explained(), Transaction(self._connection):
            yield self._connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise InputError(
                f"the review's store {self.path} cannot be used: {error}.",
                remedy="Free space on its disk, or move the file away if it is damaged; approved formats are in git.",
            ) from error
