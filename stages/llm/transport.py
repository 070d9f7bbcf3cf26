"""One HTTP connection pool per endpoint: a body goes out, a status and a body come back.

Through aiohttp alone, which takes a third of the processor time of a general client and stays fast with hundreds
of connections. The server is not trusted: a body has a size limit, is never unpacked, and no redirect is followed.
"""

import os
import ssl
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from stages.errors import LLMError
from stages.llm.failures import Transient
from stages.runtime import Endpoint

if TYPE_CHECKING:
    import aiohttp

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BODY_LIMIT = 16 * 1024 * 1024  # bytes of one answer; 4,096 tokens have about 20 KB


class Answered(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    retry_after: str = ""


class Transport(Protocol):
    """Whatever answers chat completions: a server, or the embedded model."""

    async def post(self, payload: dict[str, Any], key: str) -> Answered:
        """The answer to `payload`. `key` names the request. Raises Transient if none came."""

    async def close(self) -> None:
        """Give everything back."""


class HTTPTransport:
    """The chat completions of one server. Connections are made at the first call."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Raises LLMError if the endpoint's key is missing or could be overheard."""
        self.address, self._secrets = safe_address(endpoint.base_url), secrets_of(endpoint)
        self._parts = urlsplit(endpoint.base_url)
        self._url = urlunsplit(
            self._parts._replace(netloc=_host(self._parts), path=f"{self._parts.path.rstrip('/')}/chat/completions")
        )
        self._proxy = _proxy(self._parts)
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "secforge"}
        if authorization := _authorization(endpoint):
            self._headers["Authorization"] = authorization
        self._session: aiohttp.ClientSession | None = None

    async def post(self, payload: dict[str, Any], key: str) -> Answered:
        """Raises Transient for a connection that was not made or broke, and for a body that is too large."""
        import aiohttp

        session = self._session or self._open()
        headers = self._headers | {"X-Request-Key": key}
        try:
            async with session.post(
                self._url, data=msgspec.json.encode(payload), headers=headers, allow_redirects=False, proxy=self._proxy
            ) as response:
                return Answered(response.status, await self._body(response), response.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            unmade = isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL)
            detail = self._clean(f"{self.address}: {str(error) or type(error).__name__}"[:300])
            raise Transient("server-error" if unmade else "bad-response", detail, unreachable=unmade) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> "aiohttp.ClientSession":
        """No limit on connections: the caller counts its calls. No cookies, no time limit (the caller has one)."""
        import aiohttp

        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=_trusted() if self._parts.scheme == "https" else True),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return self._session

    async def _body(self, response: "aiohttp.ClientResponse") -> bytes:
        chunks, size = [], 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > BODY_LIMIT:
                response.close()
                raise Transient("bad-response", f"{self.address}: the answer is larger than {BODY_LIMIT:,} bytes")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text


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


def _proxy(parts: SplitResult) -> str | None:
    """The proxy that the environment names for this host; never one for this machine."""
    if parts.hostname in LOOPBACK or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


@cache
def _trusted() -> ssl.SSLContext:
    """Certificates of the system, or of `SSL_CERT_FILE`, and those that come with Python's packages."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
