"""Runs under threads, processes and kill -9: nothing is lost, and nobody's death leaves a run running."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from stages.review.bench import Bench
from stages.review.schema import Usage
from stages.review.store import ReviewStore
from tests.fake_openai import FakeOpenAI
from tests.fake_teacher import behaviour
from tests.review.conftest import OpenBench, environment
from tests.review.made import make_result, make_run
from tests.review.sample import CHOSEN, ROWS, write_params

WRITER = """
import sys
from pathlib import Path
from stages.review.store import ReviewStore
from tests.review.made import make_result, make_run
runs = ReviewStore(Path(sys.argv[1])).runs
for number in range(20):
    run = runs.add(make_run())
    runs.add_result(make_result(run.id, "row"))
    runs.end(run.id, "done")
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


def test_three_processes_and_four_threads_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "review.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path)], env=environment()) for _ in range(3)]
    runs = ReviewStore(path).runs
    threads = [threading.Thread(target=lambda: [runs.add(make_run()) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    found = runs.listed()
    assert len(found) == 140 and sum(run.done for run in found) == 60
    assert {run.state for run in found} == {"running", "done"}, "this process still has its own"


def test_only_a_row_with_an_error_is_replaced(tmp_path: Path) -> None:
    runs = ReviewStore(tmp_path / "review.sqlite").runs
    run = runs.add(make_run())
    runs.add_result(make_result(run.id, "row", error="call-failed", rewrite=""))
    assert runs.whole_rows(run.id) == set()
    runs.add_result(make_result(run.id, "row", rewrite="first"))
    runs.add_result(make_result(run.id, "row", rewrite="second"))
    assert [result.rewrite for result in runs.results(run.id)] == ["first"]
    assert runs.listed("t")[0].usage == Usage(calls=2, prompt_tokens=10, usd=0.1)


def test_a_run_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    one, other = ReviewStore(tmp_path / "r.sqlite"), ReviewStore(tmp_path / "r.sqlite")
    run = one.runs.add(make_run())
    assert not other.runs.claim(run.id) and other.runs.run(run.id).state == "running"  # type: ignore[union-attr]
    one.close()
    assert other.runs.run(run.id).state == "interrupted"  # type: ignore[union-attr]
    assert other.runs.claim(run.id) and not other.runs.claim(run.id)


def test_hostile_ids_are_values_and_never_sql(tmp_path: Path) -> None:
    runs = ReviewStore(tmp_path / "r.sqlite").runs
    runs.add(make_run(task="'; DROP TABLE runs; --"))
    assert runs.run("x' OR '1'='1") is None and len(runs.listed("'; DROP TABLE runs; --")) == 1


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
