"""The expert's bench: everything that the review page and the terminal commands do, on one store and one model client.

    async with Bench() as bench:
        version = bench.current("cve-to-cwe")
        run = bench.start_run(version.id, [row.id for row in bench.sample("cve-to-cwe", 5, seed=0)], "Ada")
        await bench.wait(run.id)
        print(bench.figures(version.id))

Plain methods may be called from any thread and answer from SQLite and memory. Whatever a user can mend is a
`stages.errors.SecForgeError`: unknown ids and names, texts with errors (the line is named), refused approvals.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from stages.config import PARAMS_FILE
from stages.enrich.format_figures import FormatFigures
from stages.formats.library import LIBRARY
from stages.formats.readings import READINGS, Reading
from stages.ingest.schema import Passage
from stages.review.schema import BlindPair, Comparison, Decision, RowResult, Run, TaskCard, Version
from stages.tables import Reject
from stages.tasks.schema import InstructionRow


class Bench:
    """An async context manager. Runs go on in the background while it is open; closing it interrupts them."""

    def __init__(self, *, library: Path = LIBRARY, readings: Path = READINGS, params_file: Path = PARAMS_FILE) -> None:
        """Of the build in the working directory, as every stage; `library` and `readings` are the folders that git tracks."""
        raise NotImplementedError

    async def __aenter__(self) -> "Bench":
        raise NotImplementedError

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Interrupt the runs of this process, keep what they have, close client and store."""
        raise NotImplementedError

    # Tasks and rows

    def tasks(self) -> list[TaskCard]:
        """Every task with rows or a library file, by family and name."""
        raise NotImplementedError

    def sample(self, task: str, n: int, seed: int = 0) -> list[InstructionRow]:
        """`n` rows of `task` from the splits train and dev, by content hash: the same for equal `seed`, and a larger n keeps the first."""
        raise NotImplementedError

    def row(self, row_id: str) -> InstructionRow:
        """Raises InputError for an unknown row, and for a held-out one, which nobody may see before the evaluation."""
        raise NotImplementedError

    def documents(self, row: InstructionRow) -> list[Passage]:
        """The official entries that the row names, whole, in its order; empty if it names none."""
        raise NotImplementedError

    async def warm(self) -> None:
        """Build what the first try needs (the passage index) in a thread, so that the first try does not wait for it."""
        raise NotImplementedError

    # Versions

    def versions(self, task: str) -> list[Version]:
        """All versions of `task`, newest first; the library's present text is among them."""
        raise NotImplementedError

    def version(self, version_id: str) -> Version:
        """Raises InputError for an unknown id."""
        raise NotImplementedError

    def current(self, task: str) -> Version:
        """What the build would use: the library's text; where there is none the newest draft or edit. InputError if there is nothing."""
        raise NotImplementedError

    def text(self, version_id: str) -> str:
        """The YAML text of a version, as `save_edit` takes it."""
        raise NotImplementedError

    def text_diff(self, version_a: str, version_b: str) -> str:
        """Unified diff of the texts of two versions; empty if they are equal."""
        raise NotImplementedError

    def save_edit(self, task: str, text: str, author: str, parent: str = "") -> Version:
        """Keep the YAML `text` as a new version; `parent` defaults to `current(task)`.

        Status, author, reviewer, date, version, note and provenance are the bench's to set: what the text says of them
        is not used. Raises InputError that names the line for text that is no format; lint findings do not block saving.
        """
        raise NotImplementedError

    def save_fields(self, task: str, fields: Mapping[str, Any], author: str, parent: str = "") -> Version:
        """As `save_edit`, from the values of a form; fields left out are the parent's.

        `fields`: introduction, steps, instructions (lists of sentences), answer_line, search, document, rewrite.
        """
        raise NotImplementedError

    async def draft(self, task: str, examples: int, evidence: int, author: str) -> Version | Reject:
        """A format drafted by the teacher from `examples` instructions (never answers) and `evidence` passages; 0 is none of them.

        A Reject says why there is none; its detail names what the lint found.
        """
        raise NotImplementedError

    # Runs

    def start_run(self, version_id: str, row_ids: Sequence[str], author: str) -> Run:
        """Try a version on rows of its task: the real grounding, rewriting, checks and judge, with the build's own params.

        Returns at once; each row is stored as it ends. Raises InputError for no, too many, unknown, held-out or
        foreign rows and for a format that rewrites nothing.
        """
        raise NotImplementedError

    def continue_run(self, run_id: str) -> Run:
        """Go on with the rows of an interrupted or failed run that have no result or an error. InputError if it is running or whole."""
        raise NotImplementedError

    def stop(self, run_id: str) -> Run:
        """Interrupt a run, also one of another process (after the row in progress). A run that has ended stays as it is."""
        raise NotImplementedError

    async def wait(self, run_id: str) -> Run:
        """The run once it has ended, whichever process it belongs to."""
        raise NotImplementedError

    def run(self, run_id: str) -> Run:
        """Its present state. A run whose process has died is shown as interrupted."""
        raise NotImplementedError

    def runs(self, task: str) -> list[Run]:
        """All runs of `task`, newest first."""
        raise NotImplementedError

    def results(self, run_id: str) -> list[RowResult]:
        """Finished rows, in the order in which the run names them."""
        raise NotImplementedError

    def figures(self, version_id: str) -> FormatFigures:
        """Over the newest result of each row that was tried with this version or with one of equal content; n = 0 if none was."""
        raise NotImplementedError

    def compare(self, version_a: str, version_b: str) -> Comparison:
        """B against A on the rows that were tried with both. InputError if they are of different tasks."""
        raise NotImplementedError

    # Decisions

    def approve(self, version_id: str, reviewer: str, note: str = "") -> str:
        """Write the version to the library as approved and return the diff that git sees; nothing is committed.

        Raises InputError if the lint has findings, and LibraryChanged if somebody has changed the library file since this
        version was made from it.
        """
        raise NotImplementedError

    def reject(self, version_id: str, reviewer: str, note: str = "") -> Decision:
        """Record that this version must not be used, and why."""
        raise NotImplementedError

    def decisions(self, task: str) -> list[Decision]:
        """All decisions about versions of `task`, newest first."""
        raise NotImplementedError

    def diff(self, task: str) -> str:
        """What git sees of the task's library file against the last commit; empty if nothing has changed."""
        raise NotImplementedError

    # Second reader

    def next_reading(self, reader: str) -> BlindPair | None:
        """A tried row for a blind reading: those that one other person has read come first. None if nothing is left for `reader`."""
        raise NotImplementedError

    def read(self, run_id: str, row_id: str, reader: str, verdict: str, note: str = "") -> Reading:
        """Record `accept` or `reject`: as the first reading, or the second if another reader has the first.

        Raises InputError for the same reader twice, and for a row that two people have read.
        """
        raise NotImplementedError

    def agreement(self) -> dict[str, Any]:
        """Agreement of the two readers per task and in all, as `stages.formats.readings.agreement` tells it."""
        raise NotImplementedError
