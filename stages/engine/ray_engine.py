"""The row functions of a stage under Ray Data: one client in an actor, workers in other processes, the same results.

Rows go to the workers as msgpack, outcomes come back as msgpack and into the spool in any order; the stage reads them
in the order of its rows. A worker that dies has its unfinished rows done again by another: what it had asked is in the
cache. If the client's process dies, the stage stops.
"""

import asyncio
import math
import os
import pickle
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from stages.engine.client_actor import ClientActor
from stages.engine.cluster import cluster, secret_names
from stages.engine.engine import Item, MakeWorker, Result
from stages.engine.messages import ANSWERS, OUTCOMES, Done, Stop, unwrap
from stages.engine.worker import Orders, RowWorker, ask_actor, client_lost, code_hash
from stages.errors import LLMError, ParamsError
from stages.llm.client import Reply, Request
from stages.llm.failures import CallFailed
from stages.llm.params import LLMParams
from stages.llm.schema import StoredResponse
from stages.llm.spool import Codec, Spool
from stages.llm.used import UsedResponses
from stages.llm.watch import Figures, Watch
from stages.runtime import RuntimeParams

BLOCK = 16  # rows of a block, the unit that Ray gives to a worker and does again if it dies
CALLS_AT_ONCE = 10_000  # of the client actor; the rows in flight bound them long before
POLL = 0.5  # seconds between two looks at the client's figures
STOPPING = 5.0  # seconds that Ray Data has to end its workers, before Ray itself is stopped
READY = 64  # batches of outcomes that wait to be written


class RemoteLedger:
    """The ledger of the client actor."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor, self._unparsed = ray, actor, Counter[str]()

    def parse_failed(self, purpose: str) -> None:
        """Told to the actor with the next question for its figures."""
        self._unparsed[purpose] += 1

    def metrics(self) -> dict[str, Any]:
        """See `stages.llm.ledger.Ledger`."""
        unparsed, self._unparsed = self._unparsed, Counter()
        return self._ray.get(self._actor.metrics.remote(dict(unparsed)))

    def timings(self) -> dict[str, float]:
        """See `stages.llm.ledger.Ledger`."""
        return self._ray.get(self._actor.timings.remote())


class RayClient:
    """The client actor as the stage's own process sees it."""

    def __init__(self, ray: Any, actor: Any, stage: str, llm: LLMParams, cache: tuple[Path, Path | None]) -> None:
        self._ray, self._actor, self.stage, self.llm, self._cache = ray, actor, stage, llm, cache
        self.ledger = RemoteLedger(ray, actor)
        self._figures = Figures(calls=0, hits=0, tokens=0, usd=None, in_flight=0)

    async def chat(self, request: Request) -> Reply:
        """See `stages.llm.client.Client.chat`."""
        return await ask_actor(self._actor, request)

    @property
    def same_model(self) -> bool:
        """Whether teacher and judge are one model."""
        return self._ray.get(self._actor.same_model.remote())

    def figures(self) -> Figures:
        """Those of the last look."""
        return self._figures

    async def look(self) -> None:
        """Ask for the figures. Raises LLMError if the client's process died."""
        try:
            data = await self._actor.figures.remote()
        except self._ray.exceptions.RayActorError:
            raise client_lost() from None
        self._figures = msgspec.msgpack.decode(data, type=Figures)

    def used(self) -> UsedResponses:
        """Every response that this build used, sorted by key."""
        data = self._ray.get(self._actor.used.remote())
        keys, kept = msgspec.msgpack.decode(data, type=tuple[bytes, dict[str, StoredResponse]])
        return UsedResponses(*self._cache, keys, kept)


class RayEngine:
    """See `stages.engine.engine.Engine`."""

    def __init__(self, ray: Any, actor: Any, client: RayClient, runtime: RuntimeParams) -> None:
        self._ray, self._actor, self.client, self._runtime = ray, actor, client, runtime

    async def map_rows(
        self,
        rows: Sequence[Item],
        make_worker: MakeWorker[Item, Result],
        spool: Spool[Result],
        *,
        label: str,
        tally: Callable[[Result], str] | None = None,
    ) -> Sequence[Result | CallFailed]:
        """See `Engine`. Raises LLMError if the client's process died, no worker can do a row, or a row has no outcome."""
        if not rows:
            return spool
        await self.client.look()  # what was done before these rows is not theirs
        watch = Watch(len(rows), label, self.client)
        polling = asyncio.create_task(self._poll())
        try:
            async with watch.during():
                async with aclosing(self._outcomes(rows, make_worker, spool.codec)) as outcomes:
                    async for done in outcomes:
                        spool.put_bytes(done.row, done.result)
                        for purpose in done.unparsed:
                            self.client.ledger.parse_failed(purpose)
                        result = spool.codec.decode(done.result) if tally else None
                        said = "failed" if isinstance(result, CallFailed) else tally(result) if tally else ""
                        watch.row(fresh=done.fresh, tally=said)
                await self.client.look()
        finally:
            polling.cancel()
        if missing := spool.missing:
            raise LLMError(
                f"{missing:,} of {len(rows):,} rows came back from no process of the Ray run.",
                remedy="Every finished call is kept: run the same command again, or set runtime.engine to `local`.",
            )
        return spool

    async def _poll(self) -> None:
        """Until the client's process is gone: the rows that wait for it tell that."""
        with suppress(LLMError):
            while True:
                await self.client.look()
                await asyncio.sleep(POLL)

    async def _outcomes(self, rows: Sequence[Item], make_worker: MakeWorker, results: Codec) -> AsyncGenerator[Done, None]:
        """Outcomes as blocks are done. Raises LLMError for a Stop among them."""
        items = Codec(type(rows[0]))
        cores = int(self._ray.cluster_resources().get("CPU", 1))
        workers = min(self._runtime.workers or max(1, cores - 1), max(1, cores), math.ceil(len(rows) / BLOCK))
        share = math.ceil(self._runtime.concurrency / workers)
        orders = Orders(self._actor, self.client.llm, self._sent(make_worker), items, results, share, code_hash())
        dataset = self._dataset(rows, items, orders, workers)
        batches = _from_thread(lambda: dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))
        async with aclosing(batches):
            async for batch in batches:
                for data in batch["outcome"]:
                    outcome = OUTCOMES.decode(data.as_py())
                    if isinstance(outcome, Stop):
                        raise LLMError(outcome.message)
                    yield outcome  # type: ignore[misc]

    def _sent(self, make_worker: MakeWorker) -> Any:
        """A reference to it in Ray's store. Raises ParamsError for what lives in one process only."""
        try:
            return self._ray.put(make_worker)
        except (TypeError, pickle.PicklingError) as error:
            raise ParamsError(
                f"runtime.engine is `ray`, but rows of this stage need something that lives in one process only, "
                f"as the web search of section ground does: {str(error).splitlines()[0]}",
                remedy="Turn the web search off, or set runtime.engine to `local`.",
            ) from None

    def _dataset(self, rows: Sequence[Item], items: Codec, orders: Orders, workers: int) -> Any:
        """Blocks of rows, mapped by `workers` processes, each with as many blocks at once as its share of rows fills twice."""
        import pyarrow as pa

        data = self._ray.data
        data.DataContext.get_current().enable_progress_bars = False

        def block(start: int) -> Any:
            encoded = [items.encode(row) for row in rows[start : start + BLOCK]]
            return pa.table({"row": range(start, start + len(encoded)), "item": pa.array(encoded, pa.binary())})

        blocks = [self._ray.put(block(start)) for start in range(0, len(rows), BLOCK)]  # not all of them in this process
        calls = 2 * math.ceil(orders.rows / BLOCK)
        pool = data.ActorPoolStrategy(
            size=workers, max_concurrent_calls_per_actor=calls, max_tasks_in_flight_per_actor=2 * calls,
            enable_true_multi_threading=True,
        )  # fmt: skip
        return data.from_arrow_refs(blocks).map_batches(
            RowWorker, batch_size=None, batch_format="numpy", compute=pool, num_cpus=1, fn_constructor_args=(orders,)
        )


@asynccontextmanager
async def open_ray_engine(stage: str, llm: LLMParams, runtime: RuntimeParams, base_model: Path) -> AsyncIterator[RayEngine]:
    """Ray, and the client in its actor. Raises SecForgeError if one of them cannot be had."""
    from stages.llm.cache import cache_path, shared_path

    with cluster(runtime) as ray:
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        actor = ray.remote(ClientActor).options(num_cpus=0, max_concurrency=CALLS_AT_ONCE, scheduling_strategy=here).remote()
        secrets = {name: os.environ[name] for name in secret_names(runtime) if name in os.environ}
        try:
            fault = await actor.open.remote(
                stage, msgspec.msgpack.encode((llm, runtime)), str(base_model), str(Path.cwd()), secrets
            )
            if fault:
                unwrap(ANSWERS.decode(fault))
            yield RayEngine(ray, actor, RayClient(ray, actor, stage, llm, (cache_path(), shared_path(runtime))), runtime)
            await actor.close.remote()
        except ray.exceptions.RayTaskError:
            raise  # a fault of this project: with its traceback
        except ray.exceptions.RayError as error:
            raise LLMError(
                f"{stage}: a process of the Ray run was lost: {str(error).splitlines()[0]}",
                remedy="Every finished call is kept: run the same command again.",
            ) from None


async def _from_thread(iterate: Callable[[], Iterator[Any]]) -> AsyncGenerator[Any, None]:
    """What a blocking iterator gives. When its consumer stops, it ends at its next value; nobody waits long for it."""
    loop, ready, room = asyncio.get_running_loop(), asyncio.Queue[tuple[Any, BaseException | None]](), threading.Semaphore(READY)

    def run() -> None:
        failed: BaseException | None = None
        try:
            for one in iterate():
                room.acquire()
                if over.is_set():
                    return
                loop.call_soon_threadsafe(ready.put_nowait, (one, None))
        except BaseException as error:
            failed = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(ready.put_nowait, (None, failed or StopAsyncIteration()))

    over, thread = threading.Event(), threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while True:
            one, error = await ready.get()
            if isinstance(error, StopAsyncIteration):
                return
            if error is not None:
                raise error
            room.release()
            yield one
    finally:
        over.set()
        room.release()
        await asyncio.to_thread(thread.join, STOPPING)
