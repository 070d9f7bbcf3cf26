"""Mapping rows through an asynchronous worker: bounded, in order, without a barrier between batches.

With a spool the results go to a file as they finish, and memory does not grow with the rows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from stages.llm.failures import CallFailed, Pending
from stages.llm.spool import Spool
from stages.llm.watch import Watch, Watched

Item = TypeVar("Item")
Result = TypeVar("Result")

TURN = 256  # rows after which a worker that met only cache hits lets the event loop breathe
SPARE = 2  # times as many rows may be under way, if the others rest before a retry


class Slot:
    """One worker of `map_rows`: how many of its calls wait for a model at this moment, and whether its row needed one."""

    def __init__(self, crew: "Crew") -> None:
        self.waiting, self.asked, self.crew = 0, False, crew


class Crew:
    """The workers of one `map_rows`: so many as it may have, and one more for each that rests before a retry."""

    def __init__(self, work: Callable[["Crew"], Coroutine[Any, Any, None]], workers: int, rows: int) -> None:
        self._work, self._workers, self._most = work, min(workers, rows), min(SPARE * workers, rows)
        self._resting, self._tasks = 0, set[asyncio.Task[None]]()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Until all have ended; at the first error the others are cancelled and waited for, and it is raised."""
        for _ in range(self._workers):
            self._hire()
        try:
            await self._over
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def dismiss(self) -> bool:
        """Whether the worker that asks, having done a row, should leave: one that rested is back. It is counted out at once."""
        if len(self._tasks) <= self._workers + self._resting:
            return False
        self._tasks.discard(asyncio.current_task())  # type: ignore[arg-type]
        return True

    def rest(self) -> None:
        """A worker waits for nothing but time: another may take its place."""
        self._resting += 1
        if len(self._tasks) < min(self._most, self._workers + self._resting) and not self._over.done():
            self._hire()

    def wake(self) -> None:
        """Its rest is over."""
        self._resting -= 1

    def _hire(self) -> None:
        task = asyncio.create_task(self._work(self))
        self._tasks.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if self._over.done():
            return
        if error is not None:
            self._over.set_exception(error)
        elif not self._tasks:
            self._over.set_result(None)


_slot: ContextVar[Slot | None] = ContextVar("slot", default=None)
_busy: set[Slot] = set()


@contextmanager
def waiting_call() -> Iterator[None]:
    """Marks the worker that runs this as waiting for a model."""
    slot = _slot.get()
    if slot is not None:
        slot.waiting += 1
        slot.asked = True
    try:
        yield
    finally:
        if slot is not None:
            slot.waiting -= 1


@contextmanager
def resting() -> Iterator[None]:
    """Marks the worker that runs this as waiting for nothing but time."""
    slot = _slot.get()
    if slot is not None:
        slot.crew.rest()
    try:
        yield
    finally:
        if slot is not None:
            slot.crew.wake()


def all_waiting() -> bool:
    """Whether every worker waits for a model, so that no further request can come before an answer does."""
    return all(slot.waiting for slot in _busy)


async def map_rows(
    rows: Sequence[Item],
    worker: Callable[[Item], Awaitable[Result]],
    *,
    concurrency: int,
    label: str,
    client: Watched | None = None,
    tally: Callable[[Result], str] | None = None,
    spool: Spool[Result] | None = None,
) -> Sequence[Result | CallFailed]:
    """`worker(row)` for every row, at most `concurrency` at a time (not counting those that rest before a retry).

    Results are in the order of `rows`: a list, or `spool`, which they were written to as they finished.
    A CallFailed that a worker does not handle stands in its row's place. Any other error, LLMError first of all,
    stops the remaining rows and is raised; calls that had finished are in the cache. A Pending is raised after all rows.
    `client` and `tally` are for people: whose calls and money to show, and what became of a row ("kept", "rejected").
    """
    pending: list[Pending] = []
    results: list[Result | CallFailed] = [] if spool is not None else [CallFailed("stopped")] * len(rows)
    numbered, watch = iter(enumerate(rows)), Watch(len(rows), label, client)

    def finish(index: int, result: Result | CallFailed | Pending, fresh: bool) -> None:
        if isinstance(result, Pending):
            pending[:] = [result]
            watch.row(fresh=fresh, tally="waiting")
            return
        if spool is None:
            results[index] = result
        else:
            spool.put(index, result)
        said = "failed" if isinstance(result, CallFailed) else tally(result) if tally else ""
        watch.row(fresh=fresh, tally=said)

    async def work(crew: Crew) -> None:
        slot = Slot(crew)
        _slot.set(slot)
        _busy.add(slot)
        try:
            for index, row in numbered:
                slot.asked = False
                try:
                    result: Result | CallFailed | Pending = await worker(row)
                except (CallFailed, Pending) as failure:
                    result = failure
                finish(index, result, slot.asked)
                if crew.dismiss():
                    break
                if index % TURN == 0:
                    await asyncio.sleep(0)
        finally:
            _busy.discard(slot)

    if rows:
        async with watch.during():
            await Crew(work, max(1, concurrency), len(rows)).run()
    if pending:
        raise pending[0]
    return results if spool is None else spool
