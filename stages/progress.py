"""Progress bars with counts and rates for anything that lasts over two seconds."""

import sys
from collections.abc import Iterable
from typing import Any

SILENT = 2.0  # seconds of work before anything is shown
TERMINAL, LINES = 0.2, 10.0  # seconds between two pictures of the bar, and between two lines where there is no terminal


def progress(
    items: Iterable[Any] | None = None, *, total: int | None = None, label: str, unit: str = "rows", form: str | None = None
) -> Any:
    """A tqdm bar, silent for the first two seconds; where there is no terminal, a line of its own every ten seconds.

    `form`: tqdm's `bar_format`. Whoever draws at times of their own (`stages.llm.watch`) calls `display()`.
    """
    from tqdm import tqdm

    class Lines(tqdm):
        """Prints whole lines, so that a log can be read."""

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            print(msg if msg is not None else str(self), file=sys.stderr, flush=True)

        def clear(self, nolock: bool = False) -> None:
            """Nothing is drawn over, so nothing is cleared."""

        def close(self) -> None:
            self.disable = True

    bar = tqdm if sys.stderr.isatty() else Lines
    return bar(
        items, total=total, desc=label, unit=f" {unit}", delay=SILENT, mininterval=interval(),
        leave=False, dynamic_ncols=True, bar_format=form,
    )  # fmt: skip


def interval() -> float:
    """Seconds between two displays."""
    return TERMINAL if sys.stderr.isatty() else LINES
