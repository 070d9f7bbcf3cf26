"""Chat completions from the servers of one role: replicas, slots, deadlines, retries.

Every call goes through `openai.AsyncOpenAI` (its aiohttp transport, whose pool stays fast with hundreds of
connections), with the retries made here: at once, with jitter, in the caller's own slot, with the delay that
the server names. Answers are hostile: a body has a size limit, an attempt a total deadline, and the form of the
answer is checked.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from stages.errors import LLMError, SecForgeError
from stages.llm.failures import CallFailed, Transient
from stages.runtime import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import openai

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BODY_LIMIT = 16 * 1024 * 1024  # bytes of one answer; 4,096 tokens have about 20 KB
LONGEST_DELAY = 120.0  # seconds; a longer Retry-After is not waited out
FIRST_CALLS = 8  # this many failures of one kind, and no success: the endpoint is not fit for use
SHORTEST_KEY = 16  # characters; local servers are given placeholders
FATAL_STATUS = {
    401: "Check the key in the variable that `api_key_env` names.",
    402: "The account has no credit left.",
    403: "The key may not use this model: check the account, and the model's name in section `llm`.",
    404: "Check `base_url` (it usually ends with /v1) and the model's name in section `llm`.",
    405: "Check `base_url`: it usually ends with /v1.",
}


class Message(msgspec.Struct):
    content: str | None = None


class Choice(msgspec.Struct):
    message: Message
    finish_reason: str | None = None


class Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Completion(msgspec.Struct):
    """The fields of a chat completion that are used."""

    choices: list[Choice]
    usage: Usage | None = None


class Replica:
    """One server and the calls in flight to it."""

    def __init__(self, endpoint: Endpoint, client: "openai.AsyncOpenAI", *, timeout: float | None, signed: bool = False) -> None:
        """`signed`: calls carry the client's key."""
        self.client, self.timeout, self.signed = client, timeout, signed
        self.address = safe_address(endpoint.base_url)
        self.slots, self.in_flight = endpoint.max_concurrency, 0


class Pool:
    """The replicas of one role. `send` gives each call to the one with the smallest share of busy slots."""

    def __init__(self, role: str, replicas: Sequence[Replica], *, retries: int, secrets: Sequence[str] = ()) -> None:
        self.role, self.replicas, self.retries = role, replicas, retries
        self.retried = 0
        self._secrets = [secret for secret in secrets if secret]
        self._queue: list[asyncio.Future[None]] = []
        self._succeeded = 0.0  # when a call last succeeded
        self._first_failures: list[str] = []

    async def send(self, payload: dict[str, Any], key: str) -> Completion:
        """The completion of `payload`. Raises CallFailed for this call, LLMError if no call can succeed."""
        started, failure, failed = time.monotonic(), Transient("timeout", "not tried"), None
        for attempt in range(self.retries + 1):
            if attempt:
                self.retried += 1
                await asyncio.sleep(_delay(attempt, failure.retry_after))
            try:
                async with self._slot(first=attempt > 0, avoid=failed) as replica:
                    failed = replica
                    completion = await self._attempt(replica, payload, key)
            except Transient as error:
                failure = error
            else:
                self._succeeded = time.monotonic()
                return completion
        raise self._lost(failed, failure, started)

    async def close(self) -> None:
        """Close the connections."""
        for replica in self.replicas:
            await replica.client.close()

    @asynccontextmanager
    async def _slot(self, *, first: bool, avoid: Replica | None) -> "AsyncIterator[Replica]":
        """A replica with a free slot, another than `avoid` if there is one; retries go before new calls."""
        while not (free := [replica for replica in self.replicas if replica.in_flight < replica.slots]):
            turn = asyncio.get_running_loop().create_future()
            self._queue.insert(0 if first else len(self._queue), turn)
            await turn
        replica = min(free, key=lambda one: (one is avoid, one.in_flight / one.slots))
        replica.in_flight += 1
        try:
            yield replica
        finally:
            replica.in_flight -= 1
            while self._queue:
                turn = self._queue.pop(0)
                if not turn.done():
                    turn.set_result(None)
                    break

    async def _attempt(self, replica: Replica, payload: dict[str, Any], key: str) -> Completion:
        """One request within its deadline. Raises Transient, CallFailed or LLMError."""
        import httpx2
        import openai

        options: Any = {"headers": {"Content-Type": "application/json", "Accept-Encoding": "identity", "X-Request-Key": key}}
        if not replica.signed:
            options["headers"]["Authorization"] = openai.Omit()
        try:
            async with asyncio.timeout(replica.timeout):
                response = await replica.client.post(
                    "/chat/completions", cast_to=httpx2.Response, content=msgspec.json.encode(payload), options=options
                )
        except TimeoutError:
            raise Transient("timeout", f"{replica.address} gave no whole answer in {replica.timeout:g} s") from None
        except openai.APIStatusError as error:
            raise self._refused(replica, error) from None
        except (openai.APIConnectionError, httpx2.HTTPError, OSError) as error:
            if isinstance(error.__cause__, SecForgeError):
                raise error.__cause__ from None
            raise self._broken(replica, error) from None
        return self._read(replica, response.content)

    def _read(self, replica: Replica, body: bytes) -> Completion:
        try:
            completion = msgspec.json.decode(body, type=Completion)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Transient("bad-response", self._clean(f"{replica.address}: {error}: {body[:80]!r}")) from None
        if not completion.choices:
            raise Transient("bad-response", f"{replica.address}: an answer without choices")
        message = completion.choices[0].message
        message.content = self._clean(message.content or "", shortest=SHORTEST_KEY)
        return completion

    def _refused(self, replica: Replica, error: "openai.APIStatusError") -> Exception:
        """What an HTTP status means: try again, give the row up, or give the stage up."""
        status, said = error.status_code, self._clean(error.response.text[:300])
        where = f"{replica.address} answered {status}: {said}"
        if status in FATAL_STATUS or "insufficient_quota" in said:
            remedy = FATAL_STATUS.get(status, FATAL_STATUS[402])
            return LLMError(f"{self.role}: {where}", remedy=f"{remedy} (runtime.endpoints.{self.role} in params.yaml)")
        if status == 429:
            return Transient("rate-limited", where, retry_after=_retry_after(error.response.headers.get("retry-after")))
        if status in (408, 409) or status >= 500:
            return Transient("server-error", where, retry_after=_retry_after(error.response.headers.get("retry-after")))
        lowered = said.lower()
        if status == 413 or "context_length" in lowered or "context length" in lowered or "too long" in lowered:
            return CallFailed("too-long", where)
        if "content_filter" in lowered or "content management policy" in lowered:
            return CallFailed("filtered", where)
        return self._note(CallFailed("bad-request", where), replica)

    def _broken(self, replica: Replica, error: Exception) -> Transient:
        """A connection that was not made, or ended within the answer. (The deadline is ours: no timeout is a slow server.)"""
        import aiohttp
        import httpx2

        chain: list[BaseException] = [error]
        while (cause := chain[-1].__cause__) is not None:
            chain.append(cause)
        unmade = any(
            isinstance(one, aiohttp.ClientConnectorError | httpx2.ConnectError | httpx2.UnsupportedProtocol) for one in chain
        )
        said = next((str(one) for one in reversed(chain) if str(one)), type(error).__name__)
        detail = self._clean(f"{replica.address}: {said}"[:300])
        return Transient("server-error" if unmade else "bad-response", detail, unreachable=unmade)

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
        self._first_failures.append(failure.reason)
        first = self._first_failures[:FIRST_CALLS]
        if self._succeeded or len(first) < FIRST_CALLS or len(set(first)) > 1:
            return failure
        address = replica.address if replica else "no endpoint"
        return LLMError(
            f"{self.role}: the first {FIRST_CALLS} calls to {address} all failed: {failure}",
            remedy=f"Check the server and the model's name; runtime.endpoints.{self.role} in params.yaml says where it is.",
        )

    def _clean(self, text: str, shortest: int = 1) -> str:
        """`text` without any key. In answers only real keys are masked: `none` or `x` are words, too."""
        for secret in self._secrets:
            if len(secret) >= shortest:
                text = text.replace(secret, "[key]")
        return text


def open_pool(role: str, endpoints: Sequence[Endpoint], *, timeout: float, retries: int) -> Pool:
    """Connections to `endpoints`. Raises LLMError if there is none, or a key is missing."""
    import openai

    if not endpoints:
        raise LLMError(
            f"the {role} has the provider `openai`, but no endpoint.",
            remedy=f"Add one to runtime.endpoints.{role} in params.yaml, or set llm.{role}.provider to `embedded`.",
        )
    keys = [_key(endpoint) for endpoint in endpoints]
    replicas = []
    for endpoint, key in zip(endpoints, keys, strict=True):
        client = openai.AsyncOpenAI(
            base_url=endpoint.base_url, api_key=key or "none", max_retries=0, timeout=None, http_client=_http_client(endpoint)
        )
        replicas.append(Replica(endpoint, client, timeout=timeout, signed=bool(key)))
    return Pool(role, replicas, retries=retries, secrets=keys)


def safe_address(base_url: str) -> str:
    """Scheme, host, port and path: what may stand in a message. User and password may not."""
    parts = urlsplit(base_url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _key(endpoint: Endpoint) -> str:
    """The key of an endpoint from the variable that it names, else empty. Raises LLMError if it is not set, or could be overheard."""
    if not endpoint.api_key_env:
        return ""
    key, parts = os.environ.get(endpoint.api_key_env, "").strip(), urlsplit(endpoint.base_url)
    if parts.hostname in LOOPBACK:
        return key
    if key and parts.scheme != "https":
        raise LLMError(
            f"the key in {endpoint.api_key_env} would go to {safe_address(endpoint.base_url)} unencrypted.",
            allowed="https://..., or plain http to this machine",
            remedy="Use https or an ssh tunnel, or leave `api_key_env` empty if the server needs no key.",
        )
    if key:
        return key
    raise LLMError(
        f"no key for {safe_address(endpoint.base_url)}: the variable {endpoint.api_key_env} is not set.",
        remedy=f"export {endpoint.api_key_env}=... (the key never stands in a file), or name another variable in `api_key_env` (empty: no key is sent).",
    )


def _http_client(endpoint: Endpoint) -> Any:
    """An HTTP client with enough connections, no redirects and a limited body."""
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=endpoint.max_concurrency + 8, max_keepalive_connections=endpoint.max_concurrency + 8)
    client = openai.DefaultAioHttpClient(limits=limits, follow_redirects=False)
    client.event_hooks = {"response": [_limit_body]}
    return client


async def _limit_body(response: Any) -> None:
    response.headers.pop("content-encoding", None)  # none was asked for; a small compressed body may unpack to any size
    response.stream = _limited(response.stream)


def _limited(stream: Any) -> Any:
    """`stream`, ended with an error after BODY_LIMIT bytes."""
    import httpx2

    class Limited(httpx2.AsyncByteStream):
        async def __aiter__(self) -> "AsyncIterator[bytes]":
            size = 0
            async for chunk in stream:
                size += len(chunk)
                if size > BODY_LIMIT:
                    raise httpx2.ReadError(f"the answer is larger than {BODY_LIMIT:,} bytes")
                yield chunk

        async def aclose(self) -> None:
            await stream.aclose()

    return Limited()


def _delay(attempt: int, retry_after: float | None) -> float:
    """Seconds before attempt number `attempt`: the server's delay, or 0.1 s tripled each time, with jitter."""
    if retry_after is not None:
        return min(retry_after, LONGEST_DELAY) + random.uniform(0, 0.05 + 0.05 * retry_after)
    return min(0.1 * 3 ** (attempt - 1), 30.0) * random.uniform(0.5, 1.0)


def _retry_after(value: str | None, now: Callable[[], float] = time.time) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now())
    except (TypeError, ValueError):
        return None
