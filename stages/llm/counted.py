"""What each request came to, by its key, in a private SQLite file: a million of them take a few megabytes of memory.

SQLite keeps CACHED_KB of the file in memory and the rest in the folder for temporary files (`SQLITE_TMPDIR`,
`TMPDIR`, /var/tmp or /tmp), about 70 bytes a request; the file has no name and goes with the process. It is of one process:
a child that was forked must not use it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from stages.errors import LLMError

CACHED_KB = 8 * 1024
CREATE = """CREATE TABLE counted (
    key BLOB PRIMARY KEY, kind INTEGER NOT NULL, prompt INTEGER NOT NULL, completion INTEGER NOT NULL
) WITHOUT ROWID"""
TEMPORARY_FOLDER = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)  # primary codes of its failures
PUT = "INSERT OR REPLACE INTO counted VALUES (?, ?, ?, ?)"


class Kind(NamedTuple):
    """What many responses have in common."""

    purpose: str
    model: str
    finish_reason: str
    failure: str


class Sum(NamedTuple):
    """So many requests of one kind and their tokens."""

    kind: Kind
    requests: int
    prompt_tokens: int
    completion_tokens: int


class Counted:
    """Kind and tokens by key (32 bytes). A key that is put twice has its last entry.

    Every method raises LLMError if the folder for temporary files is full or fails, and again at each later call: without a
    journal, what is left then is no longer known to be whole.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for setting in (f"cache_size = -{CACHED_KB}", "journal_mode = OFF", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute(CREATE)
        self._database.execute("BEGIN")  # never committed: nobody else reads it, and a commit would look at every page
        self._failed: sqlite3.Error | None = None
        self._kinds: list[Kind] = []
        self._numbers: dict[Kind, int] = {}

    def put(self, key: bytes, kind: Kind, prompt_tokens: int, completion_tokens: int) -> None:
        """Count one request."""
        with self._whole():
            self._database.execute(PUT, (key, self._number(kind), prompt_tokens, completion_tokens))

    def put_all(self, entries: Iterable[tuple[bytes, Kind, int, int]]) -> None:
        """The same for many."""
        numbered = ((key, self._number(kind), prompt, completion) for key, kind, prompt, completion in entries)
        with self._whole():
            self._database.executemany(PUT, numbered)

    def get(self, key: bytes) -> tuple[Kind, int, int] | None:
        """Kind, prompt and completion tokens of a request."""
        with self._whole():
            found = self._database.execute("SELECT kind, prompt, completion FROM counted WHERE key = ?", (key,)).fetchone()
        return (self._kinds[found[0]], found[1], found[2]) if found else None

    def __len__(self) -> int:
        with self._whole():
            return self._database.execute("SELECT COUNT(*) FROM counted").fetchone()[0]

    def keys(self) -> bytes:
        """All keys, sorted, one after another."""
        packed = bytearray()
        with self._whole():
            for (key,) in self._database.execute("SELECT key FROM counted ORDER BY key"):
                packed += key
        return bytes(packed)

    def sums(self) -> list[Sum]:
        """The requests of each kind that there is."""
        query = "SELECT kind, COUNT(*), SUM(prompt), SUM(completion) FROM counted GROUP BY kind"
        with self._whole():
            return [Sum(self._kinds[kind], *counts) for kind, *counts in self._database.execute(query)]

    def sizes(self) -> Iterator[tuple[Kind, int, int]]:
        """Kind, prompt and completion tokens of every request, in the order of keys."""
        with self._whole():
            for kind, prompt, completion in self._database.execute("SELECT kind, prompt, completion FROM counted ORDER BY key"):
                yield self._kinds[kind], prompt, completion

    def _number(self, kind: Kind) -> int:
        if kind not in self._numbers:
            self._numbers[kind] = len(self._kinds)
            self._kinds.append(kind)
        return self._numbers[kind]

    @contextmanager
    def _whole(self) -> Iterator[None]:
        if self._failed is not None:
            raise _explained(self._failed) from None
        try:
            yield
        except sqlite3.Error as error:
            self._failed = error
            if (explained := _explained(error)) is error:
                raise
            raise explained from error


def _explained(error: sqlite3.Error) -> Exception:
    """With the remedy for a folder for temporary files that fails; any other error as it is."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in TEMPORARY_FOLDER:
        return error
    return LLMError(
        f"the counts of this run cannot be kept: {error}.",
        remedy="Make room in the folder for temporary files, or name another one in the variable SQLITE_TMPDIR, "
        "and run the same command again; stored answers are kept.",
    )
