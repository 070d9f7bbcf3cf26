"""What a run tells: counts, rates of the recent past, no promise from cached rows, a bounded log without secrets."""

import asyncio
import sys
from pathlib import Path

import pytest

from stages.llm import watch as module
from stages.llm.rows import map_rows, waiting_call
from stages.llm.watch import Figures, Watch, append_bounded, line_of, log_path, read_log


class Client:
    """Every call has 10 tokens and costs a cent."""

    stage = "test"

    def __init__(self, *, priced: bool = True) -> None:
        self.calls = self.hits = self.in_flight = 0
        self.priced = priced

    def figures(self) -> Figures:
        usd = self.calls / 100 if self.priced else None
        return Figures(calls=self.calls, hits=self.hits, tokens=10 * self.calls, usd=usd, in_flight=self.in_flight)


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    found = Clock()
    monkeypatch.setattr(module.time, "monotonic", found.monotonic)
    monkeypatch.chdir(tmp_path)
    return found


def work(watch: Watch, client: Client, clock: Clock, *, rows: int, seconds: float, cached: bool = False) -> None:
    """So many rows, evenly over so many seconds."""
    for _ in range(rows):
        clock.now += seconds / rows
        client.hits, client.calls = client.hits + cached, client.calls + (not cached)
        watch.row(fresh=not cached, tally="kept")
        watch._look()


def test_a_warm_start_promises_nothing(clock: Clock) -> None:
    client = Client()
    watch = Watch(1000, "rows", client)
    work(watch, client, clock, rows=500, seconds=5, cached=True)
    now = watch.snapshot()
    assert now["done"] == 500 and now["hits"] == 500 and now["rows_per_second"] == 100
    assert now["seconds_left"] is None and now["usd_projected"] is None
    work(watch, client, clock, rows=10, seconds=20)
    now = watch.snapshot()
    assert now["seconds_left"] == pytest.approx(490 * 2, rel=0.15)  # two seconds a row, not a hundredth
    assert now["usd"] == 0.1 and now["usd_projected"] == pytest.approx(0.1 + 4.9)


def test_rates_are_of_the_recent_past(clock: Clock) -> None:
    client = Client(priced=False)
    watch = Watch(10_000, "rows", client)
    work(watch, client, clock, rows=6000, seconds=600)
    work(watch, client, clock, rows=100, seconds=100)
    now = watch.snapshot()
    assert now["rows_per_second"] == pytest.approx(1, rel=0.05) and now["tokens_per_second"] == pytest.approx(10, rel=0.05)
    assert now["usd"] is None and now["usd_projected"] is None


def test_rows_that_finish_once_an_hour_have_a_rate(clock: Clock) -> None:
    client = Client()
    watch = Watch(10, "rows", client)
    work(watch, client, clock, rows=5, seconds=5 * 3600)
    clock.now += 1800
    watch._look()
    assert 3600 * 5 <= watch.snapshot()["seconds_left"] <= 3600 * 6


def test_the_line_has_words_for_all_of_it(clock: Clock) -> None:
    client = Client()
    watch = Watch(20, "rows", client)
    work(watch, client, clock, rows=10, seconds=10)
    line = line_of(watch.snapshot(), lambda seconds: f"{seconds:.0f} s")
    assert line == "10 kept, 1.0 rows/s, 10 tokens/s, 0 in flight, 0 from the cache, $0.10 of about $0.20, 10 s left"


def run(client: Client, rows: int, *, seconds: float) -> None:
    async def worker(number: int) -> int:
        if number % 2:
            with waiting_call():
                await asyncio.sleep(seconds)
            client.calls += 1
        return number

    asyncio.run(
        map_rows(range(rows), worker, concurrency=2, label="test", client=client, tally=lambda n: "odd" if n % 2 else "even")
    )


def test_a_run_ends_its_log_and_prints_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "SILENT", 0.2)
    monkeypatch.setattr(module, "TICK", 0.05)
    monkeypatch.setattr(module, "LOG_EVERY", 0.1)
    monkeypatch.setattr(module, "interval", lambda: 0.2)
    run(Client(), 8, seconds=0.3)
    objects = list(read_log(log_path("test")))
    assert len(objects) > 3
    assert objects[0]["state"] == "running" and objects[-1]["state"] == "done"
    assert objects[-1]["done"] == objects[-1]["total"] == 8 and objects[-1]["calls"] == 4
    assert objects[-1]["tallies"] == {"even": 4, "odd": 4} and objects[-1]["seconds_left"] == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2 and "8/8" in lines[-1] and "4 even, 4 odd" in lines[-1]
    assert all(line.startswith("test:") for line in lines) and "\r" not in "".join(lines)


def test_a_run_that_is_stopped_says_so_and_a_short_one_prints_nothing(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)

    async def worker(number: int) -> int:
        if number == 3:
            raise RuntimeError("broken")
        return number

    with pytest.raises(RuntimeError):
        asyncio.run(map_rows(range(9), worker, concurrency=1, label="test", client=Client()))
    assert [(one["state"], one["done"]) for one in read_log(log_path("test"))] == [("stopped", 3)]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("fails", [False, True])
def test_a_log_that_cannot_be_written_ends_no_stage_and_hides_no_error(tmp_path: Path, monkeypatch, fails: bool) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "TICK", 0.01)
    monkeypatch.setattr(module, "LOG_EVERY", 0.01)
    looked: list[float] = []
    monkeypatch.setattr(Watch, "_look", lambda self: looked.append(0.0) or module.time.monotonic())
    log_path("test").parent.parent.mkdir(parents=True)
    log_path("test").parent.write_text("in the way")

    async def worker(number: int) -> int:
        await asyncio.sleep(0.1)
        if fails:
            raise RuntimeError("the real error")
        return number

    mapped = map_rows(range(2), worker, concurrency=1, label="test", client=Client())
    if fails:
        with pytest.raises(RuntimeError, match="the real error"):
            asyncio.run(mapped)
    else:
        assert asyncio.run(mapped) == [0, 1] and len(looked) > 4  # the ticker goes on


def test_the_log_is_bounded_and_survives_a_cut_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOG_BYTES", 100)
    path = tmp_path / "progress" / "test.jsonl"
    for _ in range(50):
        append_bounded(path, b'{"done": 1}\n')
    assert sorted(file.name for file in path.parent.iterdir()) == ["test.1.jsonl", "test.jsonl"]
    assert all(file.stat().st_size <= 100 for file in path.parent.iterdir())
    path.write_bytes(b'{"done": 1}\n{"do')
    assert list(read_log(path)) == [{"done": 1}]


def test_watching_costs_next_to_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    watch = Watch(300_000, "rows", Client())
    started = module.time.process_time()
    for _ in range(30_000):  # 100 seconds of 300 rows/s, and as many looks as in 100 seconds
        watch.row(fresh=True, tally="kept")
    for _ in range(200):
        watch._look()
    assert module.time.process_time() - started < 0.5
    assert sys.getsizeof(watch._samples) < 100_000
