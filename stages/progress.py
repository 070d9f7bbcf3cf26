"""Progress bars with counts and rates for anything that lasts over two seconds."""

import sys
from collections.abc import Iterable
from typing import Any


def progress(items: Iterable[Any] | None = None, *, total: int | None = None, label: str, unit: str = "rows") -> Any:
    """A tqdm bar, silent for the first two seconds; where there is no terminal, a line of its own every ten seconds."""
    from tqdm import tqdm

    class Lines(tqdm):
        """Prints whole lines, so that a log can be read."""

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            print(msg if msg is not None else str(self), file=sys.stderr, flush=True)

        def clear(self, nolock: bool = False) -> None:
            """Nothing is drawn over, so nothing is cleared."""

        def close(self) -> None:
            self.disable = True

    terminal = sys.stderr.isatty()
    bar, interval = (tqdm, 0.2) if terminal else (Lines, 10.0)
    return bar(items, total=total, desc=label, unit=f" {unit}", delay=2, mininterval=interval, leave=False, dynamic_ncols=True)
