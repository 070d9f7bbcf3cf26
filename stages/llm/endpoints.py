"""Chat completions from the servers of one role: replicas with limits of their own, deadlines, retries.

A call that failed is sent again at once, with jitter or after the delay that the server names, to another replica
if there is one, and before any call that has not been sent yet. While it waits its row does not count as busy, so
another row takes the free place.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from stages.errors import LLMError
from stages.llm.failures import CallFailed, Transient
from stages.llm.limits import Limit, Ticket
from stages.llm.refusals import delay_before, refusal
from stages.llm.rows import resting
from stages.llm.transport import SHORTEST_KEY, Transport, masked, safe_address, secrets_of
from stages.llm.wire import Completion, read_completion
from stages.runtime import Endpoint

FIRST_CALLS = 8  # this many failures of one kind, and no success: the endpoint is not fit for use
BUSY, OVERLOADED = 429, 503


class Replica:
    """One server, and how much of it may be used."""

    def __init__(self, endpoint: Endpoint, transport: Transport, *, timeout: float | None) -> None:
        self.transport, self.timeout = transport, timeout
        self.address = safe_address(endpoint.base_url)
        self.limit = Limit(endpoint.max_concurrency)


class Place(NamedTuple):
    """A replica that takes a call, and the call's number there."""

    replica: Replica
    ticket: Ticket


class Waiting(NamedTuple):
    """A call that no replica had a place for."""

    turn: "asyncio.Future[Place]"
    avoid: Replica | None


class Pool:
    """The replicas of one role. `send` gives each call to the one with the smallest share of its limit in use."""

    def __init__(self, role: str, replicas: Sequence[Replica], *, retries: int, secrets: Sequence[str] = ()) -> None:
        self.role, self.replicas, self.retries = role, replicas, retries
        self.retried = 0
        self._secrets = secrets
        self._queue: deque[Waiting] = deque()
        self._succeeded = 0.0  # when a call last succeeded
        self._first_failures: list[str] = []

    @property
    def refusals(self) -> int:
        """Attempts that were answered 429 or 503."""
        return sum(replica.limit.refusals for replica in self.replicas)

    async def send(self, payload: dict[str, Any], key: str) -> Completion:
        """The completion of `payload`. Raises CallFailed for this call, LLMError if no call can succeed."""
        started, failure, failed = time.monotonic(), Transient("timeout", "not tried"), None
        body = msgspec.json.encode(payload)
        for attempt in range(self.retries + 1):
            if attempt:
                self.retried += 1
                with resting():
                    await asyncio.sleep(delay_before(attempt, failure.retry_after))
            async with self._place(first=attempt > 0, avoid=failed) as place:
                try:
                    completion = await self._attempt(place.replica, body, key)
                except Transient as error:
                    failure, failed = error, place.replica
                    self._blame(place, error)
                except CallFailed as error:
                    place.replica.limit.answered(place.ticket)
                    raise self._note(error, place.replica) from None
                else:
                    place.replica.limit.answered(place.ticket)
                    self._succeeded = time.monotonic()
                    return completion
        raise self._lost(failed, failure, started)

    async def close(self) -> None:
        """Close the connections."""
        for replica in self.replicas:
            await replica.transport.close()

    @asynccontextmanager
    async def _place(self, *, first: bool, avoid: Replica | None) -> AsyncIterator[Place]:
        """A place at a replica, another than `avoid` if there is one; those who come `first` wait before all others."""
        place = self._choose(avoid) if first or not self._queue else None
        if place is None:
            place = await self._wait(Waiting(asyncio.get_running_loop().create_future(), avoid), first)
        try:
            yield place
        finally:
            self._end(place)

    async def _wait(self, waiting: Waiting, first: bool) -> Place:
        self._queue.insert(0 if first else len(self._queue), waiting)
        try:
            return await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.done() and not waiting.turn.cancelled():
                self._end(waiting.turn.result())  # it had been given already
            raise

    def _end(self, place: Place) -> None:
        place.replica.limit.end()
        self._give_places()

    def _choose(self, avoid: Replica | None) -> Place | None:
        """A place at the best replica that has one; a replica that only fails is left alone while another works."""
        working = [replica for replica in self.replicas if not replica.limit.is_failing()] or self.replicas
        free = [replica for replica in working if replica.limit.is_free()]
        if not free:
            return None
        best = min(free, key=lambda replica: (replica is avoid, replica.limit.share))
        return Place(best, best.limit.begin())

    def _give_places(self) -> None:
        """Free places go to those who wait."""
        while self._queue:
            if self._queue[0].turn.done():  # cancelled
                self._queue.popleft()
            elif place := self._choose(self._queue[0].avoid):
                self._queue.popleft().turn.set_result(place)
            else:
                break

    def _blame(self, place: Place, error: Transient) -> None:
        """The replica's limit learns of a failure; if it rests, those who wait are looked after when the rest ends."""
        limit = place.replica.limit
        if error.status in (BUSY, OVERLOADED):
            rest = limit.refused(place.ticket, overloaded=error.status == OVERLOADED, retry_after=error.retry_after)
        else:
            rest = limit.failed(place.ticket)
        if rest:
            asyncio.get_running_loop().call_later(rest + 0.001, self._give_places)

    async def _attempt(self, replica: Replica, body: bytes, key: str) -> Completion:
        """One request within its deadline. Raises Transient, CallFailed or LLMError."""
        try:
            async with asyncio.timeout(replica.timeout):
                answered = await replica.transport.post(body, key)
        except TimeoutError:
            raise Transient("timeout", f"{replica.address} gave no whole answer in {replica.timeout:g} s") from None
        if not 200 <= answered.status < 300:
            said = masked(answered.body[:1200].decode(errors="replace"), self._secrets)[:300]
            raise refusal(self.role, answered.status, said, replica.address, answered.retry_after)
        try:
            completion = read_completion(answered.body)
        except ValueError as error:
            raise Transient("bad-response", masked(f"{replica.address}: {error}", self._secrets)) from None
        message = completion.choices[0].message
        message.content = masked(message.text, self._secrets, shortest=SHORTEST_KEY)
        return completion

    def _lost(self, replica: Replica | None, failure: Transient, started: float) -> Exception:
        """The error of a call whose retries are used up."""
        if failure.unreachable and self._succeeded < started:
            return LLMError(
                f"{self.role}: {failure.detail} ({self.retries + 1} attempts).",
                remedy=f"Start the server, or mend runtime.endpoints.{self.role} in params.yaml.",
            )
        return self._note(CallFailed(failure.reason, f"{failure.detail} ({self.retries + 1} attempts)"), replica)

    def _note(self, failure: CallFailed, replica: Replica | None) -> Exception:
        """`failure`, or an LLMError if nothing but this kind of failure has come from the start."""
        if self._succeeded or failure.reason in ("too-long", "filtered"):
            return failure
        self._first_failures.append(failure.reason)
        first = self._first_failures[:FIRST_CALLS]
        if len(first) < FIRST_CALLS or len(set(first)) > 1:
            return failure
        address = replica.address if replica else "no endpoint"
        return LLMError(
            f"{self.role}: the first {FIRST_CALLS} calls to {address} all failed: {failure}",
            remedy=f"Check the server and the model's name; runtime.endpoints.{self.role} in params.yaml says where it is.",
        )


def open_pool(role: str, endpoints: Sequence[Endpoint], *, timeout: float, retries: int) -> Pool:
    """Connections to `endpoints`. Raises LLMError if there is none, or a key is missing."""
    if not endpoints:
        raise LLMError(
            f"the {role} has the provider `openai`, but no endpoint.",
            remedy=f"Add one to runtime.endpoints.{role} in params.yaml, or set llm.{role}.provider to `embedded`.",
        )
    replicas = [Replica(endpoint, Transport(endpoint), timeout=timeout) for endpoint in endpoints]
    secrets = [secret for endpoint in endpoints for secret in secrets_of(endpoint)]
    return Pool(role, replicas, retries=retries, secrets=secrets)
