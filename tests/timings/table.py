"""One printed form for all timings: ours, peer, limit, ratio. Nothing here passes or fails; people read it."""

from collections.abc import Sequence
from typing import NamedTuple


class Line(NamedTuple):
    """One measurement. `ratio` is against the limit or the peer, as `note` says."""

    what: str
    ours: str
    peer: str = "-"
    limit: str = "-"
    ratio: str = "-"
    note: str = ""


def print_table(title: str, lines: Sequence[Line]) -> None:
    """Print `lines` in columns under `title`."""
    rows = [Line("", "ours", "peer", "limit", "ratio", "note"), *lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(Line._fields))]
    print(f"\n{title}")
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), flush=True)
