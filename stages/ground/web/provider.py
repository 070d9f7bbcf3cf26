"""The two search APIs: a SearXNG of one's own, and Brave Search.

SearXNG: https://docs.searxng.org/dev/search_api.html (its settings must list `json` under `search.formats`).
Brave: https://api-dashboard.search.brave.com/api-reference/web/search/get (a key is needed; whether results may be stored
depends on the plan).
"""

from typing import Any, Literal

import msgspec

from stages.ground.web.failures import Refused, WebError
from stages.ground.web.fetch import Fetcher
from stages.ground.web.params import Web
from stages.ground.web.schema import Result
from stages.llm.transport import safe_address, secrets_of
from stages.runtime import Endpoint, WebAccess

Name = Literal["searxng", "brave"]
BRAVE = "https://api.search.brave.com/res/v1"
RESULTS = 20  # of a query, the most that Brave gives at once; SearXNG gives what its engines give
CHARACTERS, WORDS = 400, 50  # of a query: Brave's limits
REMEDIES = {
    ("searxng", 403): "Its settings.yml must list `json` under `search.formats`; behind a proxy, check the key.",
    ("searxng", 404): "runtime.web.base_url is the address before `/search`.",
    ("brave", 404): "Leave runtime.web.base_url empty for Brave's own address.",
}
CHECK_KEY = "Check the key in the variable that runtime.web.api_key_env names, and its plan."


class Provider:
    """Asks the provider that `params` name. Raises WebError if it has no address or no key."""

    def __init__(self, params: Web, access: WebAccess, fetcher: Fetcher) -> None:
        self.name: str = params.provider
        self._fetcher = fetcher
        self._base = _address(params, access)
        key = (secrets_of(Endpoint(base_url=self._base, api_key_env=access.api_key_env)) or [""])[0]
        if self.name == "brave":
            self._headers = {"X-Subscription-Token": key}
        else:
            self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def results(self, query: str) -> list[Result]:
        """At most RESULTS results of `query`, best first. Raises Refused, and WebError if every query would be refused."""
        from yarl import URL

        path, asked = (
            ("web/search", {"count": str(RESULTS), "text_decorations": "false"})
            if self.name == "brave"
            else ("search", {"format": "json"})
        )
        try:
            received = await self._fetcher.ask(URL(f"{self._base}/{path}").with_query({"q": query, **asked}), self._headers)
        except Refused as refused:
            raise self._fatal(refused) or refused from None
        if received.location:
            raise WebError(
                f"{safe_address(self._base)} redirects.", remedy="Name the address that it leads to: runtime.web.base_url."
            )
        return parse_results(self.name, received.body)

    def _fatal(self, refused: Refused) -> WebError | None:
        """An error for a status that says that the address or the key is wrong."""
        status = refused.reason.removeprefix("http-")
        if status not in ("401", "402", "403", "404"):
            return None
        remedy = REMEDIES.get((self.name, int(status)), CHECK_KEY)
        return WebError(f"the search provider {safe_address(self._base)} answered {status}.", remedy=remedy)


def clean_query(query: str) -> str:
    """The query as it is asked: one line, within the limits of both providers."""
    words = query.split()[:WORDS]
    while words and len(" ".join(words)) > CHARACTERS:
        words.pop()
    return " ".join(words)


def parse_results(provider: str, body: bytes) -> list[Result]:
    """Results of a provider's JSON; entries without an http address are passed over. Raises Refused for another form."""
    try:
        document: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise Refused("garbage", final=False) from None
    found = _member(_member(document, "web"), "results") if provider == "brave" else _member(document, "results")
    if found is None and provider == "brave" and isinstance(document, dict) and "query" in document:
        found = []  # Brave leaves the whole section out if it found nothing
    if not isinstance(found, list):
        raise Refused("garbage", final=False)
    if not found and _member(document, "unresponsive_engines"):
        raise Refused("engines-silent", final=False)
    return [one for entry in found if (one := _result(entry))][:RESULTS]


def _result(entry: Any) -> Result | None:
    url, title = _member(entry, "url"), _member(entry, "title")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return None
    return Result(url, " ".join(title.split())[:200] if isinstance(title, str) else "")


def _member(document: Any, name: str) -> Any:
    return document.get(name) if isinstance(document, dict) else None


def _address(params: Web, access: WebAccess) -> str:
    base = access.base_url or (BRAVE if params.provider == "brave" else "")
    if not base:
        raise WebError(
            "ground.web.provider is searxng, and runtime.web.base_url is empty.",
            allowed="an address like http://127.0.0.1:8888",
            remedy="Name your SearXNG in params.yaml, or leave ground.web.provider empty.",
        )
    if params.provider == "brave" and not access.api_key_env:
        raise WebError(
            "Brave needs a key, and runtime.web.api_key_env names no variable.",
            remedy="export BRAVE_API_KEY=..., and write `api_key_env: BRAVE_API_KEY` under runtime.web (the key never stands in a file).",
        )
    return base.rstrip("/")
