"""robots.txt: what a host lets this program read, and how fast (RFC 9309).

Rules are matched as the standard library does: the first that fits decides, and `*` and `$` within a path are letters.
"""

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.robotparser import RobotFileParser

from stages.ground.web.addresses import checked
from stages.ground.web.failures import Refused
from stages.ground.web.fetch import AGENT, Fetcher

if TYPE_CHECKING:
    from collections.abc import Collection

    from yarl import URL

LIMIT = 500_000  # bytes that are read of a robots.txt (RFC 9309, 2.5)
REDIRECTS = 5  # RFC 9309, 2.3.1.2
KINDS = ("text/plain", "text/html", "application/xhtml+xml", "application/octet-stream")  # a page in its place forbids nothing
SLOWEST = 30.0  # seconds; a host that asks for a longer delay is not read


class Robots:
    """The rules of every host that was met in this build; each robots.txt is read once."""

    def __init__(self, fetcher: Fetcher, private_hosts: "Collection[str]") -> None:
        self._fetcher, self._private_hosts = fetcher, private_hosts
        self._rules: dict[str, RobotFileParser | Refused] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def delay(self, url: "URL") -> float:
        """Seconds between two pages that the host of `url` asks for. Raises Refused if `url` may not be read."""
        origin = str(url.origin())
        async with self._turns[origin]:
            if origin not in self._rules:
                self._rules[origin] = await self._read(url)
        rules = self._rules[origin]
        if isinstance(rules, Refused):
            raise Refused(rules.reason, final=rules.final)
        delay = float(rules.crawl_delay(AGENT) or 0.0)
        if not rules.can_fetch(AGENT, str(url)) or delay > SLOWEST:
            raise Refused("robots")
        return delay

    async def _read(self, url: "URL") -> "RobotFileParser | Refused":
        """A file that is not there allows all; one that cannot be had allows nothing (RFC 9309, 2.3.1)."""
        rules = RobotFileParser()
        try:
            rules.parse(await self._lines(url.origin().with_path("/robots.txt")))
        except Refused as refused:
            if refused.reason == "private-address":
                return refused
            if not refused.final:
                return Refused("robots-unreachable", final=False)
            if not refused.reason.startswith("http-4"):
                return Refused("robots")
            rules.parse([])
        return rules

    async def _lines(self, url: "URL") -> list[str]:
        for _ in range(REDIRECTS + 1):
            received = await self._fetcher.page(url, kinds=KINDS, limit=LIMIT)
            if not received.location:
                return received.body.decode("utf-8", errors="replace").splitlines()
            try:
                url = checked(str(url.join(type(url)(received.location))), self._private_hosts)
            except ValueError:
                break
        raise Refused("http-404")
