"""Progress bars with counts and rates for anything that lasts over two seconds."""

import sys
from collections.abc import Iterable
from typing import Any


def progress(items: Iterable[Any] | None = None, *, total: int | None = None, label: str, unit: str = "rows") -> Any:
    """A tqdm bar: silent for the first two seconds; one line every ten seconds where there is no terminal."""
    from tqdm import tqdm

    interval = 0.2 if sys.stderr.isatty() else 10.0
    return tqdm(items, total=total, desc=label, unit=f" {unit}", delay=2, mininterval=interval, leave=False, dynamic_ncols=True)
