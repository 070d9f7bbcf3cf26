"""Serving the page: an address on this machine only, a token nobody can guess, a browser opened on it."""

import asyncio
import secrets
import signal
import socket
import subprocess
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.concurrency import run_in_threadpool

from stages.errors import InputError, SecForgeError
from stages.loopback import HOST, listen
from stages.review.bench import Bench
from stages.review.web.app import build_app

REMEDY = "Leave out --port, or stop what uses it (perhaps another `make review`)."  # of a taken port


def serve(port: int, reviewer: str, browser: bool) -> None:
    """Serve until Ctrl-C. Raises InputError if there is no reviewer, no build, or the port is taken."""
    reviewer = reviewer.strip() or git_name()
    with listen(port, REMEDY) as listener:
        asyncio.run(_serve(listener, reviewer, browser))


async def _serve(listener: socket.socket, reviewer: str, browser: bool) -> None:
    port, token = listener.getsockname()[1], secrets.token_urlsafe(32)
    async with Bench() as bench:
        await run_in_threadpool(bench.tasks)  # a build that is not there is told before any address
        config = uvicorn.Config(
            build_app(bench, token, port, reviewer), http="h11", ws="none", lifespan="off", log_level="warning", access_log=False,
            server_header=False, proxy_headers=False, timeout_graceful_shutdown=3,
        )  # fmt: skip
        announce(f"http://{HOST}:{port}/?token={token}", reviewer, browser)
        warming = asyncio.create_task(warm(bench))
        await Server(config).serve(sockets=[listener])
        warming.cancel()
    print("[review] stopped; everything is kept.", flush=True)


async def warm(bench: Bench) -> None:
    """Build the passage index while the expert reads; what is wrong with the build is told by the first try, where it is read."""
    with suppress(SecForgeError):
        await bench.warm()


class Server(uvicorn.Server):
    """Ends at SIGINT and SIGTERM without raising them again, so that the bench is closed in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle both signals in the event loop while the server runs."""
        loop, caught = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for one in caught:
            loop.add_signal_handler(one, self.handle_exit, one, None)
        try:
            yield
        finally:
            for one in caught:
                loop.remove_signal_handler(one)


def announce(address: str, reviewer: str, browser: bool) -> None:
    """Print the address, the only place where the token is shown, and open it."""
    print(f"[review] open this address in a browser on this machine, as {reviewer}:\n\n  {address}\n", flush=True)
    print("[review] Ctrl-C stops the server; everything is kept.", flush=True)
    if browser:
        webbrowser.open(address)


def git_name() -> str:
    """Who git says is working here: reviews are signed."""
    try:
        done = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, timeout=10, check=False)
        name = done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        name = ""
    if not name:
        raise InputError(
            "Nobody is named as the reviewer, and git knows no name.",
            remedy='Set one with `git config user.name "Your Name"`, or give --reviewer "Your Name".',
        )
    return name
