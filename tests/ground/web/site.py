"""A real local HTTP server that plays a search provider and all hosts of a small web, and can misbehave.

    with Site() as site:
        site.page("docs.test", "/injection", html("Process injection", "..."))
        site.found("process injection", "docs.test/injection")

Names under `.test` lead to it through `site.resolve`; every request is in `site.asked`.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import web

from stages.runtime import RuntimeParams, WebAccess

Answer = web.Response | Callable[[web.Request], Awaitable[web.StreamResponse]]
SENTENCES = {
    "injection": "Process injection writes code into the memory of another process and starts a thread there. ",
    "detection": "Defenders watch for a process that opens another one with write access and creates a remote thread. ",
    "hollowing": "Process hollowing starts a program suspended and replaces its image in memory before it runs. ",
    "gardening": "Tomatoes want six hours of sun and water in the morning so that their leaves stay dry at night. ",
}


def html(title: str, *parts: str, head: str = "") -> web.Response:
    """A page of headings (`# ...`) and paragraphs, with navigation, a script, a style and a footer around them."""
    body = "".join(f"<h2>{part[2:]}</h2>" if part.startswith("# ") else f"<p>{part}</p>" for part in parts)
    text = (
        f"<!DOCTYPE html><html><head><title>{title}</title><style>p {{ color: hidden-style }}</style>{head}"
        f"<script>var secret = 'hidden-script';</script></head><body><nav><a href='/'>Home</a></nav>"
        f"<main><article><h1>{title}</h1>{body}</article></main><footer>Cookie banner</footer></body></html>"
    )
    return web.Response(text=text, content_type="text/html")


def about(*subjects: str) -> web.Response:
    """A page with a section on each subject of SENTENCES."""
    parts = [part for one in subjects for part in (f"# On {one}", SENTENCES[one] * 2)]
    return html(f"All about {subjects[0]}", *parts)


def redirect(to: str) -> web.Response:
    return web.Response(status=302, headers={"Location": to})


class Site:
    """`names`: host -> address, where it is not this server's."""

    def __init__(self) -> None:
        self.pages: dict[tuple[str, str], Answer] = {}
        self.results: dict[str, list[dict[str, Any]]] = {}
        self.provider: Answer | None = None  # instead of the results
        self.names: dict[str, str | list[str]] = {}
        self.asked: list[tuple[str, str]] = []  # host, path
        self.headers: list[dict[str, str]] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def page(self, host: str, path: str, answer: Answer) -> str:
        """Put a page there; its address."""
        self.pages[host, path] = answer
        return self.address(host, path)

    def found(self, query: str, *addresses: str) -> None:
        """What the provider names for `query`."""
        self.results[query] = [{"url": one, "title": f"Result {n}", "content": "..."} for n, one in enumerate(addresses)]

    def address(self, host: str, path: str) -> str:
        return f"http://{host}:{self.port}{path}"

    def paths(self, host: str) -> list[str]:
        """What was asked of `host`, robots.txt left out."""
        return [path for name, path in self.asked if name == host and path != "/robots.txt"]

    def runtime(self, *, offline: bool = False, **changed: Any) -> RuntimeParams:
        """Params that reach this server: hosts under `.test` that it plays may be private."""
        values = {
            "base_url": self.address("127.0.0.1", ""),
            "delay": 0.0,
            "query_delay": 0.0,
            "timeout": 5.0,
            "private_hosts": ["docs.test", "other.test"],
        }
        return RuntimeParams(web=WebAccess(**{**values, **changed}), offline=offline)

    async def resolve(self, host: str, port: int, family: socket.AddressFamily) -> list[dict[str, Any]]:
        """Names of `names`, and all others under `.test`, which are this server's."""
        found = self.names.get(host, "127.0.0.1" if host.endswith(".test") else [])
        if isinstance(found, list) and found:
            found = found.pop(0) if len(found) > 1 else found[0]  # the next question gets the next address
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        kind = socket.AF_INET6 if ":" in found else socket.AF_INET
        return [{"hostname": host, "host": found, "port": port, "family": kind, "proto": 0, "flags": 0}]

    async def _start(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        listener = web.TCPSite(self._runner, "127.0.0.1", 0)
        await listener.start()
        self.port = listener._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0]
        self.asked.append((host, request.path))
        self.headers.append(dict(request.headers))
        answer = self.pages.get((host, request.path))
        if host == "127.0.0.1" and answer is None:
            answer = self.provider or self._found(request)
        if answer is None:
            return web.Response(status=404, text="not here")
        if isinstance(answer, web.Response):
            return web.Response(body=answer.body, status=answer.status, headers=answer.headers)
        return await answer(request)

    def _found(self, request: web.Request) -> web.Response:
        results = self.results.get(request.query["q"], [])
        brave = {"query": {}, "web": {"results": results}}
        return web.json_response(brave if request.path == "/web/search" else {"query": request.query["q"], "results": results})
