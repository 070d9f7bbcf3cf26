"""The same job in a plain loop, by the local engine and under Ray with two processes: equal bytes, local never slower."""

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from stages.engine.engine import open_engine
from stages.errors import SecForgeError
from stages.llm.asking import Chat
from stages.llm.client import Client, Request, open_client
from stages.llm.params import LLMParams, Role
from stages.llm.spool import Codec, Spool
from stages.runtime import Endpoint, Endpoints, RuntimeParams
from stages.tables import Reject
from tests.timings.llm_load import served
from tests.timings.table import Line, print_table

ROWS, IN_FLIGHT, LATENCY = 2_000, 64, 0.1
TIMES = 3  # loop and local engine take turns; the best of each counts
CODEC = Codec(Reject)
ROLE = Role(provider="openai", model="fake", repetition_penalty=1.0)


def main() -> None:
    """Print the table."""
    with served("--latency", str(LATENCY)) as url:
        runs = [(_measured(_loop, url, "local"), _measured(_engine, url, "local")) for _ in range(TIMES)]
        (loop, loop_cpu, wanted), (local, local_cpu, found) = (min(of) for of in zip(*runs, strict=True))
        lines = [_line("plain loop", loop, loop_cpu, loop, ""), _line("local", local, local_cpu, loop, _same(found, wanted))]
        try:
            spread, cpu, found = _measured(_engine, url, "ray")
            lines.append(
                _line(
                    "ray, 2 processes", spread, cpu, loop, f"{_same(found, wanted)} Ray's start included; of this process only:"
                )
            )
        except SecForgeError as error:  # Ray is not installed, or cannot start here; a fault of ours is a traceback
            lines.append(Line("ray", "-", note=str(error).splitlines()[0]))
    print_table(
        f"shards ({ROWS:,} rows of two calls, {LATENCY:g} s each, {IN_FLIGHT} in flight; ratio: the loop's seconds to ours)",
        lines,
    )


def _line(what: str, seconds: float, cpu: float, loop: float, note: str) -> Line:
    return Line(
        f"{what}, s",
        f"{seconds:.1f}",
        f"{loop:.1f}",
        f"{2 * ROWS * LATENCY / IN_FLIGHT:.1f}",
        f"{loop / seconds:.2f}",
        f"{note} {cpu:.1f} CPU s".strip(),
    )


def _same(found: str, wanted: str) -> str:
    return "equal bytes," if found == wanted else "OTHER BYTES,"


def _measured(job, url: str, engine: str) -> tuple[float, float, str]:  # type: ignore[no-untyped-def]
    """Wall seconds, CPU seconds, and the hash of all results in order; the cache is empty at the start."""
    endpoint = [Endpoint(base_url=url, max_concurrency=IN_FLIGHT)]
    endpoints = Endpoints(teacher=endpoint, judge=endpoint)
    runtime = RuntimeParams(endpoints=endpoints, concurrency=IN_FLIGHT, engine=engine, workers=2)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        here = Path.cwd()
        os.chdir(folder)
        try:
            started, cpu = time.perf_counter(), time.process_time()
            results = asyncio.run(job(runtime))
            return time.perf_counter() - started, time.process_time() - cpu, results
        finally:
            os.chdir(here)


async def _row(row: Reject, client: Chat) -> Reject:
    """Two calls, the second with the first's answer."""
    first = await client.chat(Request(purpose="a", messages=[{"role": "user", "content": row.record}]))
    second = await client.chat(Request(purpose="b", messages=[{"role": "user", "content": first.text}]))
    return Reject("timing", row.record, first.text, second.text)


def _hash(results: Sequence) -> str:
    return hashlib.sha256(b"".join(CODEC.encode(one) for one in results)).hexdigest()


def _rows() -> list[Reject]:
    return [Reject("timing", f"row {number} " + "evidence " * 100, "") for number in range(ROWS)]


async def _loop(runtime: RuntimeParams) -> str:
    """Tasks that take rows from one iterator; the results in a list."""
    rows = _rows()
    results: list[Reject | None] = [None] * ROWS
    numbered = iter(enumerate(rows))

    async def work(client: Client) -> None:
        for number, row in numbered:
            results[number] = await _row(row, client)

    async with open_client("timing", LLMParams(teacher=ROLE, judge=ROLE), runtime, Path("models/base")) as client:
        await asyncio.gather(*[work(client) for _ in range(IN_FLIGHT)])
    return _hash(results)


async def _engine(runtime: RuntimeParams) -> str:
    async with open_engine("timing", LLMParams(teacher=ROLE, judge=ROLE), runtime, Path("models/base")) as engine:
        spool = Spool(Path("rows.spool"), CODEC, ROWS)
        return _hash(await engine.map_rows(_rows(), lambda client: lambda row: _row(row, client), spool, label="shards"))


if __name__ == "__main__":
    main()
