"""The store under threads, processes and kill -9: nothing is lost, and nobody's death leaves a run running."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.review.bench import Bench
from stages.review.schema import RowResult, Run, Usage
from stages.review.store import ReviewStore, new_id, now
from tests.fake_openai import FakeOpenAI
from tests.fake_teacher import behaviour
from tests.review.conftest import OpenBench
from tests.review.sample import CHOSEN, ROWS, write_params

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from stages.review.store import ReviewStore
from tests.review.test_store import make_result, make_run
store = ReviewStore(Path(sys.argv[1]))
for number in range(20):
    run = store.add_run(make_run())
    store.add_result(make_result(run.id, "row"))
    store.end_run(run.id, "done")
"""
EXPERT = """
import asyncio, sys
from pathlib import Path
from stages.review.bench import Bench
async def main():
    async with Bench(library=Path("library"), readings=Path("readings")) as bench:
        run = bench.start_run(bench.current(sys.argv[1]).id, [row.id for row in bench.sample(sys.argv[1], 10)], "Ada")
        print(run.id, flush=True)
        await bench.wait(run.id)
asyncio.run(main())
"""


def make_run(**changed: object) -> Run:
    values = {
        "id": new_id(), "task": "t", "version_id": "v", "row_ids": ["row"], "author": "Ada", "created": now(), "state": "running",
        "done": 0, "total": 1, "error": "", "settings": {}, "calibration": {}, "usage": Usage(),
    }  # fmt: skip
    return Run(**{**values, **changed})  # type: ignore[arg-type]


def make_result(run_id: str, row_id: str, **changed: object) -> RowResult:
    values = {
        "run_id": run_id, "row_id": row_id, "evidence": [], "shown": [], "queries": [], "kept_queries": [], "rewrite": "text",
        "kept": True, "reasons": [], "checks": [], "readability": "tie", "places": ["tie", "tie"], "factuality": 9, "tried": None,
        "seconds": 0.1, "cached": 0, "usage": Usage(calls=2, prompt_tokens=10, usd=0.1), "error": "",
    }  # fmt: skip
    return RowResult(**{**values, **changed})  # type: ignore[arg-type]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_three_processes_and_four_threads_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "review.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path)], env=environment()) for _ in range(3)]
    store = ReviewStore(path)
    threads = [threading.Thread(target=lambda: [store.add_run(make_run()) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    runs = store.runs()
    assert len(runs) == 140 and sum(run.done for run in runs) == 60
    assert {run.state for run in runs} == {"running", "done"}, "this process still has its own"


def test_only_a_row_with_an_error_is_replaced(tmp_path: Path) -> None:
    store = ReviewStore(tmp_path / "review.sqlite")
    run = store.add_run(make_run())
    store.add_result(make_result(run.id, "row", error="call-failed", rewrite=""))
    assert store.whole_rows(run.id) == set()
    store.add_result(make_result(run.id, "row", rewrite="first"))
    store.add_result(make_result(run.id, "row", rewrite="second"))
    assert [result.rewrite for result in store.results(run.id)] == ["first"]
    assert store.runs("t")[0].usage == Usage(calls=2, prompt_tokens=10, usd=0.1)


def test_a_run_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    one, other = ReviewStore(tmp_path / "r.sqlite"), ReviewStore(tmp_path / "r.sqlite")
    run = one.add_run(make_run())
    assert not other.claim_run(run.id) and other.run(run.id).state == "running"  # type: ignore[union-attr]
    one.close()
    assert other.run(run.id).state == "interrupted"  # type: ignore[union-attr]
    assert other.claim_run(run.id) and not other.claim_run(run.id)


def test_hostile_ids_are_values_and_never_sql(tmp_path: Path) -> None:
    store = ReviewStore(tmp_path / "r.sqlite")
    store.add_run(make_run(task="'; DROP TABLE runs; --"))
    assert store.run("x' OR '1'='1") is None and len(store.runs("'; DROP TABLE runs; --")) == 1


def test_a_damaged_file_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "r.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(InputError, match="r.sqlite cannot be used"):
        ReviewStore(tmp_path / "r.sqlite")
    assert not list(tmp_path.glob("*.lock"))


def test_a_killed_process_leaves_an_interrupted_run_that_goes_on(build: Path, open_bench: OpenBench) -> None:
    with FakeOpenAI(behaviour=behaviour, latency=0.15) as server:
        write_params(build, server.base_url)
        (build / "params.yaml").write_text((build / "params.yaml").read_text().replace("runtime:", "runtime:\n  concurrency: 2"))
        process = subprocess.Popen([sys.executable, "-c", EXPERT, CHOSEN], env=environment(), stdout=subprocess.PIPE, text=True)
        assert process.stdout
        run_id = process.stdout.readline().strip()

        async def work(bench: Bench) -> None:
            deadline = time.monotonic() + 20
            while bench.run(run_id).done < 3 and time.monotonic() < deadline:
                assert bench.run(run_id).state == "running"
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            process.wait()
            dead = bench.run(run_id)
            assert dead.state == "interrupted" and 3 <= dead.done < ROWS and "process" in dead.error
            before = {result.row_id: result for result in bench.results(run_id)}
            bench.continue_run(run_id)
            whole = await bench.wait(run_id)
            after = {result.row_id: result for result in bench.results(run_id)}
            assert (whole.state, whole.done) == ("done", ROWS) and before.items() <= after.items()
            assert not list((build / ".dvc/secforge").glob(f"*{run_id}*"))

        async def inside() -> None:
            async with open_bench() as bench:
                await work(bench)

        asyncio.run(inside())
        process.stdout.close()
        assert max(server.by_text.values()) <= 2, "at most what was in flight is asked again"
