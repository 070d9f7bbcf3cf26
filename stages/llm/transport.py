"""One `openai.AsyncOpenAI` per endpoint: a body goes out, a status and a body come back.

Its HTTP client is `stages.llm.network`, whose aiohttp pool stays fast with hundreds of connections; the embedded model
is another one under the same package. Retries, limits and deadlines are made above this module.
"""

import os
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from stages.errors import LLMError, SecForgeError
from stages.llm.failures import Transient
from stages.runtime import Endpoint

if TYPE_CHECKING:
    import httpx2

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHORTEST_KEY = 16  # characters; local servers are given placeholders
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
        self._url = f"{self.address.rstrip('/')}/chat/completions"
        if http_client is None:
            from stages.llm.network import Network

            http_client = Network(self._url, endpoint.max_concurrency + SPARE_CONNECTIONS)
        self._client = openai.AsyncOpenAI(
            base_url=self.address,
            api_key="unused",  # the header says what is sent: a key, the address's user and password, or nothing
            max_retries=0,
            timeout=None,
            http_client=http_client,
        )

    async def post(self, body: bytes, key: str) -> Answered:
        """The answer to the request `body`; `key` names it.

        Raises Transient for a connection that was not made or broke, and for a body that is too large.
        """
        import httpx2
        import openai

        options: Any = {"headers": self._headers | {"X-Request-Key": key}}
        try:
            response = await self._client.post(self._url, cast_to=httpx2.Response, content=body, options=options)
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
        detail = masked(f"{self.address}: {said}"[:300], self._secrets)
        return Transient("server-error" if unmade else "bad-response", detail, unreachable=unmade)


def safe_address(base_url: str) -> str:
    """Scheme, host, port and path: what may stand in a message. User and password may not."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{_host(parts)}{parts.path}"


def secrets_of(endpoint: Endpoint) -> list[str]:
    """What must never be told: the key, and a password in the address."""
    return [secret for secret in (_key(endpoint), unquote(urlsplit(endpoint.base_url).password or "")) if secret]


def masked(text: str, secrets: Sequence[str], shortest: int = 1) -> str:
    """`text` without any key. In answers only real keys are masked (`SHORTEST_KEY`): `none` or `x` are words, too."""
    for secret in secrets:
        if len(secret) >= shortest:
            text = text.replace(secret, "[key]")
    return text


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
