"""What people and models have done, in one SQLite file that nothing is ever deleted from.

Every write is one transaction, on disk when the method returns: a closed page, a killed process or a second expert
loses nothing. A run belongs to the process that holds its owner's lock file; when that process dies the lock goes
with it, whatever killed it, and the run counts as interrupted.
"""

import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from stages.errors import InputError
from stages.review.meter import total
from stages.review.schema import Decision, RowResult, Run, State, Usage, Version

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
DIED = "The process that ran it has ended; `continue` goes on with the missing rows."


def now() -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_id() -> str:
    """16 random hex digits."""
    return secrets.token_hex(8)


class ReviewStore:
    """Versions, runs, results and decisions. Safe for several threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path, self.owner = path, new_id()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._turn = threading.RLock()
        with self._explained():
            self._database = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(CREATE)
        self._lock_file = _hold(self._lock_path(self.owner))

    def close(self) -> None:
        """Give up the lock: runs of this process that are still marked as running count as interrupted."""
        with self._turn:
            self._database.close()
            self._lock_path(self.owner).unlink(missing_ok=True)
            self._lock_file.close()

    # Versions

    def add_versions(self, versions: Sequence[Version]) -> None:
        """Keep `versions`; one with the same id is there already, and stays."""
        values = [(version.id, version.task, version.origin, version.content, _packed(version)) for version in versions]
        with self._writing() as database:
            query = "INSERT OR IGNORE INTO versions (id, task, origin, content, data) VALUES (?, ?, ?, ?, ?)"
            database.executemany(query, values)

    def version(self, version_id: str) -> Version | None:
        """None for an unknown id."""
        found = self._all("SELECT data FROM versions WHERE id = ?", version_id)
        return msgspec.json.decode(found[0][0], type=Version) if found else None

    def library_versions(self) -> dict[str, Version]:
        """Every text that a library file has had, by id."""
        found = self._all("SELECT data FROM versions WHERE origin = 'library'")
        return {one.id: one for one in (msgspec.json.decode(data, type=Version) for (data,) in found)}

    def versions(self, task: str) -> list[Version]:
        """Newest first."""
        found = self._all("SELECT data FROM versions WHERE task = ? ORDER BY seq DESC", task)
        return [msgspec.json.decode(data, type=Version) for (data,) in found]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Per task how many versions and runs there are."""
        versions = dict(self._all("SELECT task, COUNT(*) FROM versions GROUP BY task"))
        runs = dict(self._all("SELECT task, COUNT(*) FROM runs GROUP BY task"))
        return {task: (versions.get(task, 0), runs.get(task, 0)) for task in versions.keys() | runs.keys()}

    # Runs

    def add_run(self, run: Run) -> Run:
        """Keep a new run, which this process owns."""
        with self._writing() as database:
            database.execute(
                "INSERT INTO runs (id, task, version_id, state, error, finished, owner, stop, calibration, spent, data)"
                " VALUES (?, ?, ?, 'running', '', '', ?, '', '{}', '{}', ?)",
                (run.id, run.task, run.version_id, self.owner, _packed(run)),
            )
        return run

    def claim_run(self, run_id: str) -> bool:
        """Take over a run that has ended without being whole; False if somebody else was faster."""
        with self._writing() as database:
            changed = database.execute(
                "UPDATE runs SET state = 'running', error = '', finished = '', stop = '', owner = ?"
                " WHERE id = ? AND state IN ('interrupted', 'failed', 'done')",
                (self.owner, run_id),
            )
        return changed.rowcount == 1

    def end_run(self, run_id: str, state: State, error: str = "") -> None:
        """The run of this process has ended. One that somebody else has taken over is not touched."""
        with self._writing() as database:
            database.execute(
                "UPDATE runs SET state = ?, error = ?, finished = ? WHERE id = ? AND owner = ? AND state = 'running'",
                (state, error, now(), run_id, self.owner),
            )

    def ask_to_stop(self, run_id: str, who: str) -> None:
        """Leave a note that the process of the run finds before its next row."""
        with self._writing() as database:
            database.execute("UPDATE runs SET stop = ? WHERE id = ? AND state = 'running'", (who, run_id))

    def asked_to_stop(self, run_id: str) -> str:
        """What was left by `ask_to_stop`, or empty."""
        found = self._all("SELECT stop FROM runs WHERE id = ?", run_id)
        return found[0][0] if found else ""

    def calibrated(self, run_id: str, report: dict[str, Any], spent: Usage) -> None:
        """Keep the judge's examination with the run, and what it cost the first time."""
        with self._writing() as database:
            values = (msgspec.json.encode(report), msgspec.json.encode(spent), run_id)
            database.execute(
                "UPDATE runs SET calibration = ?, spent = CASE WHEN spent = '{}' THEN ? ELSE spent END WHERE id = ?", values
            )

    def run(self, run_id: str) -> Run | None:
        """The run as it stands; None for an unknown id."""
        found = self._runs("id = ?", run_id)
        return found[0] if found else None

    def runs(self, task: str = "") -> list[Run]:
        """Newest first; of all tasks if none is named."""
        return self._runs("task = ?", task) if task else self._runs("1 = 1")

    def last_runs(self) -> dict[str, Run]:
        """The newest run of each task."""
        return {run.task: run for run in self._runs("seq IN (SELECT MAX(seq) FROM runs GROUP BY task)")}

    def _runs(self, condition: str, *values: str) -> list[Run]:
        columns = "id, state, error, finished, owner, calibration, spent, data"
        found = self._all(f"SELECT {columns} FROM runs WHERE {condition} ORDER BY seq DESC", *values)
        if any(state == "running" and self._has_died(owner) for _, state, _, _, owner, *_ in found):
            self._bury()
            found = self._all(f"SELECT {columns} FROM runs WHERE {condition} ORDER BY seq DESC", *values)
        return [self._as_run(*one) for one in found]

    def _as_run(
        self, run_id: str, state: State, error: str, finished: str, _: str, report: bytes, spent: bytes, data: bytes
    ) -> Run:
        rows = self._all("SELECT usage FROM run_rows WHERE run_id = ?", run_id)
        usages = [msgspec.json.decode(usage, type=Usage) for (usage,) in rows]
        return msgspec.structs.replace(
            msgspec.json.decode(data, type=Run),
            state=state,
            error=error,
            finished=finished,
            done=len(rows),
            calibration=msgspec.json.decode(report),
            usage=total([msgspec.json.decode(spent, type=Usage), *usages]),
        )

    def _bury(self) -> None:
        """Mark the runs of dead processes as interrupted."""
        owners = [owner for (owner,) in self._all("SELECT DISTINCT owner FROM runs WHERE state = 'running'")]
        for owner in filter(self._has_died, owners):
            with self._writing() as database:
                database.execute(
                    "UPDATE runs SET state = 'interrupted', error = ?, finished = ? WHERE owner = ? AND state = 'running'",
                    (DIED, now(), owner),
                )

    def _has_died(self, owner: str) -> bool:
        """Whether nobody holds the owner's lock file. A dead owner's file is removed; its random name is never used again."""
        path = self._lock_path(owner)
        if owner == self.owner:
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

    def _lock_path(self, owner: str) -> Path:
        return self.path.with_name(f"{self.path.stem}-{owner}.lock")

    # Results

    def add_result(self, result: RowResult) -> None:
        """Keep what came of a row. Only a row with an error is ever replaced, by a later attempt of the same run."""
        values = (result.run_id, result.row_id, bool(result.error), msgspec.json.encode(result.usage), _packed(result))
        with self._writing() as database:
            database.execute(
                "INSERT INTO run_rows (run_id, row_id, failed, usage, data) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (run_id, row_id) DO UPDATE SET failed = excluded.failed, usage = excluded.usage,"
                " data = excluded.data WHERE failed = 1",
                values,
            )

    def results(self, run_id: str) -> list[RowResult]:
        """In the order in which they came."""
        found = self._all("SELECT data FROM run_rows WHERE run_id = ? ORDER BY seq", run_id)
        return [msgspec.json.decode(data, type=RowResult) for (data,) in found]

    def result(self, run_id: str, row_id: str) -> RowResult | None:
        """None if the row has no result."""
        found = self._all("SELECT data FROM run_rows WHERE run_id = ? AND row_id = ?", run_id, row_id)
        return msgspec.json.decode(found[0][0], type=RowResult) if found else None

    def results_of_content(self, task: str, content: str) -> dict[str, RowResult]:
        """The newest result without an error of each row that was tried with a version of this content."""
        found = self._all(
            "SELECT run_rows.data FROM run_rows JOIN runs ON runs.id = run_id JOIN versions ON versions.id = runs.version_id"
            " WHERE versions.task = ? AND versions.content = ? AND failed = 0 ORDER BY run_rows.seq",
            task,
            content,
        )
        results = [msgspec.json.decode(data, type=RowResult) for (data,) in found]
        return {result.row_id: result for result in results}

    def whole_rows(self, run_id: str) -> set[str]:
        """Ids of the rows that have a result without an error."""
        return {row_id for (row_id,) in self._all("SELECT row_id FROM run_rows WHERE run_id = ? AND failed = 0", run_id)}

    # Decisions

    def add_decision(self, decision: Decision) -> Decision:
        """Keep it; there may be several about one version, and the last one counts."""
        with self._writing() as database:
            values = (decision.task, decision.version_id, _packed(decision))
            database.execute("INSERT INTO decisions (task, version_id, data) VALUES (?, ?, ?)", values)
        return decision

    def decisions(self, task: str) -> list[Decision]:
        """Newest first."""
        found = self._all("SELECT data FROM decisions WHERE task = ? ORDER BY seq DESC", task)
        return [msgspec.json.decode(data, type=Decision) for (data,) in found]

    # SQLite

    def _all(self, query: str, *values: str) -> list[Any]:
        with self._turn, self._explained():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: on disk at the end of the block, or nothing of it."""
        with self._turn, self._explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise InputError(
                f"the review's store {self.path} cannot be used: {error}.",
                remedy="Free space on its disk, or move the file away if it is damaged; approved formats are in git.",
            ) from error


def _packed(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value)


def _hold(path: Path) -> Any:
    file = open(path, "w+b")  # noqa: SIM115 - the lock lives as long as the file is open
    _locked(file)
    return file


def _locked(file: Any) -> bool:
    """Whether the lock could be had."""
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock file `path` and hold it: one decision about shared files at a time, over all processes."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
