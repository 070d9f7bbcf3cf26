"""One `openai.AsyncOpenAI` per endpoint: a body goes out, a status and a body come back.

Its HTTP client is the package's own aiohttp transport, whose pool stays fast with hundreds of connections; the embedded
model is another HTTP transport under the same client. Retries, limits and deadlines are made above this module. The
server is not trusted: a body has a size limit, is never unpacked, and no redirect is followed.
"""

import os
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from stages.errors import LLMError, SecForgeError
from stages.llm.failures import Transient
from stages.runtime import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx2

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BODY_LIMIT = 16 * 1024 * 1024  # bytes of one answer; 4,096 tokens have about 20 KB
SPARE_CONNECTIONS = 8  # beside those of the calls in flight: a broken one may still be closing


class Answered(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    retry_after: str = ""


class Transport:
    """The chat completions of one endpoint."""

    def __init__(self, endpoint: Endpoint, http_client: "httpx2.AsyncClient | None" = None) -> None:
        """Raises LLMError if the endpoint's key is missing or could be overheard. `http_client`: instead of the network."""
        import openai

        self.address, self._secrets = safe_address(endpoint.base_url), secrets_of(endpoint)
        self._headers: dict[str, Any] = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": _authorization(endpoint) or openai.Omit(),
        }
        self._client = openai.AsyncOpenAI(
            base_url=self.address,
            api_key="unused",  # the header says what is sent: a key, the address's user and password, or nothing
            max_retries=0,
            timeout=None,
            http_client=http_client or _network(endpoint),
        )

    async def post(self, payload: dict[str, Any], key: str) -> Answered:
        """The answer to `payload`; `key` names the request.

        Raises Transient for a connection that was not made or broke, and for a body that is too large.
        """
        import httpx2
        import openai

        options: Any = {"headers": self._headers | {"X-Request-Key": key}}
        try:
            response = await self._client.post(
                "/chat/completions", cast_to=httpx2.Response, content=msgspec.json.encode(payload), options=options
            )
        except openai.APIStatusError as error:
            response = error.response
        except (openai.APIConnectionError, httpx2.HTTPError, OSError) as error:
            raise self._broken(error) from None
        return Answered(response.status_code, response.content, response.headers.get("retry-after", ""))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _broken(self, error: Exception) -> Exception:
        """A connection that was not made, or ended within the answer. (The deadline is the caller's.)"""
        import aiohttp
        import httpx2

        chain: list[BaseException] = [error]
        while (cause := chain[-1].__cause__) is not None:
            chain.append(cause)
        ours = next((one for one in chain if isinstance(one, SecForgeError | Transient)), None)
        if ours is not None:
            return ours
        unmade = any(
            isinstance(one, aiohttp.ClientConnectorError | httpx2.ConnectError | httpx2.UnsupportedProtocol) for one in chain
        )
        said = next((str(one) for one in reversed(chain) if str(one)), type(error).__name__)
        detail = self._clean(f"{self.address}: {said}"[:300])
        return Transient("server-error" if unmade else "bad-response", detail, unreachable=unmade)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text


def _network(endpoint: Endpoint) -> "httpx2.AsyncClient":
    """An HTTP client with enough connections, no redirects and a limited body."""
    import httpx2
    import openai

    most = endpoint.max_concurrency + SPARE_CONNECTIONS
    limits = httpx2.Limits(max_connections=most, max_keepalive_connections=most)
    client = openai.DefaultAioHttpClient(limits=limits, follow_redirects=False)
    client.event_hooks = {"response": [_limit_body]}
    return client


async def _limit_body(response: "httpx2.Response") -> None:
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


def safe_address(base_url: str) -> str:
    """Scheme, host, port and path: what may stand in a message. User and password may not."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{_host(parts)}{parts.path}"


def secrets_of(endpoint: Endpoint) -> list[str]:
    """What must never be told: the key, and a password in the address."""
    return [secret for secret in (_key(endpoint), unquote(urlsplit(endpoint.base_url).password or "")) if secret]


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _authorization(endpoint: Endpoint) -> str:
    """The header's value: the key, else the user and password of the address, else empty."""
    if key := _key(endpoint):
        return f"Bearer {key}"
    parts = urlsplit(endpoint.base_url)
    if not parts.username:
        return ""
    return "Basic " + b64encode(f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()).decode()


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
