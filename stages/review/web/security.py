"""Who may speak to the page: one browser on this machine that was given the token, and no page of another site.

A loopback address alone protects nothing: every site that the expert visits may send requests to it. Each request
must name our own address in `Host` (a rebound DNS name does not), carry the token (cookie, or once in the URL), and,
where a browser says who sent it (`Origin`, `Sec-Fetch-Site`), be sent by our own pages. What changes something needs
`Origin`, which browsers send with every POST.
"""

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# `same-origin` and not `no-referrer`: under the latter browsers send `Origin: null` with our own forms, which is refused.
# It tells another site nothing either, and the token is in no address but the first, which is left at once.
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
SAFE = ("GET", "HEAD", "OPTIONS")
REFUSED = (
    "Refused: {why}.\n\nOpen the address that `make review` printed in the terminal; it is valid until that command ends. "
    "If a form brought you here, go back: what you typed is still in it.\n"
)


class Gate:
    """ASGI middleware: checks a request before anything else sees it, and puts `HEADERS` on every response."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.token, self.port = app, token, port
        self.cookie = f"secforge-review-{port}"  # cookies are shared by all ports of a host: two reviews must not mix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or let through."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            raise RuntimeError(f"a {scope['type']} request: this server speaks http only")
        headers = _headers(scope)
        why = refusal(headers, scope["method"], self.port)
        app: ASGIApp = self.app
        if why:
            app = _refuse(why)
        elif given := _token_in_url(scope):
            app = self._enter() if self._is_token(given) else _refuse("the token in the address is not this server's")
        elif not self._is_token(self._token_in_cookie(headers)):
            app = _refuse("no valid token came with the request")
        await app(scope, receive, _with_headers(send))

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _token_in_cookie(self, headers: Mapping[str, list[str]]) -> str:
        """The value of our cookie; those of other programs on this machine come along and may have any form."""
        pairs = (pair.strip().partition("=") for line in headers.get("cookie", []) for pair in line.split(";"))
        return next((value for name, _, value in pairs if name == self.cookie), "")

    def _enter(self) -> Response:
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
        return response


def refusal(headers: Mapping[str, list[str]], method: str, port: int) -> str:
    """Why a request with these headers is refused whatever its token; empty if it is not."""
    hosts, origins = headers.get("host", []), headers.get("origin", [])
    if len(hosts) != 1 or hosts[0] not in (f"127.0.0.1:{port}", f"localhost:{port}"):
        return "the request is addressed to another host"
    if origins and origins != [f"http://{hosts[0]}"]:
        return "the request was sent by a page of another origin"
    if method not in SAFE and not origins:
        return "the request changes something and does not say which page sent it"
    if method not in SAFE and headers.get("sec-fetch-site", ["same-origin"]) != ["same-origin"]:
        return "the request was sent by a page of another site"
    return ""


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _token_in_url(scope: Scope) -> str:
    """The token of the address that was printed, `/?token=...`; it is accepted nowhere else."""
    if scope["method"] != "GET" or scope["path"] != "/":
        return ""
    return parse_qs(scope["query_string"].decode("latin-1"), errors="replace").get("token", [""])[0]


def _refuse(why: str) -> Response:
    return PlainTextResponse(REFUSED.format(why=why), status_code=403)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in HEADERS]
            message["headers"] = [*kept, *HEADERS.items()]
        await send(message)

    return sending
