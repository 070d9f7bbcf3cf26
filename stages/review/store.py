"""What people and models have done, in one SQLite file: versions and decisions here, runs in `ReviewStore.runs`."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.review.database import Database
from stages.review.locks import Owner
from stages.review.run_store import RunStore
from stages.review.schema import Decision, Version


class ReviewStore:
    """Versions, runs, results and decisions. Safe for several threads and processes."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.owner = Owner(path)
        self.runs = RunStore(self.database, self.owner)

    def close(self) -> None:
        """Give up the lock: runs of this process that are still marked as running count as interrupted."""
        self.database.close()
        self.owner.give_up()

    # Versions

    def add_versions(self, versions: Sequence[Version]) -> None:
        """Keep `versions`; one with the same id is there already, and stays."""
        values = [
            (version.id, version.task, version.origin, version.content, msgspec.json.encode(version)) for version in versions
        ]
        with self.database.writing() as database:
            query = "INSERT OR IGNORE INTO versions (id, task, origin, content, data) VALUES (?, ?, ?, ?, ?)"
            database.executemany(query, values)

    def version(self, version_id: str) -> Version | None:
        """None for an unknown id."""
        found = self.database.all("SELECT data FROM versions WHERE id = ?", version_id)
        return msgspec.json.decode(found[0][0], type=Version) if found else None

    def library_versions(self) -> dict[str, Version]:
        """Every text that a library file has had, by id."""
        found = self.database.all("SELECT data FROM versions WHERE origin = 'library'")
        return {one.id: one for one in (msgspec.json.decode(data, type=Version) for (data,) in found)}

    def versions(self, task: str) -> list[Version]:
        """Newest first."""
        found = self.database.all("SELECT data FROM versions WHERE task = ? ORDER BY seq DESC", task)
        return [msgspec.json.decode(data, type=Version) for (data,) in found]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Per task how many versions and runs there are."""
        versions = dict(self.database.all("SELECT task, COUNT(*) FROM versions GROUP BY task"))
        runs = dict(self.database.all("SELECT task, COUNT(*) FROM runs GROUP BY task"))
        return {task: (versions.get(task, 0), runs.get(task, 0)) for task in versions.keys() | runs.keys()}

    # Decisions

    def add_decision(self, decision: Decision) -> Decision:
        """Keep it; there may be several about one version, and the last one counts."""
        with self.database.writing() as database:
            values = (decision.task, decision.version_id, msgspec.json.encode(decision))
            database.execute("INSERT INTO decisions (task, version_id, data) VALUES (?, ?, ?)", values)
        return decision

    def decisions(self, task: str) -> list[Decision]:
        """Newest first."""
        found = self.database.all("SELECT data FROM decisions WHERE task = ? ORDER BY seq DESC", task)
        return [msgspec.json.decode(data, type=Decision) for (data,) in found]
