"""The store of snapshots: one SQLite file beside the response cache, shared by every process of the repository.

The first whole answer to a question stays. A failure that may pass gives way to whatever comes later.
"""

import asyncio
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from stages.ground.web.schema import Snapshot
from stages.llm.database import Explained, Transaction, checkpoint, connect
from stages.state import state_dir

CREATE = "CREATE TABLE IF NOT EXISTS snapshots (key TEXT PRIMARY KEY, kind TEXT, reason TEXT, final INTEGER, record BLOB)"
INSERT = """
INSERT INTO snapshots (key, kind, reason, final, record) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET reason = excluded.reason, final = excluded.final, record = excluded.record
WHERE NOT snapshots.final
"""
SELECT = "SELECT record FROM snapshots WHERE key = ?"
WHAT, AGAIN = "store of web snapshots", "python -m stages.ground.web import data/ground/pages.parquet"


def store_path() -> Path:
    """The store of the repository in the working directory."""
    return state_dir() / "web.sqlite"


class SnapshotStore:
    """Snapshots by key. Raises LLMError, which names the file and what to do, if it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._explained():
            self._database, self._writer = connect(path), connect(path)  # a commit that waits holds no reader up
            self._database.execute(CREATE)
        self._turn, self._writing = asyncio.Lock(), threading.Lock()

    def get(self, key: str) -> Snapshot | None:
        """What is stored under `key`, failures too."""
        with self._explained():
            row = self._database.execute(SELECT, (key,)).fetchone()
        return msgspec.json.decode(row[0], type=Snapshot) if row else None

    async def put(self, one: Snapshot) -> Snapshot:
        """Store `one`, committed when this returns; what is stored now, which is another if one was there first."""
        async with self._turn:  # another process may hold the file for long: the event loop does not wait for it
            await asyncio.to_thread(self.store, [one])
        return self.get(one.key) or one

    def store(self, some: Sequence[Snapshot]) -> int:
        """Store `some` in one transaction. Returns how many were new, or better than what was there."""
        with self._writing, self._explained(), Transaction(self._writer):
            return sum(self._writer.execute(INSERT, _columns(one)).rowcount for one in some)

    def rows(self, keys: Iterable[str]) -> Iterator[Snapshot]:
        """The snapshots of `keys` in the order of the keys."""
        for key in sorted(keys):
            one = self.get(key)
            if one is not None:
                yield one

    def groups(self) -> list[tuple[str, str, int, int]]:
        """Kind, reason (empty: kept), count and bytes of what is stored."""
        with self._explained():
            return self._database.execute(
                "SELECT kind, reason, COUNT(*), SUM(LENGTH(record)) FROM snapshots GROUP BY kind, reason ORDER BY kind, reason"
            ).fetchall()

    def close(self) -> None:
        """Move everything into the one file and close it, after a commit that is under way: its row may be gone already."""
        with self._writing:
            self._writer.close()
            self._database.close()
        checkpoint(self.path, WHAT, AGAIN)

    def _explained(self) -> Explained:
        return Explained(self.path, WHAT, AGAIN)


def _columns(one: Snapshot) -> tuple[str, str, str, bool, bytes]:
    return one.key, one.kind, one.reason, one.final, msgspec.json.encode(one)
