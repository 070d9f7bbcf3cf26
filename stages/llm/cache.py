"""The response cache: a paid or computed answer is never asked for twice.

One SQLite file in WAL mode, outside DVC's outputs, shared by every process and workspace of the repository.
Answers that arrive together are committed together, and `put` returns only when they are in the file, so that a
killed process loses nothing that a caller has seen. A team may share another file, which is asked second and
never written.
"""

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from stages.llm.database import BRIEF, Explained, Transaction, checkpoint, connect, connect_read_only, is_locked
from stages.llm.failures import failure_of
from stages.llm.schema import StoredResponse
from stages.runtime import RuntimeParams
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
# A failure to be replayed that is worse than what is stored: that is no whole answer either, and none will come.
FINAL = f"UPDATE responses SET replay = 1 WHERE key = ? AND replay = 0 AND {RANK.format('')} < 3"
SELECT = f"SELECT {COLUMNS}, replay FROM responses WHERE key = ?"
TOGETHER = 500  # keys of one query
LOGGED = 2000  # answers after which the write-ahead log is emptied into the file

Stored = tuple[StoredResponse, bool]  # with whether it is a replay


class Group(NamedTuple):
    """Answers of one purpose and model."""

    namespace: str
    model: str
    answers: int
    failed: int
    cut: int
    tokens: int


def cache_path() -> Path:
    """The cache of the repository in the working directory."""
    return state_dir() / "responses.sqlite"


def shared_path(runtime: RuntimeParams) -> Path | None:
    """The cache that a team shares, if the params name one."""
    return Path(runtime.shared_cache).expanduser() if runtime.shared_cache else None


class ResponseCache:
    """Stored answers by key. `replay` marks a failure that is the answer: it was imported, or asking again repeats it."""

    def __init__(self, path: Path, shared: Path | None = None) -> None:
        """Raises LLMError if `path` is no cache, or `shared` is not there."""
        self.path, self.shared = path, shared
        path.parent.mkdir(parents=True, exist_ok=True)
        with Explained(path):
            self._database, self._writer = connect(path), connect(path, BRIEF)
            self._database.execute(CREATE)
        self._team = connect_read_only(shared) if shared else None
        self._waiting: list[Stored] = []
        self._flush: asyncio.Task[dict[str, StoredResponse]] | None = None  # the commit that new answers can still join
        self._tasks: set[asyncio.Task] = set()
        self._turn = asyncio.Lock()
        self._logged = 0

    def get(self, key: str) -> Stored | None:
        """The stored answer of `key` and whether it is a replay, or None."""
        own = self._find(self._database, self.path, key)
        if self._team is None or (own and (own[1] or not failure_of(own[0], allow_truncated=False))):
            return own
        theirs = self._find(self._team, self.shared, key)
        if theirs is None or failure_of(theirs[0], allow_truncated=own is None):
            return own
        return theirs[0], False

    def get_all(self, keys: Sequence[str]) -> Iterator[StoredResponse]:
        """The answers of those `keys` that are stored, in the order of `keys`."""
        for start in range(0, len(keys), TOGETHER):
            some = keys[start : start + TOGETHER]
            query = f"SELECT {COLUMNS} FROM responses WHERE key IN ({', '.join('?' * len(some))})"
            with Explained(self.path):
                found = {row[0]: _response(row) for row in self._database.execute(query, some)}
            for key in some:
                stored = found.get(key) if self._team is None else (self.get(key) or (None,))[0]
                if stored is not None:
                    yield stored

    async def put(self, responses: Sequence[StoredResponse], *, replay: bool = False) -> list[StoredResponse]:
        """Store `responses` in one transaction, together with all others that wait; return what is stored now under their keys.

        That is another answer where an equal or better one was there first, by another process: then all use that one.
        """
        self._waiting.extend((response, replay) for response in responses)
        if self._flush is None:
            self._flush = asyncio.create_task(self._commit_waiting())
            self._keep(self._flush)
        stored = await asyncio.shield(self._flush)
        return [stored[response.key] for response in responses]

    async def settle(self) -> None:
        """Wait for the commits that are under way; whoever put the answers learns of an error."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def store(self, responses: Sequence[StoredResponse], *, replay: bool = False) -> int:
        """Store `responses` at once, without an event loop. Returns how many were new, or better than what was there."""
        with Explained(self.path):
            kept = self._write(self._database, [(response, replay) for response in responses])
        checkpoint(self.path)
        return sum(kept[response.key] is response for response in responses)

    def rows(self) -> Iterator[StoredResponse]:
        """Every answer of the own cache, sorted by key."""
        with Explained(self.path):
            for row in self._database.execute(f"SELECT {COLUMNS} FROM responses ORDER BY key"):
                yield _response(row)

    def groups(self) -> list[Group]:
        """What is in the own cache, by purpose and model."""
        query = f"""SELECT namespace, model, COUNT(*), SUM({UNUSABLE}), SUM(finish_reason = 'length'),
            SUM(prompt_tokens + completion_tokens) FROM responses GROUP BY namespace, model ORDER BY namespace, model"""
        with Explained(self.path):
            return [Group(*row) for row in self._database.execute(query)]

    def remove(self, *, older_than: float | None) -> int:
        """Delete failures, filtered and empty answers, and those stored before `older_than`; give the space back. Returns how many."""
        condition = UNUSABLE + (" OR created < ?" if older_than is not None else "")
        with Explained(self.path):
            cursor = self._database.execute(
                f"DELETE FROM responses WHERE {condition}", () if older_than is None else (older_than,)
            )
            self._database.execute("VACUUM")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return cursor.rowcount

    def close(self) -> None:
        """Close the files; what `put` returned from is already there."""
        for database in (self._writer, self._database, self._team):
            if database is not None:
                database.close()

    def _find(self, database: sqlite3.Connection, path: Path | None, key: str) -> Stored | None:
        try:
            row = database.execute(SELECT, (key,)).fetchone()
        except sqlite3.Error:
            with Explained(path or self.path):
                raise
        return (_response(row), bool(row[7])) if row else None

    async def _commit_waiting(self) -> dict[str, StoredResponse]:
        """On the event loop, where a commit takes a tenth of a millisecond; beside it only if another process is writing."""
        async with self._turn:  # answers that arrive during one commit share the next
            self._flush, waiting, self._waiting = None, self._waiting, []
            with Explained(self.path):
                try:
                    kept = self._write(self._writer, waiting)
                except sqlite3.Error as error:
                    if not is_locked(error):
                        raise
                    kept = await asyncio.to_thread(self._write_patiently, waiting)
        if self._logged >= LOGGED:
            self._logged = 0
            self._keep(asyncio.create_task(asyncio.to_thread(checkpoint, self.path)))
        return kept

    def _write_patiently(self, waiting: Sequence[Stored]) -> dict[str, StoredResponse]:
        database = connect(self.path)
        try:
            return self._write(database, waiting)
        finally:
            database.close()

    def _write(self, database: sqlite3.Connection, waiting: Sequence[Stored]) -> dict[str, StoredResponse]:
        """Store all in one transaction; what is stored then, by key."""
        now, kept = time.time(), {}
        with Transaction(database):
            for one, replay in waiting:
                values = (
                    one.key, one.namespace, one.model, one.text, one.finish_reason,
                    one.prompt_tokens, one.completion_tokens, replay, now,
                )  # fmt: skip
                written = database.execute(INSERT, values).rowcount
                if replay and not written:
                    database.execute(FINAL, (one.key,))
                kept[one.key] = one if written else _response(database.execute(SELECT, (one.key,)).fetchone())
        self._logged += len(waiting)
        return kept

    def _keep(self, task: asyncio.Task) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen: those who wait for an answer are told, and a checkpoint can be made later


def _response(row: tuple) -> StoredResponse:
    return StoredResponse(
        key=row[0], namespace=row[1], model=row[2], text=row[3],
        finish_reason=row[4], prompt_tokens=row[5], completion_tokens=row[6],
    )  # fmt: skip
