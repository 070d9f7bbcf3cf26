"""Each question is asked once: the store answers, else the network, and the store keeps what it says."""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from stages.ground.web.schema import Kind, Snapshot, fit
from stages.ground.web.store import SnapshotStore

SENT, REUSED = {"search": "queries_sent", "page": "pages_fetched"}, {"search": "queries_reused", "page": "pages_reused"}


class Once:
    """The store of a build, and what is being asked at this moment. `offline`: the network is never asked."""

    def __init__(self, store: SnapshotStore, *, offline: bool) -> None:
        self.store, self.offline = store, offline
        self.events: Counter[str] = Counter()  # of this run: they differ where the store differs
        self._met: set[str] = set()  # keys that this run asked, or found in the store
        self._tasks: dict[str, asyncio.Task[Snapshot]] = {}
        self._warned: set[str] = set()

    async def answer(self, kind: Kind, key: str, ask: Callable[[], Awaitable[Snapshot]]) -> Snapshot | None:
        """The stored answer, or that of `ask`, which is called once however many rows want it; None if offline without one.

        A failure that may pass is asked for again, but not twice in one run.
        """
        stored = self.store.get(key)
        if stored is not None and (stored.final or self.offline or key in self._met):
            self.events[REUSED[kind]] += key not in self._met
            self._met.add(key)
            return stored
        if self.offline:
            self.warn("runtime.offline is true, and not every web search or page is stored: those find nothing")
            return None
        if key not in self._tasks:
            self.events[SENT[kind]] += 1
            self._tasks[key] = asyncio.create_task(self._keep(key, ask))
        return await asyncio.shield(self._tasks[key])

    def again(self) -> "Once":
        """The same store, to go the way of this run once more: nothing is asked, and nothing said twice."""
        once = Once(self.store, offline=True)
        once._warned = self._warned
        return once

    def kept(self) -> Iterator[Snapshot]:
        """Everything that this run asked or found stored, by key."""
        return self.store.rows(self._met)

    def warn(self, what: str) -> None:
        """Say it once, however often it happens."""
        if what not in self._warned:
            print(f"[ground] warning: {what} (counted in metrics/ground.json).", file=sys.stderr, flush=True)
        self._warned.add(what)

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, key: str, ask: Callable[[], Awaitable[Snapshot]]) -> Snapshot:
        try:
            kept = await self.store.put(fit(await ask()))
            self._met.add(key)
            return kept
        finally:
            del self._tasks[key]
