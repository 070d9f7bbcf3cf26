"""The expert's bench: everything that the review page and the terminal commands do, on one store and one model client.

    async with Bench() as bench:
        version = bench.current("cve-to-cwe")
        run = bench.start_run(version.id, [row.id for row in bench.sample("cve-to-cwe", 5, seed=0)], "Ada")
        await bench.wait(run.id)
        print(bench.figures(version.id))

Plain methods may be called from any thread and answer from SQLite and memory. Whatever a user can mend is a
`stages.errors.SecForgeError`: unknown ids and names, texts with errors (the line is named), refused approvals.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from stages.config import PARAMS_FILE
from stages.enrich.format_figures import FormatFigures
from stages.errors import InputError
from stages.formats.library import LIBRARY, format_text
from stages.formats.readings import READINGS, Reading
from stages.ingest.schema import Passage
from stages.review.approve import unified
from stages.review.cards import task_cards
from stages.review.data import Workspace
from stages.review.decisions import Decisions
from stages.review.editions import Editions, unsigned
from stages.review.names import note_text, person
from stages.review.reading import SecondReaders
from stages.review.results import Results
from stages.review.schema import BlindPair, Comparison, Decision, RowResult, Run, TaskCard, Version
from stages.review.settings import load_settings
from stages.review.store import ReviewStore
from stages.review.tries import Tries
from stages.state import state_dir
from stages.tables import Reject
from stages.tasks.schema import InstructionRow

MOST_EXAMPLES, MOST_EVIDENCE = 10, 20
LOOK = 0.3  # seconds between two looks at a run of another process


class Bench:
    """An async context manager. Runs go on in the background while it is open; closing it interrupts them."""

    def __init__(self, *, library: Path = LIBRARY, readings: Path = READINGS, params_file: Path = PARAMS_FILE) -> None:
        """Of the build in the working directory, as every stage; `library` and `readings` are the folders that git tracks."""
        self.library, self.readings, self.params_file = library, readings, params_file
        self.workspace = Workspace()
        self.store = ReviewStore(state_dir() / "review.sqlite")
        self._editions = Editions(self.store, library, self.workspace)
        self._results = Results(self.store.runs, self._editions)
        self._decisions = Decisions(self.store, self._editions, self._results)
        self._readers = SecondReaders(readings, self._editions, self._results)
        self._tries: Tries | None = None

    async def __aenter__(self) -> "Bench":
        self._tries = Tries(self.store.runs, self.workspace, self.params_file)
        return self

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Interrupt the runs of this process, keep what they have, close client and store."""
        await self._open_tries.close()
        self._tries = None
        self.store.close()

    # Tasks and rows

    def tasks(self) -> list[TaskCard]:
        """Every task with rows or a library file, by family and name."""
        return task_cards(self.store, self._editions, self._results, self.agreement()["tasks"])

    def sample(self, task: str, n: int, seed: int = 0) -> list[InstructionRow]:
        """`n` rows of `task` from the splits train and dev, by content hash: the same for equal `seed`, and a larger n keeps the first."""
        self._editions.path(task)
        return self.workspace.sample(task, n, seed)

    def row(self, row_id: str) -> InstructionRow:
        """Raises InputError for an unknown row, and for a held-out one, which nobody may see before the evaluation."""
        return self.workspace.row(row_id)

    def documents(self, row: InstructionRow) -> list[Passage]:
        """The official entries that the row names, whole, in its order; empty if it names none."""
        return self.workspace.documents(row)

    async def warm(self) -> None:
        """Build what the first try needs (the passage index) in a thread, so that the first try does not wait for it."""
        settings = await asyncio.to_thread(load_settings, self.params_file)
        await asyncio.to_thread(self.workspace.library, "", settings.ground, settings.runtime)

    # Versions

    def versions(self, task: str) -> list[Version]:
        """All versions of `task`, newest first; the library's present text is among them."""
        return self._editions.versions(task)

    def version(self, version_id: str) -> Version:
        """Raises InputError for an unknown id."""
        return self._editions.version(version_id)

    def current(self, task: str) -> Version:
        """What the build would use: the library's text; where there is none the newest draft or edit. InputError if there is nothing."""
        return self._editions.current(task)

    def text(self, version_id: str) -> str:
        """The YAML text of a version, as `save_edit` takes it."""
        return format_text(self.version(version_id).form)

    def text_diff(self, version_a: str, version_b: str) -> str:
        """Unified diff of two versions without their signatures; empty if they say the same."""
        texts = [format_text(unsigned(self.version(version_id).form, "")) for version_id in (version_a, version_b)]
        return unified(*texts, version_a, version_b)

    def save_edit(self, task: str, text: str, author: str, parent: str = "") -> Version:
        """Keep the YAML `text` as a new version; `parent` defaults to `current(task)`.

        Status, author, reviewer, date, version, note and provenance are the bench's to set: what the text says of them
        is not used. Raises InputError that names the line for text that is no format; lint findings do not block saving.
        """
        before = self._editions.parent(task, parent)
        return self._editions.save_text(task, text, person(author), before)

    def save_fields(self, task: str, fields: Mapping[str, Any], author: str, parent: str = "") -> Version:
        """As `save_edit`, from the values of a form; fields left out are the parent's.

        `fields`: introduction, steps, instructions (lists of sentences), answer_line, search, document, rewrite.
        """
        before = self._editions.parent(task, parent)
        return self._editions.save_fields(task, fields, person(author), before)

    async def draft(self, task: str, examples: int, evidence: int, author: str) -> Version | Reject:
        """A format drafted by the teacher from `examples` instructions (never answers) and `evidence` passages; 0 is none of them.

        A Reject says why there is none; its detail names what the lint found.
        """
        who, limits = person(author), (("examples", examples, MOST_EXAMPLES), ("evidence", evidence, MOST_EVIDENCE))
        for name, value, most in limits:
            if not 0 <= value <= most:
                raise InputError(f"a draft cannot have {value} {name}.", allowed=f"0 to {most}")
        self._editions.path(task)
        rows = await asyncio.to_thread(self.workspace.rows, task)
        found = await self._open_tries.draft(rows, examples, evidence)
        if isinstance(found, Reject):
            return found
        return self._editions.save(found, "draft", who, None)

    # Runs

    def start_run(self, version_id: str, row_ids: Sequence[str], author: str) -> Run:
        """Try a version on rows of its task: the real grounding, rewriting, checks and judge, with the build's own params.

        Returns at once; each row is stored as it ends. Raises InputError for no, too many, unknown, held-out or
        foreign rows and for a format that rewrites nothing.
        """
        return self._open_tries.start(self.version(version_id), row_ids, person(author))

    def continue_run(self, run_id: str) -> Run:
        """Go on with the rows of an interrupted or failed run that have no result or an error.

        Raises InputError if it is running or whole, or if the params that decide about rows are no longer those of the run.
        """
        run = self.run(run_id)
        self._open_tries.go_on(run, self.version(run.version_id))
        return self.run(run_id)

    def stop(self, run_id: str) -> Run:
        """Interrupt a run, also one of another process (after the row in progress). A run that has ended stays as it is."""
        self.run(run_id)
        if not self._open_tries.stop(run_id):
            self.store.runs.ask_to_stop(run_id, "asked")
        return self.run(run_id)

    async def wait(self, run_id: str) -> Run:
        """The run once it has ended, whichever process it belongs to."""
        while self.run(run_id).state == "running":
            if not await self._open_tries.wait(run_id):
                await asyncio.sleep(LOOK)
        return self.run(run_id)

    def run(self, run_id: str) -> Run:
        """Its present state. A run whose process has died is shown as interrupted."""
        return self._results.run(run_id)

    def runs(self, task: str) -> list[Run]:
        """All runs of `task`, newest first."""
        return self._results.runs_of(task)

    def results(self, run_id: str) -> list[RowResult]:
        """Finished rows, in the order in which the run names them."""
        return self._results.rows(run_id)

    def figures(self, version_id: str) -> FormatFigures:
        """Over the newest result of each row that was tried with this version or with one of equal content; n = 0 if none was."""
        return self._results.figures(self.version(version_id))

    def compare(self, version_a: str, version_b: str) -> Comparison:
        """B against A on the rows that were tried with both. InputError if they are of different tasks."""
        return self._results.compare(self.version(version_a), self.version(version_b))

    # Decisions

    def approve(self, version_id: str, reviewer: str, note: str = "") -> str:
        """Write the version to the library as approved and return the diff that git sees; nothing is committed.

        Raises InputError if the lint has findings, and LibraryChanged if somebody has changed the library file since this
        version was made from it.
        """
        return self._decisions.approve(self.version(version_id), person(reviewer), note_text(note))

    def reject(self, version_id: str, reviewer: str, note: str = "") -> Decision:
        """Record that this version must not be used, and why."""
        return self._decisions.reject(self.version(version_id), person(reviewer), note_text(note))

    def decisions(self, task: str) -> list[Decision]:
        """All decisions about versions of `task`, newest first."""
        return self._decisions.of_task(task)

    def diff(self, task: str) -> str:
        """What git sees of the task's library file against the last commit; empty if nothing has changed."""
        return self._decisions.diff(task)

    # Second reader

    def next_reading(self, reader: str) -> BlindPair | None:
        """A tried row for a blind reading: those that one other person has read come first. None if nothing is left for `reader`."""
        return self._readers.next_pair(person(reader))

    def read(self, run_id: str, row_id: str, reader: str, verdict: str, note: str = "", *, blind: bool = True) -> Reading:
        """Record `accept` or `reject`: as the first reading, or the second if another reader has the first.

        `blind`: the reader was shown no verdict; the second reading must be one. Raises InputError otherwise, for the
        same reader twice, and for a row that two people have read.
        """
        return self._readers.read(run_id, row_id, person(reader), verdict, note_text(note), blind=blind)

    def agreement(self) -> dict[str, Any]:
        """Agreement of the two readers per task and in all, as `stages.formats.readings.agreement` tells it."""
        return self._readers.agreement()

    # Inside

    @property
    def _open_tries(self) -> Tries:
        if self._tries is None:
            raise RuntimeError("a Bench tries and drafts only inside `async with`")
        return self._tries
