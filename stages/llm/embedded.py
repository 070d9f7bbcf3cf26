"""The embedded model behind the interface of a server: an HTTP transport that answers in process.

Requests that arrive together are answered together. A batch is made only when no further request can come
before an answer does, from requests in a fixed order, and is stored in one transaction before anyone sees an
answer: so a build that was killed forms the same batches when it goes on, and no answer is computed twice.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from stages.errors import LLMError
from stages.llm.endpoints import Pool, Replica
from stages.llm.generation import Answer, Job, LocalModel
from stages.llm.rows import all_waiting
from stages.llm.transport import Transport
from stages.llm.wire import Choice, Completion, Message, Usage
from stages.runtime import Endpoint, RuntimeParams

Store = Callable[[Mapping[str, Completion]], Awaitable[None]]

SETTLED = 0.005  # seconds without a new request that end a batch's collection
PATIENCE = 10.0  # seconds to wait for a row that is busy with something else than a model
UNLIMITED = 1_000_000_000
FAULTS = (OSError, MemoryError, RuntimeError)  # of this machine and no row's own; torch says of a full memory RuntimeError


class EmbeddedTransport(httpx2.AsyncBaseTransport):
    """Answers chat completions with a LocalModel, loaded at the first request."""

    def __init__(self, load: Callable[[], LocalModel], store: Store, *, batch: int, in_flight: Callable[[], int]) -> None:
        """`store` keeps the completions of a batch, by request key; `in_flight` counts the requests on their way here."""
        self._load, self._store, self._batch, self._in_flight = load, store, batch, in_flight
        self._model: LocalModel | None = None
        self._loading = asyncio.Lock()
        self._pending: dict[str, tuple[Job, asyncio.Future[Completion]]] = {}
        self._arrived = 0
        self._runner: asyncio.Task[None] | None = None
        self._stopped = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The completion as an HTTP response: 200, or 400 for a prompt that leaves no room for an answer."""
        payload = msgspec.json.decode(await request.aread())
        model = await self._loaded()
        job = _job(request.headers["X-Request-Key"], payload, model)
        if len(job.prompt) + job.max_tokens > model.context:
            said = f"context_length_exceeded: {len(job.prompt)} + {job.max_tokens} tokens, the model has {model.context}"
            return httpx2.Response(400, json={"error": {"message": said}})
        answer: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._pending[job.key] = (job, answer)
        self._arrived += 1
        if self._runner is None:
            self._runner = asyncio.create_task(self._run(model))
        return httpx2.Response(200, content=msgspec.json.encode(await answer))

    async def aclose(self) -> None:
        """Stop after the token in progress; a batch that is not whole is not kept."""
        self._stopped = True
        if self._runner is not None:
            await asyncio.gather(self._runner, return_exceptions=True)

    async def _loaded(self) -> LocalModel:
        async with self._loading:
            if self._model is None:
                print("loading the embedded model", file=sys.stderr)
                try:
                    self._model = await asyncio.to_thread(self._load)
                except FAULTS as error:
                    raise _explained("loaded", error) from error
        return self._model

    async def _run(self, model: LocalModel) -> None:
        """Batch after batch until nothing waits. An error goes to every request that waits."""
        try:
            while self._pending and not self._stopped:
                await self._settle()
                await self._answer_batch(model)
        except Exception as error:
            for _, answer in self._pending.values():
                if not answer.done():
                    answer.set_exception(error)
            self._pending.clear()
        finally:
            self._runner = None

    async def _answer_batch(self, model: LocalModel) -> None:
        waiting = sorted((job for job, _ in self._pending.values()), key=_order)[: self._batch]
        try:
            answers = await asyncio.to_thread(model.generate, waiting, lambda: self._stopped)
        except FAULTS as error:
            raise _explained("run", error) from error
        completions = {job.key: _completion(job, answer) for job, answer in zip(waiting, answers, strict=True)}
        await self._store(completions)
        for key, completion in completions.items():
            _, future = self._pending.pop(key)
            if not future.done():
                future.set_result(completion)

    async def _settle(self) -> None:
        """Wait until no request is on its way here and every row waits for one, so that batches do not depend on timing."""
        seen, patience = -1, time.monotonic() + PATIENCE
        while seen != self._arrived or (not self._complete() and time.monotonic() < patience):
            seen = self._arrived
            for _ in range(20):
                await asyncio.sleep(0)
            await asyncio.sleep(SETTLED)

    def _complete(self) -> bool:
        return self._in_flight() <= len(self._pending) and all_waiting()


def open_embedded(base_model: Path, runtime: RuntimeParams, store: Store) -> Pool:
    """A pool of one replica, the model at `base_model`. Nothing is loaded yet."""
    replicas: list[Replica] = []
    answering = EmbeddedTransport(
        lambda: LocalModel(base_model, runtime), store, batch=runtime.batch, in_flight=lambda: replicas[0].limit.in_flight
    )
    endpoint = Endpoint(base_url="http://embedded.invalid/v1", max_concurrency=UNLIMITED)
    transport = Transport(endpoint, httpx2.AsyncClient(transport=answering, timeout=None))
    replicas.append(Replica(endpoint, transport, timeout=None))
    return Pool("embedded model", replicas, retries=0)


def _explained(what: str, error: Exception) -> LLMError:
    """What ends the stage: the next row would meet the same, and no server is behind this model that may recover."""
    said = " ".join(str(error).split())[:300] or type(error).__name__
    return LLMError(
        f"the embedded model cannot be {what}: {said}.",
        remedy="Free memory, or set a smaller `runtime.batch` or `runtime.device: cpu` in params.yaml, and run the same "
        "command again: answers that are there are kept. For a damaged model run `dvc repro base`.",
    )


def _job(key: str, payload: dict[str, Any], model: LocalModel) -> Job:
    return Job(
        key=key,
        prompt=model.encode(payload["messages"]),
        max_tokens=payload["max_tokens"],
        temperature=payload["temperature"],
        repetition_penalty=payload.get("repetition_penalty", 1.0),
        seed=payload["seed"],
    )


def _order(job: Job) -> tuple[int, int, str]:
    """Short answers first, then prompts of like length together: little padding, few rows that wait for others."""
    return job.max_tokens, len(job.prompt), job.key


def _completion(job: Job, answer: Answer) -> Completion:
    usage = Usage(prompt_tokens=len(job.prompt), completion_tokens=answer.completion_tokens)
    return Completion(choices=[Choice(Message(answer.text), answer.finish_reason)], usage=usage)
