"""What is kept of the web, so that a rebuild reads it again and asks nobody."""

import hashlib
from datetime import UTC, datetime
from typing import Literal

import msgspec

from stages.ground.schema import WEB
from stages.tables import content_id

LONGEST = 2_000_000  # characters of a body
Kind = Literal["page", "search"]


class Result(msgspec.Struct, frozen=True):
    """One search result."""

    url: str
    title: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the web: the results of a query, or a page; or the reason why there is none.

    `body` is what was received, decoded to text: a search's results as JSON `[{"url": ..., "title": ...}, ...]`, a page's
    HTML or plain text. Text and passages are made from it anew in every build.
    """

    key: str  # of what was asked, see `key_of`
    kind: Kind
    provider: str  # of a search; empty for a page
    asked: str  # the query, or the address
    id: str  # of a page that was kept: see `page_id`, the entity id of its passages; else empty
    final_url: str  # after redirects; empty if there is no body, and for a search
    content_type: str
    title: str
    retrieved: str  # ISO 8601, UTC, whole seconds
    sha256: str  # of `body` in UTF-8
    licence: str  # of a page, by `ground.web.licences` of the build that wrote the table; empty for a search
    reason: str  # why there is no body; empty if there is one
    final: bool  # false: a failure that may pass, asked again by the next build that is online
    body: str


def key_of(kind: Kind, provider: str, asked: str) -> str:
    """The key under which the answer to a question is stored."""
    return content_id("web", kind, provider, asked)


def page_id(final_url: str, sha256: str) -> str:
    """Of address and body: one body at two hosts may have two licences, and each passage leads to its own."""
    return f"{WEB}:{content_id('page', final_url, sha256)}"


def snapshot(
    kind: Kind, asked: str, *, provider: str = "", body: str = "", final_url: str = "", content_type: str = "", title: str = ""
) -> Snapshot:
    """What was received now."""
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    return Snapshot(
        key=key_of(kind, provider, asked), kind=kind, provider=provider, asked=asked, final_url=final_url,
        id=page_id(final_url, sha256) if kind == "page" else "", content_type=content_type, title=title, retrieved=_now(),
        sha256=sha256, licence="", reason="", final=True, body=body,
    )  # fmt: skip


def failure(kind: Kind, asked: str, reason: str, *, final: bool, provider: str = "") -> Snapshot:
    """Nothing was received, or nothing that may be kept."""
    return msgspec.structs.replace(snapshot(kind, asked, provider=provider), id="", reason=reason, final=final)


def flaw_of(one: Snapshot) -> str:
    """What is wrong with a snapshot that came from elsewhere; empty if it is whole."""
    if one.key != key_of(one.kind, one.provider, one.asked):
        return "its key is not that of its question"
    if one.sha256 != hashlib.sha256(one.body.encode()).hexdigest():
        return "its body has another SHA-256"
    if one.id != (page_id(one.final_url, one.sha256) if one.kind == "page" and not one.reason else ""):
        return "its id is not that of its address and body"
    if one.body and one.reason:
        return "it has a body and a reason why there is none"
    if not f"{one.title}{one.final_url}{one.retrieved}".isprintable():
        return "it would tell a terminal what to do"
    if len(one.body) > LONGEST:
        return "no body is so long"
    if one.id and not one.final_url.startswith(("http://", "https://")):
        return "its address is not one of the web"
    return "" if one.reason or one.kind == "page" or _are_results(one.body) else "its body is no list of results"


def fit(one: Snapshot) -> Snapshot:
    """`one`, or a failure in its place if `import` would refuse it: what a build stores, another one can read."""
    return failure(one.kind, one.asked, "unfit", final=True, provider=one.provider) if flaw_of(one) else one


def withheld(one: Snapshot, reason: str) -> Snapshot:
    """A page that is stored, as the failure that it is under the params of this build: what it says is not passed on."""
    nothing = failure(one.kind, one.asked, reason, final=False, provider=one.provider)
    return msgspec.structs.replace(nothing, retrieved=one.retrieved)


def _are_results(body: str) -> bool:
    try:
        msgspec.json.decode(body, type=list[Result])
    except msgspec.DecodeError:
        return False
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
