"""Drafts that are being written: a draft takes a model seconds to minutes, longer than a browser should wait for a page."""

import asyncio
import time

import msgspec

from stages.errors import BusyError, SecForgeError
from stages.review.bench import Bench
from stages.review.schema import Version
from stages.tables import Reject


class DraftState(msgspec.Struct, frozen=True):
    """What is known of the last draft of a task that this process began."""

    seconds: int
    running: bool
    version: Version | None = None
    reject: Reject | None = None
    error: SecForgeError | None = None


class Drafting:
    """At most one draft a task at a time. What a model has answered is in the response cache, should the process die."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._begun: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[Version | Reject]] = {}

    def start(self, task: str, examples: int, evidence: int, author: str) -> None:
        """Begin a draft in the running event loop. Raises BusyError while another is being written."""
        state = self.state(task)
        if state and state.running:
            raise BusyError(f"A draft for `{task}` is being written already.", remedy="Wait for it; this page shows it.")
        self._begun[task] = time.monotonic()
        self._tasks[task] = asyncio.create_task(self.bench.draft(task, examples, evidence, author))

    def state(self, task: str) -> DraftState | None:
        """None if no draft was begun. A fault of the program is raised again, so that it is seen."""
        known = self._tasks.get(task)
        if known is None:
            return None
        seconds = int(time.monotonic() - self._begun[task])
        if not known.done():
            return DraftState(seconds, running=True)
        try:
            outcome = known.result()
        except SecForgeError as error:
            return DraftState(seconds, running=False, error=error)
        if isinstance(outcome, Reject):
            return DraftState(seconds, running=False, reject=outcome)
        return DraftState(seconds, running=False, version=outcome)
