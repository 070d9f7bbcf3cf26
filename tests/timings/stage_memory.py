"""Peak memory of ground and enrich at 3,000 rows and 100,000: beyond their input tables it should hardly grow.

    python -m tests.timings stage_memory
    SECFORGE_MEMORY_ROWS=20000 python -m tests.timings stage_memory  # the second of the two sizes

Every row is grounded and rewritten, with evidence and prices. The stages are whole but for the sockets: about ten calls a
row are answered in the measured process, or a million of them would take hours (`llm_memory` measures the connections).
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from stages.enrich.run import run_enrich
from stages.ground.run import run_ground
from stages.llm import endpoints
from stages.llm.transport import Answered
from stages.stage import Stage
from tests import fake_teacher
from tests.fake_openai import completion
from tests.many_rows import write_many, write_params
from tests.timings.memory import forget_peak, memory_mb
from tests.timings.table import Line, print_table

FEW, MANY, GROWTH = 3_000, int(os.environ.get("SECFORGE_MEMORY_ROWS", "100000")), 100  # rows, rows, MB
PRICES = "{teacher: {input: 0.3, output: 1.1}, judge: {input: 0.1, output: 0.4}}"
STAGES = {"ground": run_ground, "enrich": run_enrich}


class Told:
    """In the place of `stages.llm.transport.Transport`: the fake teacher answers here."""

    def __init__(self, _: Any) -> None:
        pass

    async def post(self, body: bytes, _: str) -> Answered:
        """An answer, after others had their turn."""
        await asyncio.sleep(0)
        messages = json.loads(body)["messages"]
        said = completion(fake_teacher.behaviour(messages), prompt_tokens=len(body) // 4)
        return Answered(200, json.dumps(said).encode(), "")

    async def close(self) -> None:
        """There is no connection."""


def main() -> None:
    """Print the table."""
    measured = {rows: _build(rows) for rows in (FEW, MANY)}
    lines = []
    for stage in STAGES:
        for rows in (FEW, MANY):
            found, limit = measured[rows][stage], measured[FEW][stage]["rows"] + GROWTH
            note = f"{found['rows']:.0f} MB more than the inputs' {found['inputs']:.0f} MB, {found['seconds']:.0f} s"
            lines.append(
                Line(f"{stage}, {rows:,} rows, MB beyond inputs", f"{found['rows']:.0f}", "-", f"{limit:.0f}", "-", note)
            )
    print_table(f"stage_memory (rows add less than {GROWTH} MB from {FEW:,} to {MANY:,})", lines)


def _build(rows: int) -> dict[str, dict[str, float]]:
    """Both stages over as many rows, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_many(root, rows)
        write_params(root, "http://127.0.0.1:9/v1", 80)
        params = (root / "params.yaml").read_text().replace("runtime: {", f"runtime: {{prices: {PRICES}, ")
        (root / "params.yaml").write_text(params)
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        found = {}
        for stage in STAGES:
            command = [sys.executable, "-m", "tests.timings.stage_memory", stage]
            done = subprocess.run(command, env=environment, cwd=root, stdout=subprocess.PIPE, check=True)
            found[stage] = json.loads(done.stdout.splitlines()[-1])
            print(rows, stage, found[stage], file=sys.stderr)
        return found


def run(stage: str) -> None:
    """The process that is measured: its memory when the inputs are read, and how much the peak after that is above it."""
    marks = []
    start = asyncio.run

    def noted(main: Any) -> Any:
        if not marks:
            marks.append(memory_mb("VmRSS"))
            forget_peak()
        return start(main)

    asyncio.run, endpoints.Transport = noted, Told  # type: ignore[assignment,misc]
    STAGES[stage](Stage(stage))
    seconds = json.loads(Path(f"metrics/timings/{stage}.json").read_text())["seconds"]
    print(json.dumps({"inputs": marks[0], "rows": memory_mb("VmHWM") - marks[0], "seconds": seconds}))


if __name__ == "__main__":
    run(sys.argv[1]) if len(sys.argv) > 1 else main()
