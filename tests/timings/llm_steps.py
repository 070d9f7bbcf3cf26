"""800 rows of four chained calls each with a log-normal tail over 64 slots, beside the same with a barrier after every step."""

import heapq
import math
import random
from functools import partial

from stages.llm.client import Client, Request, map_rows
from tests.timings.llm_load import LATENCY, SLOTS, Result, measured, ratio_of, served, text
from tests.timings.table import Line, print_table

ROWS, STEPS, SIGMA = 800, 4, 1.0
MEDIAN = LATENCY / math.exp(SIGMA**2 / 2)


def main() -> None:
    """Print the table."""
    with served("--latency", str(MEDIAN), "--sigma", str(SIGMA), "--slots", str(SLOTS)) as url:
        barrier, ours = with_barriers(url), streaming(url)
    limit = limit_of("streaming")
    lines = [
        Line(
            "four steps a row, rows/s", f"{ROWS / ours.seconds:.0f}", f"{ROWS / barrier.seconds:.0f}", f"{ROWS / limit:.0f}",
            ratio_of(limit, ours), f"share of the limit; {barrier.seconds / ours.seconds:.2f}x a barrier after each step",
        ),
        Line("rows lost", str(ours.lost), str(barrier.lost), "0"),
    ]  # fmt: skip
    print_table("llm_steps (target >= 0.85 of the limit, aim 0.90; >= 1.6x the barrier)", lines)


def streaming(url: str) -> Result:
    """Each row goes through its own chain."""

    async def go(client: Client) -> list:
        async def chain(row: int) -> str:
            said = ""
            for step in range(STEPS):
                said = await ask(client, "streaming", row, step)
            return said

        return list(await map_rows(range(ROWS), chain, concurrency=client.runtime.concurrency, label="streaming"))

    return measured(url, go)


def with_barriers(url: str) -> Result:
    """All rows end one step before any begins the next, as batch pipelines do."""

    async def go(client: Client) -> list:
        answers: list = []
        for step in range(STEPS):
            ask_step, places = partial(ask, client, "barrier", step=step), client.runtime.concurrency
            answers = list(await map_rows(range(ROWS), ask_step, concurrency=places, label="barrier"))
        return answers

    return measured(url, go)


async def ask(client: Client, run: str, row: int, step: int) -> str:
    """One call of a row's chain."""
    messages = [{"role": "user", "content": text(row, f"{run} {step}")}]
    return (await client.chat(Request(purpose="p", messages=messages))).text


def limit_of(run: str) -> float:
    """Seconds of perfect slots over the latencies that the server draws: a row's next call waits for its last."""
    ready = [(0.0, row, 0) for row in range(ROWS)]
    slots = [0.0] * SLOTS
    end = 0.0
    while ready:
        came, row, step = heapq.heappop(ready)
        done = max(came, heapq.heappop(slots)) + MEDIAN * math.exp(random.Random(text(row, f"{run} {step}")).gauss(0, SIGMA))
        heapq.heappush(slots, done)
        end = max(end, done)
        if step + 1 < STEPS:
            heapq.heappush(ready, (done, row, step + 1))
    return end


if __name__ == "__main__":
    main()
