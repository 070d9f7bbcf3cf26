"""Records that someone damaged in one place."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.ingest.anything import ANYTHING

Place = tuple[str | int, ...]


@st.composite
def damaged(draw: st.DrawFn, record: dict[str, Any]) -> Any:
    """`record` with the value of any one key or item replaced by any JSON, or gone."""
    place = draw(st.sampled_from(list(_places(record))))
    if not place:
        return draw(ANYTHING)
    changed = copy.deepcopy(record)
    parent: Any = changed
    for step in place[:-1]:
        parent = parent[step]
    if draw(st.booleans()):
        parent[place[-1]] = draw(ANYTHING)
    else:
        del parent[place[-1]]
    return changed


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    yield place
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _places(inner, (*place, step))
