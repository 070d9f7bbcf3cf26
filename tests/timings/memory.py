"""Memory of this process by the kernel's own figures: `ru_maxrss` of a new process begins with what its parent had."""

from pathlib import Path


def memory_mb(figure: str) -> float:
    """MB by a line of /proc/self/status: `VmRSS` is what it has now, `VmHWM` the most that it had."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[figure].split()[0]) / 1024


def forget_peak() -> None:
    """`VmHWM` begins anew with what the process has now."""
    Path("/proc/self/clear_refs").write_text("5")
