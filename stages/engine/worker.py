"""A process that works on rows: Ray Data gives it blocks of them, the answers come from the one client."""

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

import stages
from stages.engine.messages import ANSWERS, OUTCOMES, Done, Stop, stop_of, unwrap
from stages.errors import LLMError, SecForgeError
from stages.llm.client import Reply, Request
from stages.llm.failures import CallFailed
from stages.llm.params import LLMParams
from stages.llm.spool import Codec

ENCODER = msgspec.msgpack.Encoder()


class Note:
    """What is to be told of a row beside its result."""

    def __init__(self) -> None:
        self.fresh, self.unparsed = False, list[str]()


_note: ContextVar[Note] = ContextVar("note")


class Unparsed:
    """The ledger of a worker: what it counts travels with the row's result, so that a row done twice counts once."""

    def parse_failed(self, purpose: str) -> None:
        """See `stages.llm.ledger.Ledger`."""
        _note.get().unparsed.append(purpose)


class WorkerClient:
    """`stages.llm.asking.Chat` in a worker."""

    def __init__(self, actor: Any, llm: LLMParams) -> None:
        self.actor, self.llm, self.ledger = actor, llm, Unparsed()

    async def chat(self, request: Request) -> Reply:
        """See `stages.llm.client.Client.chat`."""
        reply = None
        try:
            reply = await ask_actor(self.actor, request)
        finally:
            _note.get().fresh |= reply is None or not reply.cached
        return reply


async def ask_actor(actor: Any, request: Request) -> Reply:
    """The client's reply. Raises CallFailed and LLMError as the client does, and LLMError if its process died."""
    from ray.exceptions import RayActorError

    try:
        answer = await actor.chat.remote(ENCODER.encode(request))
    except RayActorError:
        raise client_lost() from None
    return unwrap(ANSWERS.decode(answer))


def client_lost() -> LLMError:
    """The process that has limits, budget and cache is gone: no row can go on."""
    return LLMError(
        "the process of the Ray run that asks the models has died, killed or for want of memory.",
        remedy="Every finished call is kept: run the same command again, with a lower runtime.concurrency if memory was short.",
    )


class Orders(NamedTuple):
    """All that a worker needs; `function` is a reference in Ray's store to what makes the function of a row."""

    actor: Any
    llm: LLMParams
    function: Any
    items: Codec
    results: Codec
    rows: int  # at a time
    code: str  # of `code_hash`


class RowWorker:
    """Rows of several blocks are under way at once, so that the end of one block keeps nobody waiting."""

    def __init__(self, orders: Orders) -> None:
        import ray

        self._items, self._results = orders.items, orders.results
        self._fault = None if orders.code == code_hash() else other_code(ray.util.get_node_ip_address())
        if self._fault is None:
            work = ray.get(orders.function)(WorkerClient(orders.actor, orders.llm))
            self._work: Callable[[Any], Awaitable[Any]] = work
        self._free = asyncio.Semaphore(orders.rows)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def __call__(self, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """`block` has the columns `row` and `item`; gives one column `outcome` of encoded Done, or one Stop."""
        import numpy

        if self._fault is not None:
            outcomes = [OUTCOMES.encode(self._fault)]
        else:
            jobs = self._block(block["row"].tolist(), list(block["item"]))
            outcomes = asyncio.run_coroutine_threadsafe(jobs, self._loop).result()
        column = numpy.empty(len(outcomes), dtype=object)
        column[:] = outcomes
        yield {"outcome": column}

    async def _block(self, numbers: list[int], items: list[bytes]) -> list[bytes]:
        try:
            async with asyncio.TaskGroup() as group:
                pairs = zip(numbers, items, strict=True)
                tasks = [group.create_task(self._row(number, self._items.decode(item))) for number, item in pairs]
        except BaseExceptionGroup as errors:
            if errors.split(SecForgeError)[1] is not None:
                raise  # a fault of this project: with its traceback
            return [OUTCOMES.encode(stop_of(_first(errors)))]
        return [task.result() for task in tasks]

    async def _row(self, number: int, item: Any) -> bytes:
        async with self._free:
            note = Note()
            _note.set(note)
            try:
                result = await self._work(item)
            except CallFailed as failure:
                result = failure
        return OUTCOMES.encode(Done(number, self._results.encode(result), note.fresh, note.unparsed))


def code_hash() -> str:
    """Of everything in `stages/` that a row may pass through: other code gives other rows."""
    root = Path(stages.__file__).parent
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.suffix in (".py", ".md", ".txt", ".yaml", ".json"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(root)}\x1f".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def other_code(address: str) -> Stop:
    """The message of a node with another version."""
    return Stop(
        f"the node {address} of the Ray cluster has another version of this project, or a file in stages/ was edited after the start.\n"
        "  Remedy: Install the same commit on every node, or set runtime.engine to `local`."
    )


def _first(errors: BaseExceptionGroup) -> SecForgeError:
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found  # type: ignore[return-value]
