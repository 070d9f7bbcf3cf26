"""Measures ours and a peer in one run and prints one line each: wall and processor seconds, limit, ratio."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Measured:
    """Wall seconds, processor seconds, and what the function returned."""

    wall: float
    cpu: float
    result: Any

    def scaled(self, factor: float) -> "Measured":
        """The same on `factor` times as much work, for a peer too slow to run in full."""
        return replace(self, wall=self.wall * factor, cpu=self.cpu * factor)


@dataclass
class Line:
    """One workload: ours, the wall seconds it may take, and the peers."""

    name: str
    ours: Measured
    limit: float
    peers: dict[str, Measured] = field(default_factory=dict)


def measure(function: Callable[[], Any]) -> Measured:
    """Run once. Processor seconds count all threads of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return Measured(time.perf_counter() - wall, time.process_time() - cpu, result)


def show(title: str, lines: list[Line]) -> None:
    """Print the table; `ratio` is the peer's processor time over ours, so above 1 we are faster."""
    print(f"\n{title}\n{'workload':<40} {'wall s':>8} {'CPU s':>8} {'limit s':>8} {'ratio':>6}")
    for line in lines:
        print(f"{line.name:<40} {line.ours.wall:>8.2f} {line.ours.cpu:>8.2f} {line.limit:>8.1f} {'':>6}")
        for name, peer in line.peers.items():
            print(f"{'  peer: ' + name:<40} {peer.wall:>8.2f} {peer.cpu:>8.2f} {'':>8} {peer.cpu / line.ours.cpu:>6.1f}")
    print(f"peak memory of this process so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
