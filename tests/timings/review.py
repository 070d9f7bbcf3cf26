"""The review: 20 rows against a server of 200 ms, the list of tasks, and with a build at hand one row of the embedded model.

Run in the folder of a build (`dvc repro`) for the last two; without one they are left out.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.review.bench import Bench
from stages.review.schema import Run
from tests.fake_openai import FakeOpenAI
from tests.fake_teacher import behaviour
from tests.review.sample import SEARCHED, write_build, write_library
from tests.timings.table import Line, print_table

LATENCY, ROWS = 0.2, 20  # seconds of the server, rows of the try
SERVED_LIMIT, LIST_LIMIT, EMBEDDED_LIMIT = 5.0, 1.5, 60.0  # seconds


def main() -> None:
    """Print the table; exit 1 if one line is over its limit."""
    lines = [_served(), *(_built() if Path("data/tasks/rows.parquet").exists() else [])]
    print_table("review (wall seconds; ratio: ours to the limit)", lines)
    if any(float(line.ratio) > 1 for line in lines):
        sys.exit("review: over a limit")


def _served() -> Line:
    """20 rows through grounding, rewriting, checks and judge, the judge's examination included, nothing cached."""
    with workspace() as folder, FakeOpenAI(behaviour=behaviour, latency=LATENCY) as server:
        write_build(folder, server.base_url, rows=ROWS)
        write_library(folder / "library")
        run, wall, cpu = asyncio.run(_try(SEARCHED, ROWS, library=folder / "library"))
        return _line(f"{ROWS} rows, server of 200 ms", wall, cpu, SERVED_LIMIT, f"{run.state}, {run.usage.calls} calls")


def _built() -> list[Line]:
    """The list of tasks twice (formats are parsed once), and one row with the embedded model, nothing cached."""
    data, models, params = (Path(name).resolve() for name in ("data", "models", "params.yaml"))
    with workspace() as folder:
        (folder / "data").symlink_to(data)
        (folder / "models").symlink_to(models)
        shutil.copy(params, folder)
        lines = [_listed("list of tasks, first time"), _listed("list of tasks, again")]
        for name, seed in (("one row, embedded model, judge examined", 0), ("another row, judge known", 1)):
            run, wall, cpu = asyncio.run(_try("cve-to-cwe", 1, seed))
            asked = run.usage.calls - run.usage.cached
            lines.append(_line(name, wall, cpu, EMBEDDED_LIMIT, f"{run.state}, {asked} calls made"))
        return lines


def _listed(name: str) -> Line:
    async def listed() -> int:
        async with Bench() as bench:
            return len(bench.tasks())

    wall, cpu = time.perf_counter(), time.process_time()
    count = asyncio.run(listed())
    return _line(name, time.perf_counter() - wall, time.process_time() - cpu, LIST_LIMIT, f"{count} tasks")


async def _try(task: str, rows: int, seed: int = 0, **folders: Path) -> tuple[Run, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    async with Bench(**folders) as bench:
        run = bench.start_run(bench.current(task).id, [row.id for row in bench.sample(task, rows, seed)], "timing")
        run = await bench.wait(run.id)
    return run, time.perf_counter() - wall, time.process_time() - cpu


def _line(name: str, wall: float, cpu: float, limit: float, what: str) -> Line:
    return Line(name, f"{wall:.2f} s", limit=f"{limit:.1f} s", ratio=f"{wall / limit:.2f}", note=f"{cpu:.1f} CPU s; {what}")


@contextmanager
def workspace() -> Iterator[Path]:
    """A working directory of its own, with caches and review store in it, gone afterwards."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


if __name__ == "__main__":
    main()
