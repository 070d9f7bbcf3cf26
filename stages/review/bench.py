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
from stages.enrich.format_figures import FormatFigures, Tried, figures
from stages.errors import InputError
from stages.formats.library import LIBRARY, format_text
from stages.formats.readings import READINGS, Reading, agreement, load_readings
from stages.formats.schema import kind
from stages.ingest.schema import Passage
from stages.review.approve import approve_version, git_diff, library_sha256, unified
from stages.review.compare import compare_results
from stages.review.data import TaskRows, Workspace
from stages.review.editions import Editions, linted, unsigned
from stages.review.names import note_text, person
from stages.review.reading import Candidate, candidate, order, record
from stages.review.runner import shown
from stages.review.schema import BlindPair, Comparison, Decision, RowResult, Run, TaskCard, Usage, Version
from stages.review.store import ReviewStore, exclusive, new_id, now
from stages.review.tries import Tries, load_settings, refuse_settings
from stages.state import state_dir
from stages.tables import Reject, content_id
from stages.tasks.schema import InstructionRow

MOST_ROWS, MOST_EXAMPLES, MOST_EVIDENCE = 500, 10, 20
LOOK = 0.3  # seconds between two looks at a run of another process


class Bench:
    """An async context manager. Runs go on in the background while it is open; closing it interrupts them."""

    def __init__(self, *, library: Path = LIBRARY, readings: Path = READINGS, params_file: Path = PARAMS_FILE) -> None:
        """Of the build in the working directory, as every stage; `library` and `readings` are the folders that git tracks."""
        self.library, self.readings, self.params_file = library, readings, params_file
        self.workspace = Workspace()
        self.store = ReviewStore(state_dir() / "review.sqlite")
        self._editions = Editions(self.store, library)
        self._tries: Tries | None = None

    async def __aenter__(self) -> "Bench":
        self._tries = Tries(self.store, self.workspace, self.params_file)
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
        rows, counts, runs = self.workspace.tasks(), self.store.counts(), self.store.last_runs()
        agreed = self.agreement()["tasks"]
        cards = []
        filed = self._editions.whole_library(rows)
        for task in rows.keys() | filed.keys():
            found = filed.get(task)
            version, problem = (None, str(found)) if isinstance(found, InputError) else (found, "")
            last, (versions, tries) = runs.get(task), counts.get(task, (0, 0))
            tried = self.tried(last.id) if last else []
            cards.append(
                TaskCard(
                    family=rows[task].family if task in rows else "",
                    task=task,
                    kind=kind(version.form) if version else "",
                    status=version.form.status if version else "",
                    findings=len(version.findings) if version else 0,
                    rows=rows[task].rows if task in rows else 0,
                    keyed=task in rows and rows[task].keyed,
                    versions=max(versions, int(version is not None)),
                    runs=tries,
                    last_run=last.id if last else "",
                    tried=len(tried),
                    problem=problem,
                    figures=figures(tried) if tried else None,
                    agreement=agreed.get(task),
                )
            )
        return sorted(cards, key=lambda card: (card.family, card.task))

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
        await asyncio.to_thread(self.workspace.library, "", settings.ground.ngram)

    # Versions

    def versions(self, task: str) -> list[Version]:
        """All versions of `task`, newest first; the library's present text is among them."""
        self._of_library(task)
        rows = self._rows_of(task)
        found = [linted(version, rows) for version in self.store.versions(task)]
        if not found and rows is None:
            raise self._unknown(task)
        return found

    def version(self, version_id: str) -> Version:
        """Raises InputError for an unknown id."""
        found = self.store.version(version_id)
        if found is None:
            raise InputError(
                f"there is no version {version_id[:40]!r}.", remedy="`python -m stages.formats show TASK` lists them."
            )
        return linted(found, self._rows_of(found.task))

    def current(self, task: str) -> Version:
        """What the build would use: the library's text; where there is none the newest draft or edit. InputError if there is nothing."""
        present = self._of_library(task)
        if present is not None:
            return present
        found = self.store.versions(task)
        if found:
            return linted(found[0], self._rows_of(task))
        raise self._unknown(task)

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
        before = self._parent(task, parent)
        return self._editions.save_text(task, text, person(author), before, self._rows_of(task))

    def save_fields(self, task: str, fields: Mapping[str, Any], author: str, parent: str = "") -> Version:
        """As `save_edit`, from the values of a form; fields left out are the parent's.

        `fields`: introduction, steps, instructions (lists of sentences), answer_line, search, document, rewrite.
        """
        before = self._parent(task, parent)
        return self._editions.save_fields(task, fields, person(author), before, self._rows_of(task))

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
        return self._editions.save(found, "draft", who, None, self._rows_of(task))

    # Runs

    def start_run(self, version_id: str, row_ids: Sequence[str], author: str) -> Run:
        """Try a version on rows of its task: the real grounding, rewriting, checks and judge, with the build's own params.

        Returns at once; each row is stored as it ends. Raises InputError for no, too many, unknown, held-out or
        foreign rows and for a format that rewrites nothing.
        """
        version, who = self.version(version_id), person(author)
        wanted = list(dict.fromkeys(row_ids))
        self._refuse_rows(version, wanted)
        settings = self._open_tries.settings()
        run = Run(
            id=new_id(), task=version.task, version_id=version.id, row_ids=wanted, author=who, created=now(), state="running",
            done=0, total=len(wanted), error="", settings=shown(settings), calibration={}, usage=Usage(),
        )  # fmt: skip
        self._open_tries.launch(self.store.add_run(run), version)
        return run

    def continue_run(self, run_id: str) -> Run:
        """Go on with the rows of an interrupted or failed run that have no result or an error.

        Raises InputError if it is running or whole, or if the params that decide about rows are no longer those of the run.
        """
        run = self.run(run_id)
        refuse_settings(run, self._open_tries.settings())
        if run.state == "running" or len(self.store.whole_rows(run_id)) == run.total or not self.store.claim_run(run_id):
            raise InputError(
                f"the run {run_id} is {run.state}: nothing to go on with.",
                allowed="a run that was interrupted or has failed, or rows with an error",
                remedy="Start another run.",
            )
        self._open_tries.launch(run, self.version(run.version_id))
        return self.run(run_id)

    def stop(self, run_id: str) -> Run:
        """Interrupt a run, also one of another process (after the row in progress). A run that has ended stays as it is."""
        self.run(run_id)
        if not self._open_tries.stop(run_id):
            self.store.ask_to_stop(run_id, "asked")
        return self.run(run_id)

    async def wait(self, run_id: str) -> Run:
        """The run once it has ended, whichever process it belongs to."""
        while self.run(run_id).state == "running":
            if not await self._open_tries.wait(run_id):
                await asyncio.sleep(LOOK)
        return self.run(run_id)

    def run(self, run_id: str) -> Run:
        """Its present state. A run whose process has died is shown as interrupted."""
        found = self.store.run(run_id)
        if found is None:
            raise InputError(f"there is no run {run_id[:40]!r}.", remedy="The task's page lists its runs.")
        return found

    def runs(self, task: str) -> list[Run]:
        """All runs of `task`, newest first."""
        self._editions.path(task)
        return self.store.runs(task)

    def results(self, run_id: str) -> list[RowResult]:
        """Finished rows, in the order in which the run names them."""
        places = {row_id: place for place, row_id in enumerate(self.run(run_id).row_ids)}
        return sorted(self.store.results(run_id), key=lambda result: places[result.row_id])

    def tried(self, run_id: str) -> list[Tried]:
        """What the figures of a run are made of: its rows without an error."""
        return [result.tried for result in self.results(run_id) if result.tried]

    def figures(self, version_id: str) -> FormatFigures:
        """Over the newest result of each row that was tried with this version or with one of equal content; n = 0 if none was."""
        results = self._results_of(self.version(version_id))
        return figures([result.tried for result in results.values() if result.tried])

    def compare(self, version_a: str, version_b: str) -> Comparison:
        """B against A on the rows that were tried with both. InputError if they are of different tasks."""
        a, b = self.version(version_a), self.version(version_b)
        if a.task != b.task:
            raise InputError(
                f"{a.id} is a format of `{a.task}` and {b.id} one of `{b.task}`.", allowed="two versions of one task"
            )
        conditions = {run.id: (run.settings, run.calibration.get("passed")) for run in self.store.runs(a.task)}
        return compare_results(a, b, self._results_of(a), self._results_of(b), conditions)

    # Decisions

    def approve(self, version_id: str, reviewer: str, note: str = "") -> str:
        """Write the version to the library as approved and return the diff that git sees; nothing is committed.

        Raises InputError if the lint has findings, and LibraryChanged if somebody has changed the library file since this
        version was made from it.
        """
        version, who, said = self.version(version_id), person(reviewer), note_text(note)
        rows = self._rows_of(version.task)
        base = self.store.version(content_id("library", version.task, version.base)) if version.base else None
        tried_on = list(self._results_of(version))
        path = approve_version(version, base, self.library, who, said, tried_on, rows.keyed if rows else None)
        found = git_diff(path)
        decision = Decision(
            task=version.task, version_id=version.id, verdict="approved", reviewer=who, note=said, created=now(),
            sha256=library_sha256(path), diff=found,
        )  # fmt: skip
        self.store.add_decision(decision)
        self._of_library(version.task)
        return found

    def reject(self, version_id: str, reviewer: str, note: str = "") -> Decision:
        """Record that this version must not be used, and why."""
        version, who, said = self.version(version_id), person(reviewer), note_text(note)
        decision = Decision(task=version.task, version_id=version.id, verdict="rejected", reviewer=who, note=said, created=now())
        return self.store.add_decision(decision)

    def decisions(self, task: str) -> list[Decision]:
        """All decisions about versions of `task`, newest first."""
        self._editions.path(task)
        return self.store.decisions(task)

    def diff(self, task: str) -> str:
        """What git sees of the task's library file against the last commit; empty if nothing has changed."""
        return git_diff(self._editions.path(task))

    # Second reader

    def next_reading(self, reader: str) -> BlindPair | None:
        """A tried row for a blind reading: those that one other person has read come first. None if nothing is left for `reader`."""
        who, readings = person(reader), load_readings(self.readings)
        for one in order(self._candidates(), readings, who):
            try:
                row = self.workspace.row(one.row_id)
            except InputError:  # tried in an earlier build that had other rows
                continue
            result = self._result(one.run_id, one.row_id)
            return BlindPair(
                run_id=one.run_id, row_id=row.id, task=row.task, instruction=row.instruction, original=row.answer,
                rewrite=result.rewrite,
            )  # fmt: skip
        return None

    def read(self, run_id: str, row_id: str, reader: str, verdict: str, note: str = "", *, blind: bool = True) -> Reading:
        """Record `accept` or `reject`: as the first reading, or the second if another reader has the first.

        `blind`: the reader was shown no verdict; the second reading must be one. Raises InputError otherwise, for the
        same reader twice, and for a row that two people have read.
        """
        who, said, result = person(reader), note_text(note), self._result(run_id, row_id)
        one = candidate(self.version(self.run(run_id).version_id), result)
        with exclusive(state_dir() / "review-readings.lock"):
            return record(self.readings, load_readings(self.readings), one, who, verdict, said, blind=blind)

    def agreement(self) -> dict[str, Any]:
        """Agreement of the two readers per task and in all, as `stages.formats.readings.agreement` tells it."""
        return agreement(load_readings(self.readings))

    # Inside

    @property
    def _open_tries(self) -> Tries:
        if self._tries is None:
            raise RuntimeError("a Bench tries and drafts only inside `async with`")
        return self._tries

    def _of_library(self, task: str) -> Version | None:
        return self._editions.of_library(task, self._rows_of(task))

    def _rows_of(self, task: str) -> TaskRows | None:
        return self.workspace.tasks().get(task)

    def _unknown(self, task: str) -> InputError:
        return InputError(
            f"the task `{task[:80]}` has no format yet."
            if task in self.workspace.tasks()
            else f"there is no task `{task[:80]}` in this build or in the library.",
            remedy="`python -m stages.formats list` shows the tasks; `... draft TASK` drafts a format.",
        )

    def _parent(self, task: str, parent: str) -> Version | None:
        """The version that an edit is made from; None for the first format of a task."""
        if parent:
            version = self.version(parent)
            if version.task != task:
                raise InputError(f"the version {parent} is a format of `{version.task}`, not of `{task[:80]}`.")
            return version
        try:
            return self.current(task)
        except InputError:
            if task not in self.workspace.tasks():
                raise
            return None

    def _refuse_rows(self, version: Version, row_ids: Sequence[str]) -> None:
        if not 1 <= len(row_ids) <= MOST_ROWS:
            raise InputError(f"a run of {len(row_ids)} rows.", allowed=f"1 to {MOST_ROWS} rows", remedy="Choose some rows.")
        if not version.form.rewrite:
            raise InputError(
                f"this format of `{version.task}` rewrites nothing: there is nothing to try.",
                remedy="Set `rewrite: true` if its answers should be rewritten.",
            )
        foreign = [row.id for row in map(self.workspace.row, row_ids) if row.task != version.task]
        if foreign:
            raise InputError(f"the row {foreign[0]} is not one of the task `{version.task}`.", remedy="Choose rows of the task.")

    def _results_of(self, version: Version) -> dict[str, RowResult]:
        return self.store.results_of_content(version.task, version.content)

    def _result(self, run_id: str, row_id: str) -> RowResult:
        found = self.store.result(run_id, row_id)
        if found is None or not found.rewrite:
            raise InputError(f"the run {run_id[:40]!r} has no rewrite of the row {row_id[:40]!r}.")
        return found

    def _candidates(self) -> list[Candidate]:
        """Every rewrite that somebody could read."""
        runs = self.store.runs()
        versions = {version_id: self.version(version_id) for version_id in {run.version_id for run in runs}}
        return [
            candidate(versions[run.version_id], result)
            for run in runs
            for result in self.store.results(run.id)
            if result.rewrite and not result.error
        ]
