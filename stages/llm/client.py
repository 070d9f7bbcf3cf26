"""The one client of every stage that talks to a model.

    async with open_client("enrich", llm, runtime, Path("models/base")) as client:
        reply = await client.chat(Request(purpose="enrich.rewrite", messages=[...]))

A request is looked up in the response cache first; only what is not there goes to an endpoint, or to the
embedded model, which answers behind the same interface; or it is written into a batch file, and its row waits.
"""

import asyncio
import hashlib
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

import msgspec

from stages.llm.answers import response_of
from stages.llm.batch import BatchFiles
from stages.llm.budget import BudgetGuard
from stages.llm.cache import ResponseCache, cache_path, shared_path
from stages.llm.endpoints import Pool, open_pool
from stages.llm.failures import FAILED, CallFailed, Pending, failure_of
from stages.llm.ledger import Ledger
from stages.llm.params import LLMParams, Role
from stages.llm.rows import map_rows, waiting_call
from stages.llm.schema import StoredResponse
from stages.llm.used import UsedResponses
from stages.llm.watch import Figures
from stages.llm.wire import Completion
from stages.runtime import RuntimeParams

__all__ = ["CallFailed", "Client", "Reply", "Request", "StoredResponse", "map_rows", "open_client"]

RoleName = Literal["teacher", "judge"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a model."""

    purpose: str  # "enrich.rewrite": the namespace of the cache key, and a line of the ledger
    messages: list[dict[str, str]]  # chat messages: role, content
    role: RoleName = "teacher"
    max_tokens: int | None = None  # None: the role's
    temperature: float | None = None  # None: the role's
    attempt: int = 0  # a second attempt is another sample: other key, other seed
    allow_truncated: bool = False  # an answer cut at max_tokens is good enough (a verdict stands in the first words)
    repair: str = ""  # what `stages.llm.asking` says after a reply that cannot be read; no part of this request
    schema: dict[str, Any] | None = None  # JSON schema of the reply, with a `title`; sent where the role's server knows schemas


class Reply(msgspec.Struct, frozen=True):
    """A usable answer."""

    text: str
    finish_reason: str
    key: str  # of the request; rows keep it as provenance
    cached: bool
    prompt_tokens: int
    completion_tokens: int


class _Call(NamedTuple):
    """A request as it is sent and stored."""

    request: Request
    payload: dict[str, Any]
    key: str


class Client:
    """Answers requests from the cache or a model. An async context manager; see `open_client`."""

    def __init__(self, stage: str, llm: LLMParams, runtime: RuntimeParams, base_model: Path, cache: ResponseCache) -> None:
        self.stage, self.llm, self.runtime, self.base_model = stage, llm, runtime, base_model
        self.ledger = Ledger(runtime.prices)
        self._cache = cache
        self._budget = BudgetGuard(runtime.budget, self.ledger, stage)
        self._pools: dict[str, Pool] = {}
        self._identities: dict[str, str] = {}
        self._asked: dict[str, asyncio.Task[StoredResponse]] = {}
        self._calls: dict[str, _Call] = {}  # those being asked
        batch = Path(runtime.batch_files).expanduser()
        self._batch = BatchFiles(batch, stage, runtime.prices, runtime.budget) if runtime.batch_files else None
        self._told: set[str] = set()  # reasons of failures that the user has been told of

    async def chat(self, request: Request) -> Reply:
        """The answer to `request`. Raises CallFailed if this row has none, Pending if it waits, LLMError if the stage cannot go on."""
        call = self._prepare(request)
        stored = self._cache.get(call.key)
        cached = stored is not None and (stored[1] or not failure_of(stored[0], allow_truncated=request.allow_truncated))
        if stored is None or not cached:
            if self._batch is not None and self._role(request.role).provider == "openai":
                self._budget.check_price(self._role(request.role).model)
                raise self._batch.ask(call.key, request.purpose, request.role, call.payload)
            stored = (await self._ask_once(call), True)
        else:
            self.ledger.hits += 1
        return self._reply(request, stored[0], cached)

    def figures(self) -> Figures:
        """What this run has done so far, for those who watch it."""
        ledger = self.ledger
        usd = ledger.usd if ledger.prices else None
        return Figures(calls=ledger.calls, hits=ledger.hits, tokens=ledger.tokens, usd=usd, in_flight=len(self._asked))

    def used(self) -> UsedResponses:
        """Every response that this build used, sorted by key."""
        return UsedResponses(self._cache.path, self._cache.shared, *self.ledger.used())

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        for pool in self._opened():
            await pool.close()
        await self._cache.settle()
        self._cache.close()
        if self._batch is not None:
            self._batch.close(keep=error_type is None or issubclass(error_type, Pending))

    def _prepare(self, request: Request) -> _Call:
        role = self._role(request.role)
        payload: dict[str, Any] = {
            "model": role.model,
            "messages": request.messages,
            "max_tokens": request.max_tokens or role.max_tokens,
            "temperature": role.temperature if request.temperature is None else request.temperature,
        }
        if role.repetition_penalty != 1.0:
            payload["repetition_penalty"] = role.repetition_penalty
        if request.schema and role.json_schema:
            named = {"name": request.schema["title"], "strict": True, "schema": request.schema}
            payload["response_format"] = {"type": "json_schema", "json_schema": named}
        identity = self._identity(request.role)
        key = _digest(request.purpose, identity, payload, request.attempt)
        payload["seed"] = int(key[:8], 16) >> 1  # 31 bits: what every server takes
        return _Call(request, payload, key)

    def _role(self, name: RoleName) -> Role:
        return self.llm.teacher if name == "teacher" else self.llm.judge

    def _identity(self, name: RoleName) -> str:
        """What tells one model from another: the hash of local weights, else the model's name."""
        if name not in self._identities:
            role = self._role(name)
            self._identities[name] = role.model
            if role.provider == "embedded":
                from stages.base.location import model_hash

                self._identities[name] = f"sha256:{model_hash(self.base_model)}"
            if name == "judge":
                self._warn_if_same_model()
        return self._identities[name]

    @property
    def same_model(self) -> bool:
        """Whether the judge is the teacher: by weights where they are local, else by name."""
        return self._identity("teacher") == self._identity("judge")

    def _warn_if_same_model(self) -> None:
        if self.same_model:
            print(
                f"[{self.stage}] warning: teacher and judge are the same model ({self.llm.judge.model}); "
                "a model prefers its own answers. Set another one in llm.judge of params.yaml.",
                file=sys.stderr,
            )

    async def _ask_once(self, call: _Call) -> StoredResponse:
        """Ask the model; two rows that ask the same at the same time share one call."""
        task = self._asked.get(call.key)
        if task is None:
            self._calls[call.key] = call
            task = self._asked[call.key] = asyncio.create_task(self._ask(call))
            task.add_done_callback(lambda done: self._forget(call.key, done))
        with waiting_call():
            return await asyncio.shield(task)

    def _forget(self, key: str, task: asyncio.Task[StoredResponse]) -> None:
        del self._asked[key], self._calls[key]
        if not task.cancelled():
            task.exception()  # seen, even if the row that asked has gone

    async def _ask(self, call: _Call) -> StoredResponse:
        """Ask the model within the budget and store what came."""
        role, size = self._role(call.request.role), sum(len(one["content"].encode()) for one in call.request.messages)
        reserved = await self._budget.reserve(role.model, size, len(call.request.messages), call.payload["max_tokens"])
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._budget.seconds_left()):
                completion = await self._pool(call.request.role).send(call.payload, call.key)
        except CallFailed as failure:
            self._tell(call, failure)
            return self._response(call, "", FAILED + failure.reason, 0, 0)
        except TimeoutError:
            self._budget.seconds_left()
            raise
        finally:
            self._budget.release(reserved)
            self.ledger.retries = sum(pool.retried for pool in self._opened())
            self.ledger.refusals = sum(pool.refusals for pool in self._opened())
        response = self._read(call, completion)
        self.ledger.spend(response, time.monotonic() - started)
        self._budget.learn(size, response.prompt_tokens)
        return (await self._cache.put([response]))[0] if role.provider == "openai" else response

    def _tell(self, call: _Call, failure: CallFailed) -> None:
        """What the server said goes to the terminal, once per reason; outputs hold reason and request only."""
        if failure.reason not in self._told:
            self._told.add(failure.reason)
            print(f"[{self.stage}] request {call.key[:12]}: {failure} (further ones are only counted)", file=sys.stderr)

    async def _store_batch(self, completions: Mapping[str, Completion]) -> None:
        """Keep what the embedded model made, in one transaction. Its failures are kept too: asked again it would repeat them."""
        await self._cache.put([self._read(self._calls[key], done) for key, done in completions.items()], replay=True)

    def _read(self, call: _Call, completion: Completion) -> StoredResponse:
        chars = sum(len(one["content"]) for one in call.request.messages)
        return response_of(call.key, call.request.purpose, call.payload["model"], completion, chars)

    def _response(self, call: _Call, text: str, finish_reason: str, prompt_tokens: int, completion_tokens: int) -> StoredResponse:
        return StoredResponse(
            key=call.key, namespace=call.request.purpose, model=call.payload["model"], text=text,
            finish_reason=finish_reason, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens,
        )  # fmt: skip

    def _reply(self, request: Request, stored: StoredResponse, cached: bool) -> Reply:
        failure = failure_of(stored, allow_truncated=request.allow_truncated)
        self.ledger.use(stored, failure)
        if failure:
            raise CallFailed(failure, f"request {stored.key[:12]}")
        return Reply(stored.text, stored.finish_reason, stored.key, cached, stored.prompt_tokens, stored.completion_tokens)

    def _opened(self) -> list[Pool]:
        """The embedded model is one pool of two roles."""
        return list(dict.fromkeys(self._pools.values()))

    def _pool(self, name: RoleName) -> Pool:
        """The connections of a role, made at its first call that is not cached."""
        if name not in self._pools:
            role, runtime = self._role(name), self.runtime
            if role.provider == "embedded":
                from stages.llm.embedded import open_embedded

                pool = open_embedded(self.base_model, runtime, self._store_batch)
                self._pools.update({one: pool for one in ("teacher", "judge") if self._role(one).provider == "embedded"})
            else:
                self._budget.check_price(role.model)
                endpoints = getattr(runtime.endpoints, name)
                self._pools[name] = open_pool(name, endpoints, timeout=runtime.timeout, retries=runtime.retries)
        return self._pools[name]


def open_client(stage: str, llm: LLMParams, runtime: RuntimeParams, base_model: Path) -> Client:
    """A client for `stage`. Nothing is imported, loaded or contacted before the first call that is not cached."""
    return Client(stage, llm, runtime, base_model, ResponseCache(cache_path(), shared_path(runtime)))


def _digest(*parts: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()
