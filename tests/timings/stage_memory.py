"""Peak memory of ground and enrich at 3,000 rows and 100,000: beyond their input tables it should hardly grow."""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from stages.enrich.run import run_enrich
from stages.ground.run import run_ground
from stages.stage import Stage
from tests.engine.workspace import make_workspace
from tests.timings.llm_load import served
from tests.timings.table import Line, print_table

FEW, MANY, GROWTH = 3_000, 100_000, 100  # rows, rows, MB
STAGES = {"ground": run_ground, "enrich": run_enrich}


def main(few: int = FEW, many: int = MANY) -> None:
    """Print the table."""
    with served("--behaviour", "tests.fake_teacher:behaviour") as url:
        measured = {rows: _build(url, rows) for rows in (few, many)}
    lines = []
    for stage in STAGES:
        for rows in (few, many):
            found, first = measured[rows][stage], measured[few][stage]
            grown = f"{found['rows']:.0f} MB more than the inputs' {found['inputs']:.0f} MB, {found['seconds']:.0f} s"
            lines.append(
                Line(
                    f"{stage}, {rows:,} rows, MB beyond inputs",
                    f"{found['rows']:.0f}",
                    "-",
                    f"{first['rows'] + GROWTH:.0f}",
                    "-",
                    grown,
                )
            )
    print_table("stage_memory (rows add less than 100 MB from 3,000 to 100,000)", lines)


def _build(url: str, rows: int) -> dict[str, dict[str, float]]:
    """Both stages over toy rows, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_workspace(root, url, rows=rows, concurrency=80)
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        found = {}
        for stage in STAGES:
            command = [sys.executable, "-m", "tests.timings.stage_memory", stage]
            done = subprocess.run(command, env=environment, cwd=root, stdout=subprocess.PIPE, check=True)
            found[stage] = json.loads(done.stdout.splitlines()[-1])
            print(rows, stage, found[stage], file=sys.stderr)
        return found


def run(stage: str) -> None:
    """The process that is measured: its peak when the inputs are read, and how much the rows add to it."""
    marks = []
    start = asyncio.run

    def noted(main):  # type: ignore[no-untyped-def]
        marks.append(_peak())
        return start(main)

    asyncio.run = noted
    surroundings = Stage(stage)
    STAGES[stage](surroundings)
    seconds = json.loads(Path(f"metrics/timings/{stage}.json").read_text())["seconds"]
    print(json.dumps({"inputs": marks[0], "rows": _peak() - marks[0], "seconds": seconds}))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    run(sys.argv[1]) if len(sys.argv) > 1 else main()
