"""The blind second reader: sees no verdict, reads each rewrite once, and never twice as two people."""

from pathlib import Path

import msgspec
import pytest

from stages.errors import InputError
from stages.formats.readings import load_readings
from stages.review.bench import Bench
from stages.review.schema import BlindPair, Run
from tests.review.conftest import OpenBench, tried, used
from tests.review.sample import CHOSEN, SEARCHED


def test_a_reader_sees_row_original_and_rewrite_and_nothing_that_hints(served: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        assert bench.next_reading("Ada") is None
        run = await tried(bench, bench.current(CHOSEN), 4)
        pair = bench.next_reading("Ada")
        assert pair and set(msgspec.structs.asdict(pair)) == {"run_id", "row_id", "task", "instruction", "original", "rewrite"}
        row = bench.row(pair.row_id)
        assert (pair.run_id, pair.original, pair.instruction) == (run.id, row.answer, row.instruction)
        assert pair == bench.next_reading("Ada"), "the same until it is read"

    used(open_bench, work)


def test_what_somebody_else_has_read_comes_first_and_then_it_is_through(served: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        await tried(bench, bench.current(CHOSEN), 4)
        run = await tried(bench, bench.current(SEARCHED), 4)
        last = _other_than(bench, bench.next_reading("Bob"), run)
        bench.read(last.run_id, last.row_id, "Ada", "accept")
        assert bench.next_reading("Bob") == last, "Bob reads first what Ada has read"
        with pytest.raises(InputError, match="blind"):
            bench.read(last.run_id, last.row_id, "Bob", "accept", blind=False)
        reading = bench.read(last.run_id, last.row_id, "Bob", "reject", "a fact is lost")
        assert (reading.place, reading.verdict, reading.note) == ("second", "reject", "a fact is lost")
        for name in ("Ada", "  ada ", "Bob", "Eve"):
            with pytest.raises(InputError, match="already"):
                bench.read(last.run_id, last.row_id, name, "accept")
        with pytest.raises(InputError, match="no verdict"):
            bench.read(last.run_id, last.row_id, "Cleo", "maybe")
        assert len(load_readings(bench.readings)) == 2 and "Release" not in (bench.readings / f"{last.task}.jsonl").read_text()
        assert bench.agreement()["all"]["pairs"] == 1
        cards = {card.task: card for card in bench.tasks()}
        assert cards[last.task].agreement and cards[last.task].agreement["agreed"] == 0

    used(open_bench, work)


def _other_than(bench: Bench, first: BlindPair | None, run: Run) -> BlindPair:
    """A rewrite of `run` that nobody would be shown first."""
    assert first
    result = next(result for result in bench.results(run.id) if result.rewrite and result.row_id != first.row_id)
    row = bench.row(result.row_id)
    return BlindPair(
        run_id=run.id, row_id=row.id, task=row.task, instruction=row.instruction, original=row.answer, rewrite=result.rewrite
    )


def test_nobody_is_offered_what_he_has_read(served: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        await tried(bench, bench.current(CHOSEN), 3)
        seen = []
        while (pair := bench.next_reading("Ada")) is not None:
            seen.append(pair.row_id)
            bench.read(pair.run_id, pair.row_id, "Ada", "accept")
            assert len(seen) <= 3, "a row was offered again"
        assert len(set(seen)) == 3 and bench.next_reading("ADA") is None and bench.next_reading("Bob") is not None

    used(open_bench, work)
