"""Runs of this process: background tasks over rows, each row kept as it ends, whatever becomes of the run."""

import asyncio
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.config import PARAMS_FILE
from stages.enrich.calibration import calibrate
from stages.errors import InputError, LLMError, SecForgeError
from stages.formats.draft import draft_format, summarise_tasks
from stages.formats.schema import Format
from stages.ground.web.search import open_web
from stages.llm.client import Client, map_rows, open_client
from stages.review.data import Workspace
from stages.review.meter import Meter
from stages.review.run_store import RunStore
from stages.review.runner import Bedrock, try_row
from stages.review.schema import Run, State, Usage, Version
from stages.review.settings import Settings, load_settings, refuse_settings, shown
from stages.review.stamps import new_id, now
from stages.tables import Reject
from stages.tasks.schema import InstructionRow

MODELS = Path("models/base")
MOST_ROWS = 500
WATCH = 1.0  # seconds between two looks for a note to stop from another process
STOPPED = "Stopped by hand; it can be continued."


class Tries:
    """The runs under way and the client that they share. Belongs to one event loop."""

    def __init__(self, runs: RunStore, workspace: Workspace, params_file: Path = PARAMS_FILE) -> None:
        self.runs, self.workspace, self.params_file = runs, workspace, params_file
        self._loop = asyncio.get_running_loop()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._opened: tuple[Settings, Client] | None = None
        self._turn = asyncio.Lock()
        self._read_at = 0.0  # when the params file was written that is in use
        self._using = 0  # runs and drafts that use the client
        self._refused = False  # the client met an error that ends everything: the next use opens another

    def start(self, version: Version, row_ids: Sequence[str], author: str) -> Run:
        """A new run, begun from whatever thread. Raises InputError for rows or a format that cannot be tried."""
        wanted = list(dict.fromkeys(row_ids))
        refuse_rows(version, wanted, self.workspace)
        run = Run(
            id=new_id(), task=version.task, version_id=version.id, row_ids=wanted, author=author, created=now(), state="running",
            done=0, total=len(wanted), error="", settings=shown(load_settings(self.params_file)), calibration={}, usage=Usage(),
        )  # fmt: skip
        self._launch(self.runs.add(run), version)
        return run

    def go_on(self, run: Run, version: Version) -> None:
        """Take over an ended run and try what is missing. Raises InputError if nothing is, or if the params have changed."""
        refuse_settings(run, load_settings(self.params_file))
        if run.state == "running" or len(self.runs.whole_rows(run.id)) == run.total or not self.runs.claim(run.id):
            raise InputError(
                f"the run {run.id} is {run.state}: nothing to go on with.",
                allowed="a run that was interrupted or has failed, or rows with an error",
                remedy="Start another run.",
            )
        self._launch(run, version)

    def stop(self, run_id: str) -> bool:
        """Whether the run was one of this process and is stopped now; its rows so far are kept."""
        task = self._tasks.pop(run_id, None)
        if task is None:
            return False
        self.runs.end(run_id, "interrupted", STOPPED)
        self._loop.call_soon_threadsafe(task.cancel)
        return True

    async def wait(self, run_id: str) -> bool:
        """Wait for a run of this process; False at once if it is another's."""
        task = self._tasks.get(run_id)
        if task is not None:
            await asyncio.wait([task])
        return task is not None

    async def close(self) -> None:
        """Stop what runs, keep what has come, and let the client end its business."""
        tasks = list(self._tasks.items())
        for run_id, task in tasks:
            self.runs.end(run_id, "interrupted", "The page was closed; it can be continued.")
            task.cancel()
        await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
        await self._close_client()

    async def draft(self, rows: Sequence[InstructionRow], examples: int, evidence: int) -> Format | Reject:
        """A drafted format, with the build's own params but for the number of examples and passages."""
        settings, client = await self._open()
        try:
            by_entity = await asyncio.to_thread(self.workspace.background) if evidence else None
            [summary] = summarise_tasks(rows, examples, by_entity, evidence)
            return await draft_format(client, summary, settings.llm.teacher.model, settings.formats)
        except LLMError:
            self._refused = True
            raise
        finally:
            self._using -= 1

    def _launch(self, run: Run, version: Version) -> None:
        async def begin() -> None:
            self._tasks[run.id] = asyncio.create_task(self._work(run, version))

        try:
            inside = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            inside = False
        if inside:
            self._tasks[run.id] = self._loop.create_task(self._work(run, version))
        else:
            asyncio.run_coroutine_threadsafe(begin(), self._loop).result()

    async def _work(self, run: Run, version: Version) -> None:
        """The whole run. However it ends, its state says so."""
        try:
            watcher = asyncio.create_task(self._watch(run.id))
            try:
                await self._try_rows(run, version)
            finally:
                watcher.cancel()
            self._end(run.id, "done")
        except asyncio.CancelledError:
            self._end(run.id, "interrupted", STOPPED)
        except SecForgeError as error:
            self._end(run.id, "failed", str(error))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self._end(run.id, "failed", f"an error of the program: {type(error).__name__}: {error}. The terminal shows where.")

    def _end(self, run_id: str, state: State, error: str = "") -> None:
        """A run that was stopped and continued meanwhile belongs to another task."""
        if self._tasks.get(run_id) is asyncio.current_task():
            del self._tasks[run_id]
            self.runs.end(run_id, state, error)

    async def _watch(self, run_id: str) -> None:
        """Stop the run when another process asks for it."""
        while not self.runs.asked_to_stop(run_id):
            await asyncio.sleep(WATCH)
        self.stop(run_id)

    async def _try_rows(self, run: Run, version: Version) -> None:
        settings, client = await self._open()
        try:
            refuse_settings(run, settings)
            library = await asyncio.to_thread(self.workspace.library, run.task, settings.ground, settings.runtime)
            rows = await asyncio.to_thread(self._missing, run)
            meter = Meter(client)
            report = await calibrate(meter, settings.enrich, settings.runtime.concurrency)  # type: ignore[arg-type]
            self.runs.calibrated(run.id, report, meter.usage())
            leaks = await asyncio.to_thread(self.workspace.leaks, settings.ground)
            async with open_web(settings.ground, settings.runtime, leaks) as web:
                library = msgspec.structs.replace(library, web=web)
                bedrock = Bedrock(client, library, self.workspace.entities, settings, report["passed"])

                async def work(row: InstructionRow) -> None:
                    self.runs.add_result(await try_row(run.id, row, version.form, bedrock))

                await map_rows(rows, work, concurrency=settings.runtime.concurrency, label=f"trying {run.task}")
        except LLMError:
            self._refused = True
            raise
        finally:
            self._using -= 1

    def _missing(self, run: Run) -> list[InstructionRow]:
        whole = self.runs.whole_rows(run.id)
        return [self.workspace.row(row_id) for row_id in run.row_ids if row_id not in whole]

    async def _open(self) -> tuple[Settings, Client]:
        """Settings and client; both new if the params file has changed or the client was refused, and nobody uses it."""
        async with self._turn:
            written = self.params_file.stat().st_mtime if self.params_file.exists() else 0.0
            if self._opened and not self._using and (self._refused or written != self._read_at):
                await self._close_client()
            if self._opened is None:
                settings = load_settings(self.params_file)
                client = open_client("review", settings.llm, settings.runtime, base_model=MODELS)
                self._opened, self._read_at, self._refused = (settings, client), written, False
            self._using += 1
            return self._opened

    async def _close_client(self) -> None:
        opened, self._opened = self._opened, None
        if opened:
            await opened[1].__aexit__(None, None, None)


def refuse_rows(version: Version, row_ids: Sequence[str], workspace: Workspace) -> None:
    """Raises InputError for no, too many, unknown, held-out or foreign rows and for a format that rewrites nothing."""
    if not 1 <= len(row_ids) <= MOST_ROWS:
        raise InputError(f"a run of {len(row_ids)} rows.", allowed=f"1 to {MOST_ROWS} rows", remedy="Choose some rows.")
    if not version.form.rewrite:
        raise InputError(
            f"this format of `{version.task}` rewrites nothing: there is nothing to try.",
            remedy="Set `rewrite: true` if its answers should be rewritten.",
        )
    foreign = [row.id for row in map(workspace.row, row_ids) if row.task != version.task]
    if foreign:
        raise InputError(f"the row {foreign[0]} is not one of the task `{version.task}`.", remedy="Choose rows of the task.")
