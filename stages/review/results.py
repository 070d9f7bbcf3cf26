"""What came of runs: their rows, the figures of a version, and two versions against each other."""

from stages.enrich.format_figures import FormatFigures, Tried, figures
from stages.errors import InputError
from stages.review.compare import compare_results
from stages.review.editions import Editions
from stages.review.run_store import RunStore
from stages.review.schema import Comparison, RowResult, Run, Version


class Results:
    """Runs of every process, as the store has them. A run whose process has died is shown as interrupted."""

    def __init__(self, runs: RunStore, editions: Editions) -> None:
        self.runs, self.editions = runs, editions

    def run(self, run_id: str) -> Run:
        """Raises InputError for an unknown id."""
        found = self.runs.run(run_id)
        if found is None:
            raise InputError(f"there is no run {run_id[:40]!r}.", remedy="The task's page lists its runs.")
        return found

    def runs_of(self, task: str) -> list[Run]:
        """Newest first. Raises InputError for what is no task name."""
        self.editions.path(task)
        return self.runs.listed(task)

    def rows(self, run_id: str) -> list[RowResult]:
        """Finished rows, in the order in which the run names them."""
        places = {row_id: place for place, row_id in enumerate(self.run(run_id).row_ids)}
        return sorted(self.runs.results(run_id), key=lambda result: places[result.row_id])

    def tried(self, run_id: str) -> list[Tried]:
        """What the figures of a run are made of: its rows without an error."""
        return [result.tried for result in self.rows(run_id) if result.tried]

    def by_row(self, version: Version) -> dict[str, RowResult]:
        """The newest result of each row that was tried with this version or with one of equal content."""
        return self.runs.results_of_content(version.task, version.content)

    def figures(self, version: Version) -> FormatFigures:
        """Over `by_row`; n = 0 if no row was tried."""
        return figures([result.tried for result in self.by_row(version).values() if result.tried])

    def compare(self, a: Version, b: Version) -> Comparison:
        """B against A on the rows that were tried with both. InputError if they are of different tasks."""
        if a.task != b.task:
            raise InputError(
                f"{a.id} is a format of `{a.task}` and {b.id} one of `{b.task}`.", allowed="two versions of one task"
            )
        conditions = {run.id: (run.settings, run.calibration.get("passed")) for run in self.runs.listed(a.task)}
        return compare_results(a, b, self.by_row(a), self.by_row(b), conditions)
