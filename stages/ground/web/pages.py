"""One page: asked for under the rules of its host, or the reason why not."""

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from stages.ground.web.addresses import checked
from stages.ground.web.extract import HTML, KINDS, decoded, one_line, title_of
from stages.ground.web.failures import Refused
from stages.ground.web.fetch import Fetcher, Received
from stages.ground.web.params import Web, why_not
from stages.ground.web.robots import Robots
from stages.ground.web.schema import Snapshot, failure, snapshot
from stages.runtime import WebAccess

if TYPE_CHECKING:
    from yarl import URL

REDIRECTS = 3
BY_PARAMS = ("denied", "licence-", "private-address", "bad-port")  # beginnings of reasons that other params would not have


class Pages:
    """Reads pages, and keeps their hosts' rules. `deny`: classes of licences whose hosts are not asked."""

    def __init__(self, params: Web, deny: Collection[str], access: WebAccess, fetcher: Fetcher) -> None:
        self._params, self._deny, self._hosts, self._fetcher = params, deny, access.private_hosts, fetcher
        self._robots = Robots(fetcher, access.private_hosts)

    async def read(self, address: str) -> Snapshot:
        """A snapshot of the page, or of the reason why there is none."""
        try:
            url, received = await self._follow(address)
            kind = received.content_type
            body = decoded(received.body, received.charset)
        except Refused as refused:
            return failure("page", address, refused.reason, final=refused.final and not refused.reason.startswith(BY_PARAMS))
        title = await asyncio.to_thread(title_of, body, kind) if kind in HTML else one_line(url.name)
        return snapshot("page", address, body=body, final_url=str(url), content_type=kind, title=title)

    async def _follow(self, address: str) -> "tuple[URL, Received]":
        """Through at most REDIRECTS redirects; the address, the lists, the licence and robots.txt are asked at each."""
        from yarl import URL

        url = checked(address, self._hosts)
        for _ in range(REDIRECTS + 1):
            if reason := why_not(url.raw_host or "", self._params, self._deny):
                raise Refused(reason)
            delay = await self._robots.delay(url)
            received = await self._fetcher.page(url, kinds=KINDS, delay=delay)
            if not received.location:
                return url, received
            try:
                url = checked(str(url.join(URL(received.location))), self._hosts)
            except ValueError:
                raise Refused("bad-address") from None
        raise Refused("redirects")
