"""What the timings of LLM calls share: a server of its own process, our client, and how results are told."""

import asyncio
import heapq
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from stages.llm.client import Client, Request, map_rows, open_client
from stages.llm.params import LLMParams, Role
from stages.runtime import Endpoint, Endpoints, RuntimeParams
from tests.timings.table import Line

CALLS, SLOTS, LATENCY = 3200, 64, 0.2
ROOM = SLOTS + 8  # a few calls more than the server works on: so no slot waits for an answer's way back


class Result(NamedTuple):
    """One run: wall seconds, CPU seconds of the client, rows without an answer."""

    seconds: float
    cpu: float
    lost: int


@contextmanager
def served(*options: str) -> Iterator[str]:
    """A fake server in a process of its own; gives its base URL. Meanwhile an empty folder is the working directory."""
    command = [sys.executable, "-m", "tests.fake_openai", *options]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    here = Path.cwd()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as server, tempfile.TemporaryDirectory() as folder:
        try:
            port = int(server.stdout.readline())  # type: ignore[union-attr]
            os.chdir(folder)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            os.chdir(here)
            server.terminate()


def stats(base_url: str) -> dict[str, float]:
    """Counters of the server."""
    with urllib.request.urlopen(base_url.replace("/v1", "/stats"), timeout=10) as answer:
        return json.load(answer)


def client_for(base_url: str, in_flight: int = SLOTS) -> Client:
    """Our client as a stage opens it: at most `in_flight` calls at the server, and so many rows as it finds right."""
    role = Role(provider="openai", model="fake", repetition_penalty=1.0)
    endpoints = Endpoints(teacher=[Endpoint(base_url=base_url, max_concurrency=in_flight)])
    return open_client("timing", LLMParams(teacher=role, judge=role), RuntimeParams(endpoints=endpoints), Path("models/base"))


def text(row: int, run: str) -> str:
    """The prompt of a row: about 1 KB."""
    return f"{run} row {row} " + "evidence " * 110


def run_ours(base_url: str, rows: int = CALLS, run: str = "ours", client: Client | None = None, in_flight: int = SLOTS) -> Result:
    """All rows through the client, `in_flight` calls at a time."""
    client = client or client_for(base_url, in_flight)

    async def go(opened: Client) -> list:
        async def work(row: int) -> str:
            return (await opened.chat(Request(purpose="p", messages=[{"role": "user", "content": text(row, run)}]))).text

        return list(await map_rows(range(rows), work, concurrency=opened.runtime.concurrency, label=run))

    return measured(base_url, go, client)


def measured(base_url: str, go: Callable[[Client], Awaitable[list]], client: Client | None = None) -> Result:
    """Run `go` with an open client; every result that is no text is a row lost."""

    async def opened() -> list:
        async with client or client_for(base_url, ROOM) as ready:
            return await go(ready)

    started, cpu = time.perf_counter(), time.process_time()
    results = asyncio.run(opened())
    return Result(time.perf_counter() - started, time.process_time() - cpu, sum(not isinstance(one, str) for one in results))


def drawn_limit(run: str, median: float, sigma: float, rows: int = CALLS) -> float:
    """Seconds of a perfect pool over the latencies that the server draws for these rows."""
    slots = [0.0] * SLOTS
    for row in range(rows):
        latency = median * math.exp(random.Random(text(row, run)).gauss(0, sigma))
        heapq.heapreplace(slots, slots[0] + latency)
    return max(slots)


def ratio_of(limit: float, result: Result) -> str:
    """The share of the limit."""
    return f"{limit / result.seconds:.2f}"


def compared(what: str, ours: Result, limit: float, peers: Mapping[str, tuple[Result, float]]) -> Sequence[Line]:
    """Rows per second of ours and of each peer with its own limit in seconds, shares of the limits, CPU and lost rows."""
    lines = [
        Line(what, f"{CALLS / ours.seconds:.0f}", "-", f"{CALLS / limit:.0f}", f"{limit / ours.seconds:.2f}", "rows/s; share of the limit"),
        Line("CPU s per 1,000 calls", f"{ours.cpu / CALLS * 1000:.2f}", "-", "3"),
        Line("rows lost", str(ours.lost), "-", "0"),
    ]  # fmt: skip
    for name, (peer, peer_limit) in peers.items():
        share = peer_limit / peer.seconds
        note = f"peer: {share:.2f} of its limit, {peer.cpu / CALLS * 1000:.2f} CPU s per 1,000 calls, {peer.lost} rows lost"
        ratio = f"{limit / ours.seconds / share:.2f}"
        lines.append(
            Line(name, f"{CALLS / ours.seconds:.0f}", f"{CALLS / peer.seconds:.0f}", f"{CALLS / peer_limit:.0f}", ratio, note)
        )
    return lines
