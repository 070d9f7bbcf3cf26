"""Asking servers: bounded in size, time, rate and redirects, and only at public addresses.

No proxy of the environment is used, because a proxy would make the connection and the address could not be checked.
No cookie is kept and no script is run.
"""

import asyncio
import time
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from stages.ground.web.addresses import Guard, PrivateAddress, Resolve
from stages.ground.web.failures import Refused
from stages.llm.refusals import delay_before, seconds_of
from stages.runtime import WebAccess

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

AGENT = "SecForge"  # the name that robots.txt may address
USER_AGENT = f"{AGENT}/0.1 (reads pages as evidence for a security data set; obeys robots.txt)"
BODY_LIMIT = 2_000_000  # bytes of a body, as sent and as unpacked
RETRIES = 2
LONGEST_WAIT = 30.0  # seconds before a retry; a server that asks for more is left alone in this build
PASSING = (408, 425, 429)  # and 5xx: statuses that may be another a minute later


class Received(NamedTuple):
    """One response. The body of a redirect is not read."""

    status: int
    body: bytes
    content_type: str  # without parameters, in small letters
    charset: str  # as the header names it, or empty
    location: str  # of a redirect, or empty


class Fetcher:
    """Two sessions: one for pages, behind the guard; one for the provider that the params name."""

    def __init__(self, pages: "aiohttp.ClientSession", provider: "aiohttp.ClientSession", access: WebAccess) -> None:
        self._pages, self._provider, self._access = pages, provider, access
        self._open = asyncio.Semaphore(access.concurrency)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._free: dict[str, float] = {}  # host -> when it may be asked again

    async def page(self, url: "URL", *, kinds: tuple[str, ...], delay: float = 0.0, limit: int = BODY_LIMIT) -> Received:
        """The response of a public address. `kinds`: content types that are read; `delay`: seconds that the host asks for.

        Raises Refused.
        """
        return await self._patiently(self._pages, url, {}, kinds, max(delay, self._access.delay), limit)

    async def ask(self, url: "URL", headers: Mapping[str, str]) -> Received:
        """The provider's response. Raises Refused."""
        return await self._patiently(self._provider, url, headers, ("application/json",), self._access.query_delay, BODY_LIMIT)

    async def _patiently(
        self,
        session: "aiohttp.ClientSession",
        url: "URL",
        headers: Mapping[str, str],
        kinds: tuple[str, ...],
        delay: float,
        limit: int,
    ) -> Received:
        for attempt in range(1, RETRIES + 2):
            await self._turn(url.raw_host or "", delay)
            try:
                async with self._open:
                    return await _get(session, url, headers, kinds, limit)
            except Refused as refused:
                if refused.final or attempt > RETRIES or (refused.wait or 0.0) > LONGEST_WAIT:
                    raise
                await asyncio.sleep(delay_before(attempt, refused.wait))
        raise AssertionError("the last attempt returns or raises")

    async def _turn(self, host: str, delay: float) -> None:
        """Wait until `host` may be asked; those who wait for the same host come one after the other."""
        async with self._turns[host]:
            await asyncio.sleep(max(0.0, self._free.get(host, 0.0) - time.monotonic()))
            self._free[host] = time.monotonic() + delay


@asynccontextmanager
async def open_fetcher(access: WebAccess, resolve: Resolve | None = None) -> AsyncIterator[Fetcher]:
    """A Fetcher with its connections; `resolve` takes the place of the system's resolver."""
    import aiohttp

    guard = Guard(access.private_hosts, resolve or aiohttp.ThreadedResolver().resolve)
    connector = aiohttp.TCPConnector(
        resolver=guard,  # type: ignore[arg-type]
        socket_factory=guard.socket,
        use_dns_cache=False,
        limit=access.concurrency,
    )
    timeout = aiohttp.ClientTimeout(total=access.timeout)
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"}
    async with (
        aiohttp.ClientSession(
            connector=connector,
            headers=headers,
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        ) as pages,
        aiohttp.ClientSession(
            headers=headers, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
        ) as provider,
    ):
        yield Fetcher(pages, provider, access)


async def _get(
    session: "aiohttp.ClientSession", url: "URL", headers: Mapping[str, str], kinds: tuple[str, ...], limit: int
) -> Received:
    import aiohttp

    accept = {"Accept": ", ".join(kinds)}
    try:
        async with session.get(url, headers={**accept, **headers}, allow_redirects=False) as response:
            location = response.headers.get("Location", "") if response.status in (301, 302, 303, 307, 308) else ""
            if location:
                return Received(response.status, b"", "", "", location)
            _require_usable(response, kinds)
            return Received(response.status, await _body(response, limit), response.content_type, response.charset or "", "")
    except TimeoutError:
        raise Refused("timeout", final=False) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        private = _is_private(error)
        raise Refused("private-address" if private else "unreachable", final=private) from None


def _require_usable(response: "aiohttp.ClientResponse", kinds: tuple[str, ...]) -> None:
    """Raises Refused by status, content type and announced length, before the body is read."""
    status = response.status
    if status != 200:
        passing = status in PASSING or status >= 500
        raise Refused(f"http-{status}", final=not passing, wait=seconds_of(response.headers.get("Retry-After", "")))
    if response.content_type not in kinds:
        raise Refused("content-type")
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("gzip", "identity"):
        raise Refused("content-encoding")  # none but gzip was offered
    if (response.content_length or 0) > BODY_LIMIT:
        raise Refused("too-large")


async def _body(response: "aiohttp.ClientResponse", limit: int) -> bytes:
    """The body, unpacked. Raises Refused as soon as it is larger than `limit`, packed or unpacked."""
    raw = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        raw += chunk
        if len(raw) > limit:
            raise Refused("too-large")
    if response.headers.get("Content-Encoding", "").strip().lower() != "gzip":
        return bytes(raw)
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        body = unpacker.decompress(bytes(raw), limit + 1)
    except zlib.error:
        raise Refused("content-encoding") from None
    if len(body) > limit:
        raise Refused("too-large")
    if not unpacker.eof:
        raise Refused("content-encoding")
    return body


def _is_private(error: BaseException | None) -> bool:
    """Whether the guard stopped the connection: aiohttp wraps its errors, in more than one way."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, PrivateAddress):
            return True
        error, seen = error.__cause__ or getattr(error, "os_error", None) or error.__context__, seen + 1
    return False
