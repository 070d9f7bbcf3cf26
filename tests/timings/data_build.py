"""The data build of the profile `full` (ingest, graph, tasks): seconds and memory; tasks at 1x, 2x, 4x vulnerabilities.

Needs the folder of upstream files that SECFORGE_MIRROR names. It runs in a folder of its own and leaves nothing behind.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from stages.config import load_params
from stages.graph.schema import HardNegative, Split
from stages.graph.schema import Path as GraphPath
from stages.ingest.schema import Entity, Link
from stages.profiles.merge import load_profile, merged
from stages.tables import Row, read_table, write_table

ROOT = Path(__file__).parents[2]
INGEST_LIMIT, ROWS_LIMIT, ROWS_LEAST, MEMORY_LIMIT = 60.0, 120.0, 150_000, 3.0  # seconds, seconds, rows, GB
INTERVAL = 0.1  # seconds between two looks at the memory
FACTORS = (2, 4)


class Run(NamedTuple):
    """One stage in a process of its own, with its workers."""

    wall: float
    cpu: float
    peak: float  # GB, of all its processes at the same time; what they share counts once


def main() -> None:
    """Print the build, and how the tasks grow. Exit 1 if it is over a limit."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "params.yaml").write_text(json.dumps(merged(load_params(), load_profile("full"))), encoding="utf-8")
        print(f"\n{'stage':<24} {'wall s':>8} {'CPU s':>8} {'peak GB':>8} {'out':>9} {'out/s':>9}")
        runs = [_shown(root, stage, *what) for stage, what in _MADE.items()]
        wall, peak = sum(run.wall for run in runs), max(run.peak for run in runs)
        rows = _count(root, *_MADE["tasks"])
        print(f"{'all':<24} {wall:>8.1f} {sum(run.cpu for run in runs):>8.1f} {peak:>8.2f} {rows:>9,} {rows / wall:>9,.0f}")
        print(f"limits: ingest {INGEST_LIMIT:.0f} s; {ROWS_LEAST:,} rows in {ROWS_LIMIT:.0f} s and {MEMORY_LIMIT:.0f} GB")
        _show_growth(root)
    if runs[0].wall > INGEST_LIMIT or wall > ROWS_LIMIT or peak > MEMORY_LIMIT or rows < ROWS_LEAST:
        sys.exit("data_build: over a limit")


_MADE = {"ingest": ("ingest", "total", "entities"), "graph": ("graph", "total", "entities"), "tasks": ("tasks", "rows")}


def _shown(root: Path, stage: str, *what: str, label: str = "") -> Run:
    run = _run(root, stage)
    made = _count(root, *what)
    print(
        f"{label or stage:<24} {run.wall:>8.1f} {run.cpu:>8.1f} {run.peak:>8.2f} {made:>9,} {made / run.wall:>9,.0f}", flush=True
    )
    return run


def _show_growth(root: Path) -> None:
    """The tasks of the same graph with every vulnerability, its links and its paths twice and four times, and so many more rows allowed."""
    file = root / "params.yaml"
    params, done = json.loads(file.read_text(encoding="utf-8")), 1
    tasks = params["tasks"]
    for factor in FACTORS:
        more = {
            "max_rows_per_task": factor * tasks["max_rows_per_task"],
            "rows_of_task": {task: factor * rows for task, rows in tasks["rows_of_task"].items()},
        }
        file.write_text(json.dumps(params | {"tasks": tasks | more}), encoding="utf-8")
        copied = multiply(root / "data" / "graph", done, factor)
        done = factor
        _shown(root, "tasks", *_MADE["tasks"], label=f"tasks, {factor}x: {copied:,} CVEs")


def multiply(graph: Path, done: int, factor: int) -> int:
    """Let the tables in `graph`, which hold `done` copies of every vulnerability, hold `factor`; returns how many there are.

    A copy has an id and a sentence of its own, so that it is another record to the stage.
    """
    entities = read_table(graph / "entities.parquet", Entity)
    originals = {entity.id for entity in entities if entity.type == "vulnerability" and "#" not in entity.name}
    copies = range(done, factor)

    def more(table: str, row_type: type[Row], ids: Callable[[Row], list[str]], renamed: Callable[[Row, int], Row]) -> None:
        rows = read_table(graph / f"{table}.parquet", row_type)
        added = [renamed(row, copy) for row in rows if not originals.isdisjoint(ids(row)) for copy in copies]
        write_table(graph / f"{table}.parquet", [*rows, *added], row_type)

    def name(id: str, copy: int) -> str:
        return f"{id}{copy:02}" if id in originals else id

    def entity_copy(row: Entity, copy: int) -> Entity:
        text = f"{row.text} Build {copy} of the record {row.name}."
        return _changed(row, id=name(row.id, copy), name=f"{row.name}{copy:02}#", text=text)

    more("entities", Entity, lambda row: [row.id], entity_copy)
    ends: Any = lambda row: [row.subject, row.object]  # noqa: E731
    renamed: Any = lambda row, copy: _changed(row, subject=name(row.subject, copy), object=name(row.object, copy))  # noqa: E731
    more("links", Link, ends, renamed)
    more("negatives", HardNegative, ends, renamed)
    more("splits", Split, lambda row: [row.entity_id], lambda row, copy: _changed(row, entity_id=name(row.entity_id, copy)))
    more(
        "paths",
        GraphPath,
        lambda row: row.nodes,
        lambda row, copy: _changed(row, id=f"{row.id}{copy:02}", nodes=[name(node, copy) for node in row.nodes]),
    )
    return len(originals) * factor


def _changed(row: Row, **values: Any) -> Row:
    return msgspec.structs.replace(row, **values)  # type: ignore[type-var]


def _run(root: Path, stage: str) -> Run:
    """Run a stage and watch its processes."""
    started, before = time.perf_counter(), os.times()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open(root / f"{stage}.log", "w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"stages.{stage}"], cwd=root, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, _memory(process.pid))
            time.sleep(INTERVAL)
        if process.returncode:
            log.seek(0)
            sys.exit(f"data_build: stage {stage} failed\n{log.read()[-2000:]}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(time.perf_counter() - started, cpu, peak)


def _memory(pid: int) -> float:
    """GB of a process and its children: proportional set sizes, so that shared pages count once."""
    import psutil

    total = 0
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for process in family:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return total / 1e9


def _count(root: Path, stage: str, *keys: str) -> int:
    figures = json.loads((root / "metrics" / f"{stage}.json").read_text(encoding="utf-8"))
    for key in keys:
        figures = figures[key]
    return figures
