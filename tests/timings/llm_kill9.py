"""kill -9 at a random moment of 3,200 calls, ten seeds: calls repeated (at most those in flight), rows lost, equal answers."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from stages.llm.client import Request, map_rows
from tests.fake_openai import echo
from tests.timings.llm_load import CALLS, SLOTS, client_for, served, stats, text
from tests.timings.table import Line, print_table

SEEDS = range(1, 11)


def main() -> None:
    """Print the table."""
    lines = [_kill_once(seed) for seed in SEEDS]
    print_table(f"llm_kill9 (repeated <= {SLOTS} in flight, lost 0, identical)", lines)


def _kill_once(seed: int) -> Line:
    with served("--latency", "0.1") as url:
        moment = random.Random(seed).uniform(0.3, 0.7) * CALLS
        process = _start(url)
        while stats(url)["answered"] < moment:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _start(url).wait()
        repeated = int(stats(url)["repeated"])
        answers = json.loads(Path("answers.json").read_text())
    right = answers == [echo([{"content": text(row, "kill")}]) for row in range(CALLS)]
    lost = CALLS - len(answers)
    return Line(
        f"seed {seed}: repeated", str(repeated), "-", str(SLOTS), f"{repeated / SLOTS:.2f}", f"lost {lost}, identical {right}"
    )


def _start(url: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([sys.executable, "-m", "tests.timings.llm_kill9", url], env=environment)


def run(url: str) -> None:
    """The process that is killed."""

    async def go() -> list:
        async with client_for(url) as client:

            async def work(row: int) -> str:
                return (await client.chat(Request(purpose="p", messages=[{"role": "user", "content": text(row, "kill")}]))).text

            return list(await map_rows(range(CALLS), work, concurrency=client.runtime.concurrency, label="kill"))

    Path("answers.json").write_text(json.dumps(asyncio.run(go())), encoding="utf-8")


if __name__ == "__main__":
    run(sys.argv[1]) if len(sys.argv) > 1 else main()
