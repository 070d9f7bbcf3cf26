"""The same work for many items, in one process or several: results in the order of the items, equal bytes either way.

Workers are forked, so that what the items need is shared and not copied; results come back as bytes. Only pure Python
may run in a worker: the threads of Arrow, torch and the like do not survive a fork.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from stages.hardware import usable_cores
from stages.progress import progress

Item = TypeVar("Item")

_work: Callable[[int], bytes] | None = None  # what a forked worker does with the item at a place


def map_processes(items: Sequence[Item], work: Callable[[Item], bytes], workers: int, label: str, unit: str) -> Iterator[bytes]:
    """`work` of each item. `workers` 0 means all cores; 1, or a single item, stays in this process.

    An exception of a worker is raised here, and the others are stopped.
    """
    count = min(workers or usable_cores(), len(items))
    if count <= 1:
        yield from (work(item) for item in progress(items, label=label, unit=unit))
        return
    from multiprocessing import get_context

    global _work
    _work = lambda place: work(items[place])  # noqa: E731
    gc.collect()
    gc.freeze()  # a collection in a worker would touch, and so copy, every page
    try:
        with get_context("fork").Pool(count) as pool:
            yield from progress(pool.imap(_one, range(len(items))), total=len(items), label=label, unit=unit)
    finally:
        gc.unfreeze()
        _work = None


def _one(place: int) -> bytes:
    assert _work is not None
    return _work(place)
