"""The response cache: a paid or computed answer is never asked for twice.

One SQLite file in WAL mode, outside DVC's outputs, shared by every process and workspace of the repository.
Answers that arrive together are committed together, and `put` returns only when they are on disk, so that a
killed process loses nothing that a caller has seen.
"""

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from stages.errors import LLMError
from stages.llm.schema import StoredResponse
from stages.state import state_dir

COLUMNS = "key, namespace, model, text, finish_reason, prompt_tokens, completion_tokens"
CREATE = """
CREATE TABLE IF NOT EXISTS responses (
    key TEXT PRIMARY KEY, namespace TEXT NOT NULL, model TEXT NOT NULL, text TEXT NOT NULL, finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    replay INTEGER NOT NULL, created REAL NOT NULL
)
"""
EMPTY = "trim({0}text, char(9, 10, 13, 32)) = ''"
RANK = (
    f"(CASE WHEN {{0}}finish_reason LIKE 'failed:%' THEN 0 WHEN {{0}}finish_reason = 'content_filter' OR {EMPTY} THEN 1"
    " WHEN {0}finish_reason = 'length' THEN 2 ELSE 3 END)"
)
OLD, NEW = RANK.format("responses."), RANK.format("excluded.")
UNUSABLE = f"finish_reason LIKE 'failed:%' OR finish_reason = 'content_filter' OR {EMPTY.format('')}"
# Only a better answer takes the place of a stored one: failed < empty < cut < whole. A failure to be replayed is marked so.
INSERT = f"""
INSERT INTO responses ({COLUMNS}, replay, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET text = excluded.text, finish_reason = excluded.finish_reason,
    prompt_tokens = excluded.prompt_tokens, completion_tokens = excluded.completion_tokens,
    replay = excluded.replay, created = excluded.created
WHERE {NEW} > {OLD} OR ({NEW} = {OLD} AND {OLD} < 3 AND excluded.replay > responses.replay)
"""


def cache_path() -> Path:
    """The cache of the repository in the working directory."""
    return state_dir() / "responses.sqlite"


class ResponseCache:
    """Stored answers by key. `replay` marks a failure that is the answer: it was imported, or asking again repeats it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._explained():
            self._database = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute("PRAGMA mmap_size=268435456")
            self._database.execute(CREATE)
            self._reader = sqlite3.connect(path, timeout=60, isolation_level=None)
            self._reader.execute("PRAGMA mmap_size=268435456")
        self._waiting: list[tuple[StoredResponse, bool]] = []
        self._flush: asyncio.Task[None] | None = None  # the commit that new answers can still join
        self._commits: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    def get(self, key: str) -> tuple[StoredResponse, bool] | None:
        """The stored answer of `key` and whether it is a replay, or None."""
        with self._explained():
            row = self._reader.execute(f"SELECT {COLUMNS}, replay FROM responses WHERE key = ?", (key,)).fetchone()
        return (_response(row), bool(row[7])) if row else None

    async def put(self, responses: Sequence[StoredResponse], *, replay: bool = False) -> None:
        """Store `responses` in one transaction, together with all others that wait. Returns when they are committed."""
        self._waiting.extend((response, replay) for response in responses)
        if self._flush is None:
            self._flush = asyncio.create_task(self._commit_waiting())
            self._commits.add(self._flush)
            self._flush.add_done_callback(self._commits.discard)
        await asyncio.shield(self._flush)

    async def settle(self) -> None:
        """Wait for the commits that are under way; whoever put the answers learns of an error."""
        await asyncio.gather(*self._commits, return_exceptions=True)

    def store(self, responses: Sequence[StoredResponse], *, replay: bool = False) -> None:
        """Store `responses` at once, without an event loop."""
        self._write([(response, replay) for response in responses])

    def rows(self) -> Iterator[StoredResponse]:
        """Every stored answer, sorted by key."""
        with self._explained():
            for row in self._reader.execute(f"SELECT {COLUMNS} FROM responses ORDER BY key"):
                yield _response(row)

    def remove(self, *, older_than: float | None) -> int:
        """Remove failed, filtered and empty answers, and those stored before `older_than`; give the space back. Returns how many."""
        condition = UNUSABLE + (" OR created < ?" if older_than is not None else "")
        with self._explained():
            cursor = self._database.execute(
                f"DELETE FROM responses WHERE {condition}", () if older_than is None else (older_than,)
            )
            self._database.execute("VACUUM")
        return cursor.rowcount

    def close(self) -> None:
        """Close the file; what `put` returned from is already there."""
        self._reader.close()
        self._database.close()

    async def _commit_waiting(self) -> None:
        async with self._turn:  # answers that arrive during one commit share the next
            self._flush, waiting, self._waiting = None, self._waiting, []
            await asyncio.to_thread(self._write, waiting)

    def _write(self, waiting: Sequence[tuple[StoredResponse, bool]]) -> None:
        now = time.time()
        rows = [
            (
                one.key,
                one.namespace,
                one.model,
                one.text,
                one.finish_reason,
                one.prompt_tokens,
                one.completion_tokens,
                replay,
                now,
            )
            for one, replay in waiting
        ]
        with self._explained(), sqlite_transaction(self._database):
            self._database.executemany(INSERT, rows)

    def _explained(self) -> "_Explained":
        return _Explained(self.path)


class sqlite_transaction:
    """BEGIN IMMEDIATE ... COMMIT; rolled back if the block fails."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database

    def __enter__(self) -> None:
        self.database.execute("BEGIN IMMEDIATE")

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is None:
            self.database.execute("COMMIT")
        elif self.database.in_transaction:
            self.database.execute("ROLLBACK")


class _Explained:
    """Turns errors of SQLite into an LLMError that names the file and what to do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, error_type: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, sqlite3.Error):
            full = "full" in str(error) or "disk I/O" in str(error)
            remedy = (
                "Free space on its disk and run the same command again; stored answers are kept."
                if full
                else "Run again; if it stays, move the file away (its answers can be had again with `python -m stages.llm import`)."
            )
            raise LLMError(f"the response cache {self.path} cannot be used: {error}.", remedy=remedy) from error


def _response(row: tuple) -> StoredResponse:
    return StoredResponse(
        key=row[0], namespace=row[1], model=row[2], text=row[3],
        finish_reason=row[4], prompt_tokens=row[5], completion_tokens=row[6],
    )  # fmt: skip
