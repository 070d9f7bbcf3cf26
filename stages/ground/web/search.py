"""Web search for one query at a time: results, pages, passages, BM25. What was asked once is read from the store.

The same snapshots give the same hits: results are gone through in the provider's order, and the pages of a query are
ranked among themselves.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from stages.errors import ParamsError
from stages.ground.params import GroundParams
from stages.ground.retrieve import Hit, PassageIndex
from stages.ground.web.addresses import Resolve, parsed
from stages.ground.web.failures import Refused
from stages.ground.web.fetch import open_fetcher
from stages.ground.web.leaks import Leaks
from stages.ground.web.once import Once
from stages.ground.web.pages import Pages
from stages.ground.web.params import class_of, licence_of, why_not
from stages.ground.web.passages import passages_of
from stages.ground.web.provider import Provider, clean_query
from stages.ground.web.schema import Result, Snapshot, failure, key_of, snapshot, withheld
from stages.ground.web.store import SnapshotStore, store_path
from stages.ingest.schema import Passage
from stages.runtime import RuntimeParams

TRIES = 3  # times `web.pages` pages are tried for `web.pages` usable ones
READ = 500  # pages whose passages stay in memory


class Cut(msgspec.Struct, frozen=True):
    """A page's passages, or why it has none that may be used."""

    passages: list[Passage]
    reason: str = ""


class WebSearch:
    """The web as a place to find evidence in. Without `provider` and `pages` the store is all there is."""

    def __init__(
        self, params: GroundParams, leaks: Leaks, once: Once, provider: Provider | None = None, pages: Pages | None = None
    ) -> None:
        self._ground, self._params, self._leaks, self._once = params, params.web, leaks, once
        self._provider, self._pages = provider, pages
        self._cuts: dict[str, Cut] = {}  # by key of a page
        self._searches: dict[str, str] = {}  # key -> why a search failed, or empty
        self._used: dict[str, str] = {}  # key -> why a page was not used, or empty

    async def search(self, query: str, hits: int) -> list[Hit]:
        """At most `hits` passages of pages that the provider names for `query`, best first; none if it cannot be asked.

        A passage with less than `least_score` of the best one's score shares only commoner words and is left out; after
        that scores are worth nothing beside those of an index of other passages, and a hit of the web has none.
        """
        pages = await self._usable(await self._results(clean_query(query)))
        passages = {one.text: one for page in reversed(pages) for one in page.passages}  # of two pages that say it, the first
        if not passages:
            return []
        found = await asyncio.to_thread(lambda: PassageIndex(list(passages.values())).search(query, hits))
        near = [hit for hit in found if hit.score >= self._ground.least_score * found[0].score]
        return [Hit(passage=hit.passage, rank=hit.rank, score=hit.score) for hit in near]

    async def account(self, queries: Iterable[str]) -> "Account":
        """What was asked for `queries`, whichever process and run asked it: the way of each is gone once more in the store."""
        again = WebSearch(self._ground, self._leaks, self._once.again())
        again._cuts = self._cuts
        for query in sorted({clean_query(query) for query in queries}):
            await again._usable(await again._results(query))
        kept = (self._published(one) for one in again._once.kept())
        return Account(kept, {"web": again._metrics()}, {name: self._once.events[name] for name in sorted(self._once.events)})

    def _metrics(self) -> dict[str, Any]:
        searches, pages = Counter(self._searches.values()), Counter(self._used.values())
        return {
            "provider": self._params.provider,
            "queries": {"answered": searches.pop("", 0), "failed": dict(sorted(searches.items()))},
            "pages": {"used": pages.pop("", 0), "refused": dict(sorted(pages.items()))},
        }

    async def _results(self, query: str) -> list[Result]:
        if not query:
            return []
        key = key_of("search", self._params.provider, query)
        found = await self._once.answer("search", key, lambda: self._ask(query))
        self._searches[key] = found.reason if found else "not-stored"
        return msgspec.json.decode(found.body, type=list[Result]) if found and not found.reason else []

    async def _ask(self, query: str) -> Snapshot:
        assert self._provider is not None
        try:
            results = await self._provider.results(query)
        except Refused as refused:
            self._once.warn(f"a web search failed ({refused.reason}) and finds nothing; the next build asks again")
            return failure("search", query, refused.reason, final=False, provider=self._provider.name)
        body = msgspec.json.encode(results).decode()
        return snapshot("search", query, provider=self._provider.name, body=body, content_type="application/json")

    async def _usable(self, results: list[Result]) -> list[Cut]:
        """The first `web.pages` usable pages of `results`, in their order. Forbidden ones are counted and cost no try."""
        addresses = iter(dict.fromkeys(result.url for result in results))
        usable: list[Cut] = []
        tries = TRIES * self._params.pages
        while tries and len(usable) < self._params.pages:
            some = self._next(addresses, min(tries, self._params.pages - len(usable)))
            if not some:
                break
            tries -= len(some)
            usable += [cut for cut in await asyncio.gather(*map(self._cut, some)) if not cut.reason]
        return usable

    def _next(self, addresses: Iterator[str], count: int) -> list[str]:
        """The next `count` addresses that may be asked for."""
        some: list[str] = []
        while len(some) < count and (address := next(addresses, "")):
            reason = self._forbidden(address)
            if reason:
                self._used[key_of("page", "", address)] = reason
            else:
                some.append(address)
        return some

    def _forbidden(self, address: str) -> str:
        """Why nothing is even asked; a redirect is looked at when it comes, and again when its snapshot is used."""
        try:
            return self._forbidden_host(parsed(address).raw_host or "")
        except Refused as refused:
            return refused.reason

    def _forbidden_host(self, host: str) -> str:
        return why_not(host, self._params, self._ground.deny)

    async def _cut(self, address: str) -> Cut:
        """The passages of one page; none if the network, its licence or the benchmarks forbid it."""
        key = key_of("page", "", address)
        page = await self._once.answer("page", key, lambda: self._read(address))
        if page is None or page.reason:
            cut = Cut([], page.reason if page else "not-stored")
        else:
            cut = await self._passages(page)
        self._used[key] = cut.reason
        return cut

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
        if reason := self._forbidden_host(host_of(page)):
            return Cut([], reason)
        try:
            passages = passages_of(page, licence_of(host_of(page), self._params))
        except Refused as refused:
            return Cut([], refused.reason)
        reason = self._leaks.found_in(page.final_url, passages) if passages else "no-text"
        return Cut([] if reason else passages, reason)

    def _published(self, one: Snapshot) -> Snapshot:
        """As the table of pages has it: with its licence, and without what this build's lists and licences forbid."""
        if one.kind == "search":
            return one
        if not one.reason and (reason := self._forbidden_host(host_of(one))):
            one = withheld(one, reason)
        licence = licence_of(host_of(one), self._params)
        return msgspec.structs.replace(one, licence=licence)


class Account(msgspec.Struct, frozen=True):
    """What a build asked of the web."""

    kept: Iterator[Snapshot]  # all searches and pages, failures too, by key; it can be gone through once
    metrics: dict[str, Any]  # under `web`, counts of queries and pages: the same for the same snapshots
    timings: dict[str, int]  # what this run asked of the network, and what it found in the store


@asynccontextmanager
async def open_web(
    params: GroundParams, runtime: RuntimeParams, leaks: Leaks, resolve: Resolve | None = None
) -> AsyncIterator[WebSearch | None]:
    """The web search of a build; None if no provider is named, or no evidence is wanted.

    Offline nothing but the store is opened. `resolve` takes the place of the system's resolver of names. Raises ParamsError
    and WebError if nothing could be found at all.
    """
    if not params.web.provider or not params.evidence:
        yield None
        return
    _require_sense(params, runtime)
    store = SnapshotStore(store_path())
    try:
        if runtime.offline:
            yield WebSearch(params, leaks, Once(store, offline=True))
            return
        once = Once(store, offline=False)
        async with open_fetcher(runtime.web, resolve) as fetcher:
            provider, pages = Provider(params.web, runtime.web, fetcher), Pages(params.web, params.deny, runtime.web, fetcher)
            try:
                yield WebSearch(params, leaks, once, provider, pages)
            finally:
                await once.close()
    finally:
        store.close()


def _require_sense(params: GroundParams, runtime: RuntimeParams) -> None:
    if runtime.engine == "ray":
        raise ParamsError(
            "ground.web is on, and runtime.engine is ray: the pause between two requests to a host holds in one process only.",
            remedy="Set runtime.engine to local for `dvc repro ground`; other stages may run on ray.",
        )
    stated = {licence: class_of(licence) for licence in sorted(set(params.web.licences.values()))}
    if "unknown" in params.deny and set(stated.values()) <= set(params.deny):
        named = ", ".join(f"{licence} ({kind})" for licence, kind in stated.items())
        raise ParamsError(
            f"ground.web is on, but no page could be used: ground.web.licences names {f'only {named}' if named else 'no domain'}, "
            f"and ground.deny holds {', '.join(f'`{kind}`' for kind in sorted({*stated.values(), 'unknown'}))}.",
            remedy="Name domains whose licence is permitted, like `licences: {nist.gov: LicenseRef-NIST-public-domain}`.",
        )


def host_of(page: Snapshot) -> str:
    """Host of the page that was read, and for one that was not, of the one that was asked for."""
    from yarl import URL

    try:
        return (URL(page.final_url or page.asked).raw_host or "").rstrip(".")
    except ValueError:
        return ""
