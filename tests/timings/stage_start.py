"""How long a person waits for `--help` of a stage, against a Python that does nothing, and what it imports.

python -m tests.timings stage_start
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT = 0.4  # seconds
RUNS = 5
LIGHT = ("ingest", "graph", "tasks", "benchmarks", "formats", "report")
ALL = (*LIGHT, "base", "encoder", "ground", "enrich", "validate", "finetune", "quantize", "evaluate", "register", "profiles")
HEAVY = {
    "torch",
    "transformers",
    "mlflow",
    "great_expectations",
    "pandas",
    "datasets",
    "openai",
    "peft",
    "bitsandbytes",
    "sklearn",
    "dvc",
}


def main() -> None:
    """Print one line per stage. Exit 1 if one is over the limit or imports a heavy library for its help."""
    peer = median_seconds([sys.executable, "-c", "pass"])
    failed = False
    print(
        f"{'stage':<12}{'ours s':>9}{'peer s':>9}{'limit s':>9}{'ratio':>7}  heavy imports (peer: python -c pass; median of {RUNS})"
    )
    for stage in ALL:
        ours, heavy = median_seconds(help_command(stage)), heavy_imports(stage)
        failed |= ours > LIMIT or bool(heavy)
        print(
            f"{stage:<12}{ours:>9.3f}{peer:>9.3f}{LIMIT:>9.1f}{ours / peer:>7.1f}  {', '.join(sorted(heavy)) or 'none'}",
            flush=True,
        )
    if failed:
        sys.exit("stage_start: over the limit, or a heavy import")


def help_command(stage: str) -> list[str]:
    """The command whose first output a person waits for."""
    return [sys.executable, "-m", f"stages.{stage}", "--help"]


def median_seconds(command: list[str]) -> float:
    """Median wall time of RUNS runs of `command` after one that warms the bytecode."""
    times = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, env=_environment(), check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def heavy_imports(stage: str) -> set[str]:
    """Heavy libraries in `sys.modules` after the stage's module and its help have run."""
    return _heavy(
        "import runpy, sys\n"
        f"sys.argv = ['stages.{stage}', '--help']\n"
        f"try:\n    runpy.run_module('stages.{stage}', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
    )


def heavy_imports_of_code(stage: str) -> set[str]:
    """Heavy libraries in `sys.modules` after every module of the stage's package is imported."""
    return _heavy(
        "import importlib, pkgutil, sys\n"
        f"package = importlib.import_module('stages.{stage}')\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(module.name)\n"
    )


def _heavy(script: str) -> set[str]:
    script += "print('modules:', *{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=_environment(), check=True, capture_output=True, text=True
    )
    return HEAVY & set(done.stdout.rpartition("modules:")[2].split())


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    main()
