"""Mapping rows through an asynchronous worker: bounded, in order, without a barrier between batches."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from stages.llm.failures import CallFailed
from stages.progress import progress

Item = TypeVar("Item")
Result = TypeVar("Result")

TURN = 256  # rows after which a worker that met only cache hits lets the event loop breathe


class Slot:
    """One worker of `map_rows`: how many of its calls wait for the embedded model at this moment."""

    def __init__(self) -> None:
        self.waiting = 0


_slot: ContextVar[Slot | None] = ContextVar("slot", default=None)
_busy: set[Slot] = set()


@contextmanager
def waiting_call() -> Iterator[None]:
    """Marks the worker that runs this as waiting for a model."""
    slot = _slot.get()
    if slot is not None:
        slot.waiting += 1
    try:
        yield
    finally:
        if slot is not None:
            slot.waiting -= 1


def all_waiting() -> bool:
    """Whether every worker waits for a model, so that no further request can come before an answer does."""
    return all(slot.waiting for slot in _busy)


async def map_rows(
    rows: Sequence[Item], worker: Callable[[Item], Awaitable[Result]], *, concurrency: int, label: str
) -> list[Result | CallFailed]:
    """`worker(row)` for every row, at most `concurrency` at a time; results in the order of `rows`.

    A CallFailed that a worker does not handle stands in its row's place. Any other error, LLMError first of all,
    stops the remaining rows and is raised; calls that had finished are in the cache.
    """
    results: list[Result | CallFailed] = [CallFailed("stopped")] * len(rows)
    numbered = iter(enumerate(rows))
    with progress(total=len(rows), label=label) as bar:

        async def work() -> None:
            slot = Slot()
            _slot.set(slot)
            _busy.add(slot)
            try:
                for index, row in numbered:
                    try:
                        results[index] = await worker(row)
                    except CallFailed as failure:
                        results[index] = failure
                    bar.update()
                    if index % TURN == 0:
                        await asyncio.sleep(0)
            finally:
                _busy.discard(slot)

        await _run_all([asyncio.create_task(work()) for _ in range(max(1, min(concurrency, len(rows))))])
    return results


async def _run_all(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for all; at the first error cancel the rest, let them end, and raise it."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
