"""Web search for one query at a time: results, pages, passages, BM25. What was asked once is read from the store.

The same snapshots give the same hits: results are gone through in the provider's order, and the pages of a query are
ranked among themselves.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from stages.ground.retrieve import Hit, PassageIndex
from stages.ground.web.addresses import Resolve, checked
from stages.ground.web.failures import Refused
from stages.ground.web.fetch import open_fetcher
from stages.ground.web.leaks import Leaks
from stages.ground.web.pages import Pages
from stages.ground.web.params import Web, licence_of, may_read
from stages.ground.web.passages import passages_of
from stages.ground.web.provider import Provider, clean_query
from stages.ground.web.schema import Result, Snapshot, failure, key_of, snapshot
from stages.ground.web.store import SnapshotStore, store_path
from stages.ingest.schema import Passage
from stages.runtime import RuntimeParams

TRIES = 3  # times `pages` results are tried for `pages` usable pages
READ = 500  # pages whose passages stay in memory


class Cut(msgspec.Struct, frozen=True):
    """A page's passages, or why it has none that may be used."""

    passages: list[Passage]
    reason: str = ""


class WebSearch:
    """The web as a place to find evidence in. `provider` and `pages` are None in an offline build."""

    def __init__(self, params: Web, leaks: Leaks, store: SnapshotStore, provider: Provider | None, pages: Pages | None) -> None:
        self._params, self._leaks, self._store, self._provider, self._pages = params, leaks, store, provider, pages
        self._asked: set[str] = set()  # keys of everything that this build asked and was answered
        self._tasks: dict[str, asyncio.Task[Snapshot]] = {}  # what is being asked at this moment
        self._cuts: dict[str, Cut] = {}
        self._searches: dict[str, str] = {}  # key -> why a search failed, or empty
        self._used: dict[str, str] = {}  # key -> why a page was not used, or empty
        self._events: Counter[str] = Counter()  # of this run: they differ where the store differs
        self._warned = False

    async def search(self, query: str, hits: int) -> list[Hit]:
        """At most `hits` passages of pages that the provider names for `query`, best first; none if it cannot be asked."""
        asked = clean_query(query)
        pages = await self._usable(await self._results(asked)) if asked else []
        passages = {one.id: one for page in pages for one in page.passages}  # one body under two addresses counts once
        if not passages:
            return []
        return await asyncio.to_thread(lambda: PassageIndex(list(passages.values())).search(asked, hits))

    def used(self) -> Iterator[Snapshot]:
        """Everything that this build asked, sorted by key, with the licences that its params state."""
        for one in self._store.rows(self._asked):
            yield msgspec.structs.replace(one, licence=_licence(one, self._params) if one.kind == "page" else "")

    def metrics(self) -> dict[str, Any]:
        """Counts of queries and pages, the same for the same snapshots."""
        searches, pages = Counter(self._searches.values()), Counter(self._used.values())
        return {
            "provider": self._params.provider,
            "queries": {"answered": searches.pop("", 0), "failed": dict(sorted(searches.items()))},
            "pages": {"used": pages.pop("", 0), "refused": dict(sorted(pages.items()))},
        }

    def timings(self) -> dict[str, Any]:
        """What was asked of the network in this run, and what was read from the store."""
        return {name: self._events[name] for name in ("queries_sent", "queries_reused", "pages_fetched", "pages_reused")}

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _results(self, query: str) -> list[Result]:
        key = key_of("search", self._params.provider, query)
        found = await self._once("search", key, lambda: self._ask(query))
        self._searches[key] = found.reason if found else "not-stored"
        return msgspec.json.decode(found.body, type=list[Result]) if found and not found.reason else []

    async def _ask(self, query: str) -> Snapshot:
        assert self._provider is not None
        try:
            results = await self._provider.results(query)
        except Refused as refused:
            self._warn(f"a web search failed ({refused.reason}): it finds nothing in this build, and is asked again in the next")
            return failure("search", query, refused.reason, final=False, provider=self._provider.name)
        body = msgspec.json.encode(results).decode()
        return snapshot("search", query, provider=self._provider.name, body=body, content_type="application/json")

    async def _usable(self, results: list[Result]) -> list[Cut]:
        """The first `pages` usable pages of `results`, in their order."""
        addresses = list(dict.fromkeys(result.url for result in results))[: TRIES * self._params.pages]
        usable: list[Cut] = []
        while addresses and len(usable) < self._params.pages:
            wanted = self._params.pages - len(usable)
            some, addresses = addresses[:wanted], addresses[wanted:]
            usable += [cut for cut in await asyncio.gather(*map(self._cut, some)) if not cut.reason]
        return usable

    async def _cut(self, address: str) -> Cut:
        """The passages of one page; none if the lists, the network or the benchmarks forbid it."""
        key = key_of("page", "", address)
        cut = self._forbidden(address)
        if cut is None:
            page = await self._once("page", key, lambda: self._read(address))
            cut = Cut([], page.reason if page else "not-stored")
            if page and not page.reason:
                cut = await self._passages(page)
        self._used[key] = cut.reason
        return cut

    def _forbidden(self, address: str) -> Cut | None:
        """Before anything is asked; a redirect is looked at when it comes, and again when the snapshot is used."""
        try:
            host = checked(address, ()).raw_host or ""
        except Refused as refused:
            if refused.reason not in ("private-address", "bad-port"):  # the params may name the host
                return Cut([], refused.reason)
            return None
        return None if may_read(host, self._params) else Cut([], "denied")

    async def _read(self, address: str) -> Snapshot:
        assert self._pages is not None
        return await self._pages.read(address)

    async def _passages(self, page: Snapshot) -> Cut:
        if page.key not in self._cuts:
            if len(self._cuts) >= READ:
                self._cuts.pop(next(iter(self._cuts)))
            self._cuts[page.key] = await asyncio.to_thread(self._cut_up, page)
        return self._cuts[page.key]

    def _cut_up(self, page: Snapshot) -> Cut:
        if not may_read(_host(page), self._params):
            return Cut([], "denied")
        try:
            passages = passages_of(page, _licence(page, self._params))
        except Refused as refused:
            return Cut([], refused.reason)
        reason = self._leaks.found_in(page.final_url, passages) if passages else "no-text"
        return Cut([] if reason else passages, reason)

    async def _once(self, kind: str, key: str, ask: Callable[[], Awaitable[Snapshot]]) -> Snapshot | None:
        """The stored answer, or that of `ask`, which is called once however many rows want it; None if offline without one."""
        stored = self._store.get(key)
        known = key in self._asked
        if stored is not None and (stored.final or known or self._provider is None):
            self._events[f"{_PLURAL[kind]}_reused"] += not known
            self._asked.add(key)
            return stored
        if self._provider is None:
            self._warn("runtime.offline is true, and not every web search or page is stored: those find nothing")
            return None
        if key not in self._tasks:
            self._events["queries_sent" if kind == "search" else "pages_fetched"] += 1
            self._tasks[key] = asyncio.create_task(self._keep(key, ask))
        return await asyncio.shield(self._tasks[key])

    async def _keep(self, key: str, ask: Callable[[], Awaitable[Snapshot]]) -> Snapshot:
        try:
            kept = await self._store.put(await ask())
            self._asked.add(key)
            return kept
        finally:
            del self._tasks[key]

    def _warn(self, what: str) -> None:
        if not self._warned:
            print(f"[ground] warning: {what} (counted in metrics/ground.json).", file=sys.stderr, flush=True)
        self._warned = True


_PLURAL = {"search": "queries", "page": "pages"}


@asynccontextmanager
async def open_web(
    params: Web, runtime: RuntimeParams, leaks: Leaks, resolve: Resolve | None = None
) -> AsyncIterator[WebSearch | None]:
    """The web search of a build; None if no provider is named. Raises WebError if the provider cannot be asked at all.

    Offline nothing but the store is opened. `resolve` takes the place of the system's resolver of names.
    """
    if not params.provider:
        yield None
        return
    store = SnapshotStore(store_path())
    try:
        if runtime.offline:
            yield WebSearch(params, leaks, store, None, None)
            return
        async with open_fetcher(runtime.web, resolve) as fetcher:
            web = WebSearch(params, leaks, store, Provider(params, runtime.web, fetcher), Pages(params, runtime.web, fetcher))
            try:
                yield web
            finally:
                await web.close()
    finally:
        store.close()


def _licence(page: Snapshot, params: Web) -> str:
    return licence_of(_host(page), params)


def _host(page: Snapshot) -> str:
    """Host of the page that was read, and for one that was not, of the one that was asked for."""
    from yarl import URL

    try:
        return (URL(page.final_url or page.asked).raw_host or "").rstrip(".")
    except ValueError:
        return ""
