"""The clients that people use for this, each keeping 64 calls in flight: what the timings of our client stand beside."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.timings.llm_load import CALLS, SLOTS, Result, text

RETRIES = 6  # as many as ours
BATCH = 1000  # rows of one call of `datasets.map`; with fewer its threads stand idle more often


def run_aiohttp(base_url: str, rows: int = CALLS, run: str = "aiohttp") -> Result:
    """A bounded pool of AsyncOpenAI on its aiohttp transport; nothing is stored."""
    import openai

    return _timed(lambda: asyncio.run(_pool(base_url, openai.DefaultAioHttpClient, rows, run)))


def run_httpx2(base_url: str, rows: int = CALLS, run: str = "httpx2") -> Result:
    """The same on the package's default transport."""
    import openai

    return _timed(lambda: asyncio.run(_pool(base_url, openai.DefaultAsyncHttpxClient, rows, run)))


def run_threads(base_url: str, rows: int = CALLS, run: str = "threads") -> Result:
    """The synchronous client, called by as many threads."""

    def go() -> int:
        ask = _asker(base_url, run)
        with ThreadPoolExecutor(SLOTS) as pool:
            return sum(not said for said in pool.map(ask, range(rows)))

    return _timed(go)


def run_datasets(base_url: str, rows: int = CALLS, run: str = "datasets") -> Result:
    """`datasets.Dataset.map` over batches, each answered by threads: a batch must end before the next begins."""
    import datasets

    datasets.disable_progress_bars()
    table = datasets.Dataset.from_dict({"row": list(range(rows))})

    def go() -> int:
        ask = _asker(base_url, run)
        with ThreadPoolExecutor(SLOTS) as pool:
            done = table.map(
                lambda batch: {"answer": list(pool.map(ask, batch["row"]))}, batched=True, batch_size=BATCH, new_fingerprint=run
            )
        return sum(not said for said in done["answer"])

    return _timed(go)


PEERS: dict[str, Callable[[str], Result]] = {
    "AsyncOpenAI on aiohttp": run_aiohttp,
    "AsyncOpenAI on httpx2": run_httpx2,
    "openai, 64 threads": run_threads,
    "datasets.map, 64 threads": run_datasets,
}
PROMPTS = dict(zip(PEERS, ("aiohttp", "httpx2", "threads", "datasets"), strict=True))  # what those of each peer begin with


async def _pool(base_url: str, transport: Callable[[], Any], rows: int, run: str) -> int:
    """Rows without an answer."""
    import openai

    client = openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=RETRIES, http_client=transport())
    numbers, lost = iter(range(rows)), 0

    async def work() -> None:
        nonlocal lost
        for row in numbers:
            try:
                await client.chat.completions.create(model="fake", messages=[{"role": "user", "content": text(row, run)}])
            except (openai.APIError, ValueError):
                lost += 1

    await asyncio.gather(*[work() for _ in range(SLOTS)])
    await client.close()
    return lost


def _asker(base_url: str, run: str) -> Callable[[int], str]:
    """The answer of a row, empty if there is none."""
    import openai

    client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=RETRIES)

    def ask(row: int) -> str:
        messages: Any = [{"role": "user", "content": text(row, run)}]
        try:
            return client.chat.completions.create(model="fake", messages=messages).choices[0].message.content or ""
        except (openai.APIError, ValueError):
            return ""

    return ask


def _timed(go: Callable[[], int]) -> Result:
    started, cpu = time.perf_counter(), time.process_time()
    lost = go()
    return Result(time.perf_counter() - started, time.process_time() - cpu, lost)
