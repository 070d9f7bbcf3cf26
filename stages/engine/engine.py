"""How the rows of a stage are spread: over the places of one event loop, or over the processes of a Ray cluster.

    async with open_engine(stage.name, llm, runtime, Path("models/base")) as engine:
        outcomes = await engine.map_rows(rows, make_worker, spool, label="grounding", tally=tally_of)
        responses, figures = engine.client.used(), engine.client.ledger.metrics()

`make_worker(client)` gives the function of one row. It is called once in every process that works on rows and is sent
there by Ray with all that it refers to, so what it refers to must be data, not files or connections. Equal rows give
equal results with either engine (tests/engine).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from stages.errors import ParamsError
from stages.llm.asking import Chat
from stages.llm.client import Client, map_rows, open_client
from stages.llm.failures import CallFailed
from stages.llm.params import LLMParams
from stages.llm.spool import Spool
from stages.llm.used import UsedResponses
from stages.llm.watch import Watched
from stages.runtime import RuntimeParams

Item = TypeVar("Item")
Result = TypeVar("Result")
MakeWorker = Callable[[Chat], Callable[[Item], Awaitable[Result]]]


class Accounts(Protocol):
    """What a client's calls came to: `stages.llm.ledger.Ledger`, here or in another process."""

    def parse_failed(self, purpose: str) -> None: ...

    def metrics(self) -> dict[str, Any]: ...

    def timings(self) -> dict[str, float]: ...


class EngineClient(Chat, Watched, Protocol):
    """A Client, here or in another process."""

    @property
    def ledger(self) -> Accounts: ...

    @property
    def same_model(self) -> bool: ...

    def used(self) -> UsedResponses: ...


class Engine(Protocol):
    """Where rows are worked on."""

    client: EngineClient

    async def map_rows(
        self,
        rows: Sequence[Item],
        make_worker: MakeWorker[Item, Result],
        spool: Spool[Result],
        *,
        label: str,
        tally: Callable[[Result], str] | None = None,
    ) -> Sequence[Result | CallFailed]:
        """The results in the order of `rows`, as `stages.llm.rows.map_rows` gives them: they are in `spool`."""


class LocalEngine:
    """Everything in this process."""

    def __init__(self, client: Client, runtime: RuntimeParams) -> None:
        self.client, self._runtime = client, runtime

    async def map_rows(
        self,
        rows: Sequence[Item],
        make_worker: MakeWorker[Item, Result],
        spool: Spool[Result],
        *,
        label: str,
        tally: Callable[[Result], str] | None = None,
    ) -> Sequence[Result | CallFailed]:
        """See `Engine`."""
        worker, concurrency = make_worker(self.client), self._runtime.concurrency
        return await map_rows(
            rows, worker, concurrency=concurrency, label=label, client=self.client, tally=tally, spool=spool
        )  # fmt: skip


@asynccontextmanager
async def open_engine(stage: str, llm: LLMParams, runtime: RuntimeParams, base_model: Path) -> AsyncIterator[Engine]:
    """The engine that `runtime.engine` names. Raises SecForgeError if it cannot be had."""
    if runtime.engine == "local" or runtime.batch_files:  # requests that are only written need no cluster
        async with open_client(stage, llm, runtime, base_model) as client:
            yield LocalEngine(client, runtime)
        return
    if "embedded" in (llm.teacher.provider, llm.judge.provider):
        raise ParamsError(
            "runtime.engine is `ray`, but a model of section llm is `embedded`: one process computes its answers, "
            "so there is nothing to spread.",
            allowed="runtime.engine `local`, or the provider `openai` for teacher and judge",
            remedy="Set runtime.engine to `local`, or llm.teacher and llm.judge to models of a server.",
        )
    from stages.engine.ray_engine import open_ray_engine

    async with open_ray_engine(stage, llm, runtime, base_model) as engine:
        yield engine
