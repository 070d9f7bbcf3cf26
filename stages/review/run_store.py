"""Runs and what came of their rows, as the review keeps them.

A run belongs to the process that holds its owner's lock file; when that process dies the lock goes with it, and the
run counts as interrupted.
"""

from typing import Any

import msgspec

from stages.review.database import Database
from stages.review.locks import Owner
from stages.review.meter import total
from stages.review.schema import RowResult, Run, State, Usage
from stages.review.stamps import now

DIED = "The process that ran it has ended; `continue` goes on with the missing rows."


class RunStore:
    """The tables `runs` and `run_rows` of `database`, for the process that is `owner`."""

    def __init__(self, database: Database, owner: Owner) -> None:
        self.database, self.owner = database, owner

    def add(self, run: Run) -> Run:
        """Keep a new run, which this process owns."""
        with self.database.writing() as database:
            database.execute(
                "INSERT INTO runs (id, task, version_id, state, error, finished, owner, stop, calibration, spent, data)"
                " VALUES (?, ?, ?, 'running', '', '', ?, '', '{}', '{}', ?)",
                (run.id, run.task, run.version_id, self.owner.name, msgspec.json.encode(run)),
            )
        return run

    def claim(self, run_id: str) -> bool:
        """Take over a run that has ended without being whole; False if somebody else was faster."""
        with self.database.writing() as database:
            changed = database.execute(
                "UPDATE runs SET state = 'running', error = '', finished = '', stop = '', owner = ?"
                " WHERE id = ? AND state IN ('interrupted', 'failed', 'done')",
                (self.owner.name, run_id),
            )
        return changed.rowcount == 1

    def end(self, run_id: str, state: State, error: str = "") -> None:
        """The run of this process has ended. One that somebody else has taken over is not touched."""
        with self.database.writing() as database:
            database.execute(
                "UPDATE runs SET state = ?, error = ?, finished = ? WHERE id = ? AND owner = ? AND state = 'running'",
                (state, error, now(), run_id, self.owner.name),
            )

    def ask_to_stop(self, run_id: str, who: str) -> None:
        """Leave a note that the process of the run finds before its next row."""
        with self.database.writing() as database:
            database.execute("UPDATE runs SET stop = ? WHERE id = ? AND state = 'running'", (who, run_id))

    def asked_to_stop(self, run_id: str) -> str:
        """What was left by `ask_to_stop`, or empty."""
        found = self.database.all("SELECT stop FROM runs WHERE id = ?", run_id)
        return found[0][0] if found else ""

    def calibrated(self, run_id: str, report: dict[str, Any], spent: Usage) -> None:
        """Keep the judge's examination with the run, and what it cost the first time."""
        with self.database.writing() as database:
            values = (msgspec.json.encode(report), msgspec.json.encode(spent), run_id)
            database.execute(
                "UPDATE runs SET calibration = ?, spent = CASE WHEN spent = '{}' THEN ? ELSE spent END WHERE id = ?", values
            )

    def run(self, run_id: str) -> Run | None:
        """The run as it stands; None for an unknown id."""
        found = self._found("id = ?", run_id)
        return found[0] if found else None

    def listed(self, task: str = "") -> list[Run]:
        """Newest first; of all tasks if none is named."""
        return self._found("task = ?", task) if task else self._found("1 = 1")

    def last(self) -> dict[str, Run]:
        """The newest run of each task."""
        return {run.task: run for run in self._found("seq IN (SELECT MAX(seq) FROM runs GROUP BY task)")}

    def _found(self, condition: str, *values: str) -> list[Run]:
        columns = "id, state, error, finished, owner, calibration, spent, data"
        found = self.database.all(f"SELECT {columns} FROM runs WHERE {condition} ORDER BY seq DESC", *values)
        if any(state == "running" and self.owner.has_died(owner) for _, state, _, _, owner, *_ in found):
            self._bury()
            found = self.database.all(f"SELECT {columns} FROM runs WHERE {condition} ORDER BY seq DESC", *values)
        return [self._as_run(*one) for one in found]

    def _as_run(
        self, run_id: str, state: State, error: str, finished: str, _: str, report: bytes, spent: bytes, data: bytes
    ) -> Run:
        rows = self.database.all("SELECT usage FROM run_rows WHERE run_id = ?", run_id)
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
        owners = [owner for (owner,) in self.database.all("SELECT DISTINCT owner FROM runs WHERE state = 'running'")]
        for owner in filter(self.owner.has_died, owners):
            with self.database.writing() as database:
                database.execute(
                    "UPDATE runs SET state = 'interrupted', error = ?, finished = ? WHERE owner = ? AND state = 'running'",
                    (DIED, now(), owner),
                )

    # Results

    def add_result(self, result: RowResult) -> None:
        """Keep what came of a row. Only a row with an error is ever replaced, by a later attempt of the same run."""
        values = (
            result.run_id,
            result.row_id,
            bool(result.error),
            msgspec.json.encode(result.usage),
            msgspec.json.encode(result),
        )
        with self.database.writing() as database:
            database.execute(
                "INSERT INTO run_rows (run_id, row_id, failed, usage, data) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (run_id, row_id) DO UPDATE SET failed = excluded.failed, usage = excluded.usage,"
                " data = excluded.data WHERE failed = 1",
                values,
            )

    def results(self, run_id: str) -> list[RowResult]:
        """In the order in which they came."""
        found = self.database.all("SELECT data FROM run_rows WHERE run_id = ? ORDER BY seq", run_id)
        return [msgspec.json.decode(data, type=RowResult) for (data,) in found]

    def result(self, run_id: str, row_id: str) -> RowResult | None:
        """None if the row has no result."""
        found = self.database.all("SELECT data FROM run_rows WHERE run_id = ? AND row_id = ?", run_id, row_id)
        return msgspec.json.decode(found[0][0], type=RowResult) if found else None

    def results_of_content(self, task: str, content: str) -> dict[str, RowResult]:
        """The newest result without an error of each row that was tried with a version of this content."""
        found = self.database.all(
            "SELECT run_rows.data FROM run_rows JOIN runs ON runs.id = run_id JOIN versions ON versions.id = runs.version_id"
            " WHERE versions.task = ? AND versions.content = ? AND failed = 0 ORDER BY run_rows.seq",
            task,
            content,
        )
        results = [msgspec.json.decode(data, type=RowResult) for (data,) in found]
        return {result.row_id: result for result in results}

    def whole_rows(self, run_id: str) -> set[str]:
        """Ids of the rows that have a result without an error."""
        return {row_id for (row_id,) in self.database.all("SELECT row_id FROM run_rows WHERE run_id = ? AND failed = 0", run_id)}
