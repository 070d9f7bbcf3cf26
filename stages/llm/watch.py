"""What a stage that calls a model tells while it runs: one line for people, and the same as JSON lines in a log.

A terminal has a bar that is redrawn; without one a whole line is printed every ten seconds and a last one at the end.
The log is `progress/<stage>.jsonl` in the state folder (`.dvc/secforge` by default, see `stages.state`): one object
every five seconds and one at the end, to be followed with `tail -F`. It holds numbers and names of this project only,
and no more than two times LOG_BYTES: a full log becomes `<stage>.1.jsonl`.
"""

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from stages.progress import SILENT, interval, progress
from stages.state import state_dir

TICK = 0.5  # seconds between two looks at the figures
LOG_EVERY = 5.0  # seconds
LOG_BYTES = 1_000_000
WINDOW, WINDOW_ROWS = 60.0, 20  # "recent": so many seconds, or as many as so many rows took
FORM = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a client has done in this run so far."""

    calls: int
    hits: int
    tokens: int
    usd: float | None  # paid; None without a price table
    in_flight: int


class Watched(Protocol):
    """A client that can say what it does."""

    stage: str

    def figures(self) -> Figures: ...


class Sample(NamedTuple):
    """How far the rows were at a moment."""

    time: float  # seconds
    done: int
    fresh: int  # rows that needed a call
    tokens: int


class Watch:
    """Counts finished rows; `during` shows them as long as they are worked on."""

    def __init__(self, total: int, label: str, client: Watched | None) -> None:
        self.total, self.label, self.client = total, label, client
        self.done = self.fresh = 0
        self.tallies = Counter[str]()
        self._started = self._calling_since = time.monotonic()
        self._before = self._figures()
        self._samples = deque([Sample(self._started, 0, 0, 0)])

    def row(self, *, fresh: bool, tally: str = "") -> None:
        """A row is done; `fresh` says that it needed a call, `tally` what became of it."""
        self.done += 1
        self.fresh += fresh
        if tally:
            self.tallies[tally] += 1

    @asynccontextmanager
    async def during(self) -> Any:
        """Shows and logs while the block runs, and once more at its end."""
        ticker = asyncio.create_task(self._run())
        state = "stopped"
        try:
            yield
            state = "done"
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)
            self._log(state)

    async def _run(self) -> None:
        shown, logged = self._started, self._started
        with progress(total=self.total, label=self.label, form=FORM) as bar:
            try:
                while True:
                    await asyncio.sleep(TICK)
                    now = self._look()
                    if now - self._started >= SILENT and now - shown >= interval():
                        shown = now
                        self._show(bar)
                    if now - logged >= LOG_EVERY:
                        logged = now
                        self._log("running")
            finally:
                if self._look() - self._started >= SILENT:
                    self._show(bar)

    def _look(self) -> float:
        """Take a sample if rows have been finished; forget what is no longer recent. Returns the time."""
        now, figures, samples = time.monotonic(), self._figures(), self._samples
        if figures.calls == self._before.calls and not figures.in_flight:
            self._calling_since = now  # a warm start: nothing has been asked yet
        if self.done != samples[-1].done:
            samples.append(Sample(now, self.done, self.fresh, figures.tokens - self._before.tokens))
        while len(samples) > 2 and now - samples[1].time >= WINDOW and self.done - samples[1].done >= WINDOW_ROWS:
            samples.popleft()
        return now

    def snapshot(self) -> dict[str, Any]:
        """The figures of this moment; what is not known is None."""
        now, figures, before, old = time.monotonic(), self._figures(), self._before, self._samples[0]
        seconds = max(1e-9, now - old.time)
        fresh_rate = (self.fresh - old.fresh) / max(1e-9, now - max(old.time, self._calling_since))
        left = self.total - self.done
        usd = None if figures.usd is None or before.usd is None else figures.usd - before.usd
        return {
            "label": self.label,
            "done": self.done,
            "total": self.total,
            **{"tallies": dict(sorted(self.tallies.items()))},
            "rows_per_second": round((self.done - old.done) / seconds, 2),
            "tokens_per_second": round((figures.tokens - before.tokens - old.tokens) / seconds, 1),
            "in_flight": figures.in_flight,
            "calls": figures.calls - before.calls,
            "hits": figures.hits - before.hits,
            "usd": None if usd is None else round(usd, 6),
            "usd_projected": None if usd is None or not self.fresh else round(usd + left * usd / self.fresh, 6),
            "seconds": round(now - self._started, 1),
            "seconds_left": round(left / fresh_rate, 1) if self.fresh > old.fresh else (0.0 if not left else None),
        }

    def _figures(self) -> Figures:
        none = Figures(calls=0, hits=0, tokens=0, usd=None, in_flight=0)
        return self.client.figures() if self.client is not None else none

    def _show(self, bar: Any) -> None:
        bar.n = self.done
        bar.set_postfix_str(line_of(self.snapshot(), bar.format_interval), refresh=False)
        bar.display()

    def _log(self, state: str) -> None:
        """A log that cannot be written (a full disk, another experiment that put it aside) ends no stage."""
        if self.client is not None:
            said = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "pid": os.getpid(), "state": state}
            line = msgspec.json.encode({**said, **self.snapshot()}) + b"\n"
            with suppress(OSError):
                append_bounded(log_path(self.client.stage), line)


def line_of(now: dict[str, Any], clock: Any) -> str:
    """The figures in words; `clock` writes seconds as 1:05."""
    parts = [f"{count:,} {name}" for name, count in now["tallies"].items()]
    parts.append(f"{now['rows_per_second']:,.1f} rows/s")
    parts.append(f"{now['tokens_per_second']:,.0f} tokens/s, {now['in_flight']} in flight, {now['hits']:,} from the cache")
    if now["usd"] is not None:
        projected = now["usd_projected"]
        parts.append(f"${now['usd']:,.2f}" + (f" of about ${projected:,.2f}" if projected is not None else ""))
    if now["seconds_left"] is not None:
        parts.append(f"{clock(now['seconds_left'])} left")
    return ", ".join(parts)


def log_path(stage: str) -> Path:
    """The log of `stage`; experiments of one repository share it (`pid` tells them apart)."""
    return state_dir() / "progress" / f"{stage}.jsonl"


def append_bounded(path: Path, line: bytes) -> None:
    """Append in one write; a file of LOG_BYTES is put aside first, in place of the one put aside before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size + len(line) > LOG_BYTES:
        os.replace(path, path.with_suffix(".1.jsonl"))
    with open(path, "ab", buffering=0) as file:
        file.write(line)


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a log, oldest first; a line cut by a full disk is left out."""
    for line in path.read_bytes().splitlines():
        try:
            yield msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
