"""Mapping rows: as many workers as were asked for, before, while and after some of them rest."""

import asyncio

from stages.llm.rows import map_rows, resting


def test_after_a_rest_there_are_as_many_workers_as_before() -> None:
    at_work: list[int] = []
    busy = 0

    async def worker(number: int) -> int:
        nonlocal busy
        if number < 10:
            with resting():
                await asyncio.sleep(0.05)
        busy += 1
        at_work.append(busy)
        await asyncio.sleep(0.02)
        busy -= 1
        return number

    assert asyncio.run(map_rows(range(400), worker, concurrency=20, label="test")) == list(range(400))
    assert max(at_work) <= 31
    assert sorted(at_work[200:380])[90] > 10  # half of the workers would not do


def test_no_rows_are_no_work() -> None:
    async def worker(number: int) -> int:
        return number

    assert asyncio.run(map_rows([], worker, concurrency=4, label="test")) == []


def test_an_error_in_a_worker_that_was_added_is_raised_at_once() -> None:
    async def worker(number: int) -> None:
        if number == 0:
            with resting():
                await asyncio.sleep(5)
        if number == 1:
            raise RuntimeError("broken")

    async def run() -> float:
        started = asyncio.get_running_loop().time()
        try:
            await map_rows(range(4), worker, concurrency=1, label="test")
        except RuntimeError:
            return asyncio.get_running_loop().time() - started
        return 99.0

    assert asyncio.run(run()) < 4  # the rest takes 5
