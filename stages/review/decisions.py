"""What reviewers decide about versions, and the library file that an approval writes."""

from stages.review.approve import approve_version, git_diff, library_sha256
from stages.review.editions import Editions
from stages.review.results import Results
from stages.review.schema import Decision, Version
from stages.review.stamps import now
from stages.review.store import ReviewStore
from stages.tables import content_id


class Decisions:
    """Approvals and rejections, each kept with who, when and why."""

    def __init__(self, store: ReviewStore, editions: Editions, results: Results) -> None:
        self.store, self.editions, self.results = store, editions, results

    def approve(self, version: Version, reviewer: str, note: str) -> str:
        """Write the version to the library and return the diff that git sees. Raises as `approve_version` does."""
        rows = self.editions.rows_of(version.task)
        base = self.store.version(content_id("library", version.task, version.base)) if version.base else None
        tried_on = list(self.results.by_row(version))
        path = approve_version(version, base, self.editions.library, reviewer, note, tried_on, rows.keyed if rows else None)
        found = git_diff(path)
        decision = Decision(
            task=version.task, version_id=version.id, verdict="approved", reviewer=reviewer, note=note, created=now(),
            sha256=library_sha256(path), diff=found,
        )  # fmt: skip
        self.store.add_decision(decision)
        self.editions.of_library(version.task)
        return found

    def reject(self, version: Version, reviewer: str, note: str) -> Decision:
        """Keep the rejection; the library stays as it is."""
        decision = Decision(
            task=version.task, version_id=version.id, verdict="rejected", reviewer=reviewer, note=note, created=now()
        )
        return self.store.add_decision(decision)

    def of_task(self, task: str) -> list[Decision]:
        """Newest first. Raises InputError for what is no task name."""
        self.editions.path(task)
        return self.store.decisions(task)

    def diff(self, task: str) -> str:
        """What git sees of the task's library file against the last commit; empty if nothing has changed."""
        return git_diff(self.editions.path(task))
