"""Runs in the background: begun, stopped, taken over and ended, and never a row under other params."""

import asyncio
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.review.bench import Bench
from stages.review.data import Workspace
from stages.review.tries import refuse_rows
from tests.fake_openai import FakeOpenAI, Fault
from tests.fake_teacher import behaviour
from tests.review.conftest import OpenBench, tried, used
from tests.review.made import make_version
from tests.review.sample import CHOSEN, ROWS, SEARCHED, UNTOUCHED, sample_format, write_params


def test_rows_are_refused_before_a_run_begins(build: Path) -> None:
    workspace = Workspace()
    ids = [row.id for row in workspace.sample(CHOSEN, 3, 0)]
    version = make_version("one", sample_format(CHOSEN))
    refuse_rows(version, ids, workspace)
    foreign = workspace.sample(SEARCHED, 1, 0)[0].id
    untouched = make_version("two", sample_format(UNTOUCHED))
    for one, row_ids, word in (
        (version, [], "a run of 0 rows"), (version, ids * 200, "1 to 500"), (version, [*ids, foreign], "not one of the task"),
        (version, ["nothing"], "no row"), (untouched, ids, "rewrites nothing"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=word):
            refuse_rows(one, row_ids, workspace)


def test_a_row_named_twice_is_tried_once(served: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        [row] = bench.sample(CHOSEN, 1)
        run = await bench.wait(bench.start_run(bench.current(CHOSEN).id, [row.id, row.id], "Ada").id)
        assert (run.row_ids, run.total, run.done) == ([row.id], 1, 1)

    used(open_bench, work)


def test_rows_under_other_params_never_join_a_run(build: Path, open_bench: OpenBench) -> None:
    with FakeOpenAI(behaviour=behaviour, faults=[Fault("empty", pattern="Release 1 of")]) as server:
        write_params(build, server.base_url)

        async def work(bench: Bench) -> None:
            run = await tried(bench, bench.current(CHOSEN), ROWS)
            params = build / "params.yaml"
            params.write_text(params.read_text().replace("model: teacher", "model: another"), encoding="utf-8")
            server.faults.clear()
            with pytest.raises(InputError, match="params.yaml are not those"):
                bench.continue_run(run.id)
            assert bench.run(run.id).state == "done", "nothing was taken over"
            same = bench.start_run(run.version_id, run.row_ids, "Ada")
            assert (await bench.wait(same.id)).state == "done"
            edited = bench.save_fields(CHOSEN, {"introduction": "Another introduction."}, "Ada")
            await bench.wait(bench.start_run(edited.id, run.row_ids, "Ada").id)
            assert not any("CAUTION" in line for line in bench.compare(run.version_id, edited.id).words)
            write_params(build, server.base_url)
            await bench.wait(bench.start_run(edited.id, run.row_ids, "Ada").id)
            assert any("10 of these rows" in line for line in bench.compare(run.version_id, edited.id).words)

        used(open_bench, work)


def test_an_error_of_the_program_ends_the_run_too(
    served: Path, open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stages.review.runner.ground_row", lambda *_: 1 / 0)

    async def work(bench: Bench) -> None:
        run = await tried(bench, bench.current(CHOSEN), 1)
        assert run.state == "failed" and "ZeroDivisionError" in run.error

    used(open_bench, work)
    assert "Traceback" in capsys.readouterr().err


def test_a_run_that_is_stopped_can_go_on(build: Path, open_bench: OpenBench) -> None:
    with FakeOpenAI(behaviour=behaviour, latency=0.05, faults=[Fault("silence", pattern="Release 5 of", times=1)]) as server:
        write_params(build, server.base_url, timeout=0.6, retries=3)

        async def work(bench: Bench) -> None:
            version = bench.current(CHOSEN)
            run = bench.start_run(version.id, [row.id for row in bench.sample(CHOSEN, ROWS)], "Ada")
            while bench.run(run.id).done < ROWS - 1:
                await asyncio.sleep(0.02)
            stopped = bench.stop(run.id)
            assert stopped.state == "interrupted" and stopped.done == ROWS - 1 and stopped.error
            assert bench.stop(run.id).state == "interrupted", "stopping twice does nothing"
            assert bench.continue_run(run.id).state == "running"
            run = await bench.wait(run.id)
            assert (run.state, run.done) == ("done", ROWS)

        used(open_bench, work)
    assert max(server.by_text.values()) <= 2, "what was answered is not asked again"


def test_another_process_may_stop_a_run(build: Path, open_bench: OpenBench) -> None:
    with FakeOpenAI(behaviour=behaviour, faults=[Fault("silence")]) as server:
        write_params(build, server.base_url, timeout=60)

        async def work(bench: Bench) -> None:
            run = bench.start_run(bench.current(CHOSEN).id, [bench.sample(CHOSEN, 1)[0].id], "Ada")
            async with open_bench() as other:
                assert other.stop(run.id).state == "running"
                stopped = await asyncio.wait_for(other.wait(run.id), 10)
                assert stopped.state == "interrupted"

        used(open_bench, work)


def test_closing_the_bench_interrupts_and_keeps(build: Path, open_bench: OpenBench) -> None:
    with FakeOpenAI(behaviour=behaviour, faults=[Fault("silence")]) as server:
        write_params(build, server.base_url, timeout=60)
        runs: list[str] = []

        async def work(bench: Bench) -> None:
            runs.append(bench.start_run(bench.current(CHOSEN).id, [bench.sample(CHOSEN, 1)[0].id], "Ada").id)
            await asyncio.sleep(0.2)

        async def look(bench: Bench) -> None:
            assert bench.run(runs[0]).state == "interrupted"

        used(open_bench, work)
        used(open_bench, look)


def test_a_run_may_be_started_from_a_thread(served: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        version, rows = bench.current(CHOSEN), [row.id for row in bench.sample(CHOSEN, 2)]
        run = await asyncio.to_thread(bench.start_run, version.id, rows, "Ada")
        assert (await bench.wait(run.id)).state == "done"

    used(open_bench, work)


def test_a_run_never_uses_the_earlier_params_of_another(build: Path, open_bench: OpenBench) -> None:
    with FakeOpenAI(behaviour=behaviour, latency=0.1) as server:
        write_params(build, server.base_url)

        async def work(bench: Bench) -> None:
            version = bench.current(CHOSEN)
            row_ids = [row.id for row in bench.sample(CHOSEN, ROWS)]
            slow = bench.start_run(version.id, row_ids, "Ada")
            while not server.calls:
                await asyncio.sleep(0.01)
            params = build / "params.yaml"
            params.write_text(params.read_text().replace("model: teacher", "model: another"), encoding="utf-8")
            quick = await bench.wait(bench.start_run(version.id, row_ids[:1], "Bob").id)
            assert quick.state == "failed" and "params.yaml are not those" in quick.error
            assert (await bench.wait(slow.id)).state == "done"
            bench.continue_run(quick.id)
            assert (await bench.wait(quick.id)).state == "done"

        used(open_bench, work)
    assert {payload["model"] for payload in server.payloads[-8:]} >= {"another"}
