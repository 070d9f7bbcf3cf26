"""Section `ground.web`: whether evidence may come from the web, and from whose pages."""

import re
from collections.abc import Collection
from typing import Literal

from stages.config import Params
from stages.licences import load_classes, strictest

_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")


class Web(Params):
    """Off unless a provider is named. Where the provider is, and how fast it may be asked, is `runtime.web`.

    A domain stands for itself and all names under it: `mitre.org` covers `attack.mitre.org`.
    """

    provider: Literal["", "searxng", "brave"] = ""  # empty: off; a SearXNG of your own, or Brave's Search API
    pages: int = 2  # usable pages per query; up to three times as many are tried
    licences: dict[str, str] = {}  # domain -> SPDX id; any other page is `unknown`, which ground.deny denies by default
    allow: list[str] = []  # if any are named, only pages of these domains are read
    deny: list[str] = []  # pages of these domains are never read, for example of hosts that publish benchmarks

    def __post_init__(self) -> None:
        """Raises ValueError, which the params file's reader explains, for what is no domain and a count below one."""
        wrong = [name for name in [*self.licences, *self.allow, *self.deny] if not _DOMAIN.fullmatch(name)]
        if wrong:
            raise ValueError(f"`web` names what is no domain in small letters, like mitre.org: {', '.join(wrong)}")
        if self.pages < 1:
            raise ValueError("`web.pages` is less than 1; an empty `web.provider` turns the search off")


def is_under(host: str, domain: str) -> bool:
    """Whether `host` is `domain` or a name under it."""
    return host == domain or host.endswith(f".{domain}")


def may_read(host: str, params: Web) -> bool:
    """Whether the lists let a page of `host` be read; a denied domain is denied even if it is allowed."""
    if any(is_under(host, domain) for domain in params.deny):
        return False
    return not params.allow or any(is_under(host, domain) for domain in params.allow)


def licence_of(host: str, params: Web) -> str:
    """The licence that the params state for `host`: that of the longest domain; `unknown` if there is none."""
    named = [domain for domain in params.licences if is_under(host, domain)]
    return params.licences[max(named, key=len)] if named else "unknown"


def why_not(host: str, params: Web, deny: Collection[str]) -> str:
    """`denied` by the lists, `licence-<class>` if `deny` holds the class of the host's licence, or empty: it may be read."""
    if not may_read(host, params):
        return "denied"
    kind = class_of(licence_of(host, params))
    return f"licence-{kind}" if kind in deny else ""


def class_of(licence: str) -> str:
    """The class of one licence expression."""
    return strictest([licence], load_classes())
