"""`kill -9` at ten random moments of grounding and of enrichment: no completed call is repeated, the tables are the undisturbed ones."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.fake_openai import FakeOpenAI
from tests.fake_teacher import behaviour
from tests.many_rows import IN_FLIGHT, hashes, run_stages, start_stage, write_many, write_params

pytestmark = pytest.mark.slow
ROWS, KILLS, LATENCY = 200, 10, 0.03


def undisturbed(root: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Calls of each stage, and the bytes of what they made."""
    write_many(root, ROWS)
    with FakeOpenAI(behaviour=behaviour) as server:
        write_params(root, server.base_url)
        run_stages(root, ["ground"])
        grounded = server.calls
        run_stages(root, ["enrich"])
        return {"ground": grounded, "enrich": server.calls - grounded}, hashes(root)


def kill_at(root: Path, stage: str, server: FakeOpenAI, calls: int) -> int:
    """Start the stage and kill it when the server has been asked `calls` times; how many calls it was working on then."""
    process = start_stage(root, stage)
    until = time.monotonic() + 120
    while server.calls < calls:
        assert process.poll() is None, f"it ended before it could be killed: {process.communicate()[0]}"
        assert time.monotonic() < until, "nothing to kill came"
        time.sleep(0.002)
    in_flight = server.in_flight
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    return in_flight


@pytest.mark.parametrize("seed", [5])
def test_ten_kills_cost_only_the_calls_in_flight(tmp_path: Path, seed: int) -> None:
    needed, expected = undisturbed(tmp_path / "undisturbed")
    root = tmp_path / "killed"
    write_many(root, ROWS)
    with FakeOpenAI(behaviour=behaviour, latency=LATENCY) as server:
        write_params(root, server.base_url)
        for stage in ("ground", "enrich"):
            before, draw = server.calls, random.Random(f"{stage} {seed}")
            moments = sorted(draw.uniform(0.02, 0.97) for _ in range(KILLS))
            in_flight = [kill_at(root, stage, server, before + int(moment * needed[stage])) for moment in moments]
            run_stages(root, [stage])
            repeated = server.calls - before - needed[stage]
            print(f"{stage}: {needed[stage]} calls, killed {KILLS} times with {in_flight} in flight, {repeated} repeated")
            assert 0 <= repeated <= KILLS * IN_FLIGHT and max(in_flight) > 0
    assert hashes(root) == expected
