"""A site, and a way to search it as a build does."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stages.ground.params import GroundParams
from stages.ground.retrieve import Hit
from stages.ground.web.leaks import Leaks
from stages.ground.web.params import Web
from stages.ground.web.schema import Snapshot
from stages.ground.web.search import open_web
from stages.ground.web.subjects import Subjects
from tests.ground.web.site import Site

NO_LEAKS = Leaks(cves=frozenset(), hashes=frozenset(), held_cves=frozenset(), held_out=Subjects([]), grams=frozenset(), ngram=13)
LICENCES = {"docs.test": "CC-BY-4.0"}


class Searched(NamedTuple):
    """What a build found and keeps."""

    hits: list[list[Hit]]  # per query
    kept: list[Snapshot]
    metrics: dict[str, Any]
    timings: dict[str, Any]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Builds run in an empty repository: the store is that of its state folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def search(site: Site) -> Callable[..., Searched]:
    """`search(query, ..., leaks=, params={...}, deny=[...], offline=, **runtime.web)`: one build that asks these queries at once."""

    def run(
        *queries: str,
        leaks: Leaks = NO_LEAKS,
        params: dict[str, Any] | None = None,
        deny: Sequence[str] = (),
        offline: bool = False,
        **access: Any,
    ) -> Searched:
        web = Web(**{"provider": "searxng", "licences": LICENCES, **(params or {})})
        return asyncio.run(search_once(site, queries, GroundParams(web=web, deny=tuple(deny)), leaks, offline, access))

    return run


async def search_once(
    site: Site, queries: Sequence[str], params: GroundParams, leaks: Leaks, offline: bool, access: dict[str, Any]
) -> Searched:
    """One build: the queries at once, and then what was used for them."""
    async with open_web(params, site.runtime(offline=offline, **access), leaks, site.resolve) as web:
        assert web is not None
        hits = await asyncio.gather(*(web.search(query, 8) for query in queries))
        account = await web.account(queries)
        return Searched(list(hits), list(account.kept), account.metrics["web"], account.timings)
