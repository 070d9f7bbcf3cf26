"""The page on a real socket: the real application and bench over the sample build, in a thread of this process."""

import asyncio
import http.client
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import uvicorn

from stages.loopback import listen
from stages.review.bench import Bench
from stages.review.web.app import build_app
from tests.review.sample import write_build, write_library

TOKEN = "t0ken-of-the-test_-t0ken-of-the-test"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class PageServer:
    """Serves the build of `folder`, which is the working directory; `port` and `bench` are there inside `with`."""

    def __init__(self, folder: Path, reviewer: str = "Ada") -> None:
        self.folder, self.reviewer = folder, reviewer
        self._ready, self._failure = threading.Event(), None

    def __enter__(self) -> "PageServer":
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        if not self._ready.wait(20):
            raise RuntimeError("the page did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)

    async def _serve(self) -> None:
        with listen(0) as listener:
            self.port = listener.getsockname()[1]
            async with Bench(library=self.folder / "library", readings=self.folder / "readings") as self.bench:
                app = build_app(self.bench, TOKEN, self.port, self.reviewer)
                config = uvicorn.Config(app, http="h11", lifespan="off", log_level="warning", access_log=False)
                self._server = uvicorn.Server(config)
                self._ready.set()
                await self._server.serve(sockets=[listener])

    @property
    def own(self) -> dict[str, str]:
        """Headers of our own page in the browser that has the cookie."""
        return {
            "Host": f"127.0.0.1:{self.port}",
            "Cookie": f"secforge-review-{self.port}={TOKEN}",
            "Origin": f"http://127.0.0.1:{self.port}",
            "Sec-Fetch-Site": "same-origin",
        }

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """One request with exactly these headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body or method == "POST":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def get(self, path: str) -> Answer:
        """As the expert's browser."""
        return self.ask("GET", path, {key: value for key, value in self.own.items() if key != "Origin"})

    def post(self, path: str, fields: Sequence[tuple[str, str]]) -> Answer:
        """A form of our own page."""
        headers = self.own | {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, headers, urlencode(fields).encode())


def write_repository(folder: Path, base_url: str, library: str = "library") -> None:
    """The sample build in a git repository, its library committed."""
    write_build(folder, base_url)
    write_library(folder / library)
    for command in (["init", "-q"], ["config", "user.name", "Ada"], ["config", "user.email", "ada@example.org"],
                    ["add", library], ["commit", "-q", "-m", "Library"]):  # fmt: skip
        subprocess.run(["git", "-C", str(folder), *command], check=True, capture_output=True)
