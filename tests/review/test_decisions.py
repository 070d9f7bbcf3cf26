"""What is decided about a version is kept."""

from pathlib import Path

import msgspec

from stages.review.bench import Bench
from tests.review.conftest import OpenBench, used
from tests.review.sample import CHOSEN


def test_a_rejection_is_kept(build: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        version = bench.current(CHOSEN)
        bench.reject(version.id, "Bob", "steps overlap")
        [decision] = bench.decisions(CHOSEN)
        assert (decision.verdict, decision.reviewer, decision.note) == ("rejected", "Bob", "steps overlap")
        assert msgspec.json.encode(decision)

    used(open_bench, work)
