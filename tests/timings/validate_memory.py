"""Peak memory and time of the whole stage validate at 100,000 and 200,000 rows of about 1,100 characters."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from stages.enrich.schema import EnrichedRow
from stages.stage import Stage
from stages.tables import write_table
from stages.validate.run import SYNTHESIZED, run_validate
from tests.timings.table import Line, print_table
from tests.validate.samples import link, passage, row, sentence, tables, write_tables

COUNTS = (100_000, 200_000)
SECONDS, MB = 60, 1_500  # per 100,000 rows


def main(counts: tuple[int, ...] = COUNTS) -> None:
    """Print the table."""
    lines = []
    for count in counts:
        found, share = measured(count), count / 100_000
        lines.append(Line(f"peak MB, {count:,} rows", f"{found['mb']:.0f}", "-", f"{MB * share:.0f}", "-", "the process whole"))
        lines.append(Line(f"wall s, {count:,} rows", f"{found['seconds']:.1f}", "-", f"{SECONDS * share:.0f}"))
    print_table("validate_memory (stage validate, one process, its inputs on disk)", lines)


def measured(count: int) -> dict[str, float]:
    """One run of the stage in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        run = [sys.executable, "-m", "tests.timings.validate_memory"]
        subprocess.run([*run, "make", str(count)], env=environment, cwd=folder, check=True)
        done = subprocess.run([*run, "stage"], env=environment, cwd=folder, check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout.splitlines()[-1])


def make_workspace(count: int) -> None:
    """Consistent tables, written to the working directory: `count` rows, as many entities and passages."""
    whole: dict[str, list[Any]] = tables(count)
    whole["rows"] = [
        row(
            number,
            instruction=f"Explain weakness number {number}: {sentence(number, 60)}",
            answer=f"It arises as follows: {sentence(10_000_000 + number, 80)}",
            split=one.split,
        )
        for number, one in enumerate(whole["rows"])
    ]
    whole["links"] = [link(f"cwe:CWE-{number}", f"cwe:CWE-{number + 1}") for number in range(count - 1)]
    whole["passages"] = [passage(one.id, text=sentence(number, 80)) for number, one in enumerate(whole["entities"])]
    whole["evidence"] = []
    write_tables(whole)
    write_table(SYNTHESIZED, [], EnrichedRow)
    Path("params.yaml").write_text("validate: {}\n")


def run_here() -> None:
    """The process that is measured."""
    stage = Stage("validate")
    run_validate(stage)
    timings = json.loads(Path("metrics/timings/validate.json").read_text())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"mb": peak, "seconds": timings.get("seconds", sum(timings.values()))}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", count]:
            make_workspace(int(count))
        case ["stage"]:
            run_here()
        case _:
            main()
