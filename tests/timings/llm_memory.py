"""Peak memory of the client with cache and ledger: 3,000 rows and 100,000, asked anew and found in the cache."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from stages.llm.client import Request, map_rows
from tests.timings.llm_load import client_for, served, text
from tests.timings.memory import memory_mb
from tests.timings.table import Line, print_table

FEW, MANY = 3_000, 100_000


def main() -> None:
    """Print the table."""
    with served() as url:
        few, many = (_child(url, rows) for rows in (FEW, MANY))
        again = _child(url, MANY)
    lines = [
        Line(f"{FEW:,} rows, MB", f"{few['mb']:.0f}", "-", "-", "-", f"{few['seconds']:.1f} s"),
        Line(f"{MANY:,} rows, MB", f"{many['mb']:.0f}", "-", f"{few['mb'] + 100:.0f}", "-", f"{many['seconds']:.1f} s"),
        Line("the same from the cache, MB", f"{again['mb']:.0f}", "-", f"{few['mb'] + 100:.0f}", "-", f"{again['seconds']:.1f} s"),
    ]  # fmt: skip
    print_table("llm_memory (grows by less than 100 MB from 3,000 to 100,000 rows)", lines)


def _child(url: str, rows: int) -> dict[str, float]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "tests.timings.llm_memory", url, str(rows)]
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def run(url: str, rows: int) -> None:
    """The process that is measured; prints its peak and its seconds."""

    async def go() -> dict[str, float]:
        async with client_for(url) as client:

            async def work(row: int) -> int:
                request = Request(purpose="p", messages=[{"role": "user", "content": text(row, "memory")}], max_tokens=64)
                return (await client.chat(request)).prompt_tokens

            await map_rows(range(rows), work, concurrency=client.runtime.concurrency, label="memory")
            return client.ledger.timings()

    seconds = asyncio.run(go())["seconds"]
    print(json.dumps({"mb": memory_mb("VmHWM"), "seconds": seconds}))


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 1 else main()
