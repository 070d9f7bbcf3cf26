"""The HTTP client under `openai.AsyncOpenAI`: an aiohttp session that posts to one address.

The package gives every request to an `httpx2.AsyncClient`, which looks anew for proxies, cookies, a login and
redirects; that takes more processor time than to send it. Here is only what a chat completion needs. The server is
not trusted: a body has a size limit, is never unpacked, and no redirect is followed.
"""

from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2
from yarl import URL

BODY_LIMIT = 16 * 1024 * 1024  # bytes of one answer; 4,096 tokens have about 20 KB
IDLE = 4.0  # seconds that an unused connection is kept: less than the 5 s of uvicorn, which serves vLLM


class Network(httpx2.AsyncClient):
    """Posts to `url` over up to `connections` at once, through the proxy that the environment names."""

    def __init__(self, url: str, connections: int) -> None:
        super().__init__(transport=_NoTransport(), timeout=None)
        self._to, self._shown, self._connections = URL(url), httpx2.URL(url), connections
        self._session: aiohttp.ClientSession | None = None

    def build_request(self, method: str, url: Any, *, content: Any = None, headers: Any = None, **_: Any) -> httpx2.Request:
        """As `openai` asks for it; the body goes beside it, unlooked at."""
        return httpx2.Request(method, self._shown, headers=headers, stream=_EMPTY, extensions={"body": content})

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        """The whole answer. Raises ConnectError for a connection that was not made, ReadError for what broke or is too large."""
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers.raw}
        body = request.extensions["body"]
        try:
            async with self._opened().post(self._to, data=body, headers=headers, allow_redirects=False) as answer:
                content = await _read(answer.content)
        except aiohttp.ClientHttpProxyError as error:  # its own text may name the proxy with user and password
            raise httpx2.ConnectError(f"the proxy answered {error.status} {error.message}") from None
        except aiohttp.ClientConnectorError as error:
            raise httpx2.ConnectError(str(error)) from error
        except aiohttp.ClientError as error:
            raise httpx2.ReadError(str(error)) from error
        # Only what is used: `openai` decodes the text of a refusal, and a charset or encoding may name any codec.
        kept = [(name, value) for name, value in answer.raw_headers if name.lower() == b"retry-after"]
        return httpx2.Response(answer.status, headers=kept, content=content, request=request)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
        await super().aclose()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            trusted = httpx2.create_ssl_context() if self._to.scheme == "https" else True
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, ssl=trusted, keepalive_timeout=IDLE),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # the deadline is the caller's
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=_proxy_for(self._to),
                auto_decompress=False,  # none was asked for, and a small compressed body may unpack to any size
            )
        return self._session


class _NoTransport(httpx2.AsyncBaseTransport):
    """`send` needs none; without one an `httpx2.AsyncClient` would make a pool of its own."""


_EMPTY = httpx2.ByteStream(b"")


def _proxy_for(url: URL) -> str | None:
    """What HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say."""
    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    return None if not named or proxy_bypass(url.host or "") else named


async def _read(stream: aiohttp.StreamReader) -> bytes:
    """The body. Raises ReadError above BODY_LIMIT bytes."""
    chunks, size = [], 0
    while chunk := await stream.readany():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise httpx2.ReadError(f"the answer is larger than {BODY_LIMIT:,} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
