"""A real local HTTP server that speaks chat completions and can misbehave in every way a client must survive.

    with FakeOpenAI(behaviour=answer, faults=[Fault("cut", every=100)]) as server:
        ...  # server.base_url; afterwards server.calls, server.most_in_flight

Also `python -m tests.fake_openai --port 8123 --behaviour tests.fake_openai:echo --latency 0.2`.
"""

import argparse
import asyncio
import hashlib
import importlib
import json
import math
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

LONG = 500  # characters
Behaviour = Callable[[list[dict[str, str]]], str]
Kind = Literal[
    "429", "500", "status", "cut", "garbage", "shape", "empty", "length", "filtered", "endless", "endless-body", "silence"
]


def echo(messages: list[dict[str, str]]) -> str:
    """The default behaviour: the last message, hashed, so that every answer can be checked."""
    return "answer " + hashlib.sha256(messages[-1]["content"].encode()).hexdigest()[:16]


@dataclass
class Fault:
    """What goes wrong, and for which requests: those whose text matches `pattern`, or a share of all of them.

    The share is drawn from a hash of the request, so that the same requests are hit in every run; each of them is
    hit `times` times and then answered.
    """

    kind: Kind
    pattern: str = ""
    share: float = 1.0
    times: int = 1_000_000_000
    retry_after: str = ""
    status: int = 400
    body: str = '{"error": {"message": "refused"}}'
    met: Counter[str] = field(default_factory=Counter)

    def hits(self, text: str) -> bool:
        """Whether this request meets the fault now."""
        draw = int(hashlib.sha256(f"{self.kind} {text}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
        if draw > self.share or not re.search(self.pattern, text) or self.met[text] >= self.times:
            return False
        self.met[text] += 1
        return True


class FakeOpenAI:
    """The server, in a thread of its own. All counts are totals since the start."""

    def __init__(
        self,
        behaviour: Behaviour = echo,
        *,
        faults: Sequence[Fault] = (),
        latency: float = 0.0,
        sigma: float = 0.0,
        capacity: int = 0,
        slots: int = 0,
        key: str = "",
        port: int = 0,
    ) -> None:
        """`latency` in seconds: fixed, or the median of a log-normal if `sigma` > 0. `capacity`: 429 above it; `slots`: queue."""
        self.behaviour, self.faults, self.key, self.port = behaviour, list(faults), key, port
        self.latency, self.sigma, self.capacity = latency, sigma, capacity
        self._slots = asyncio.Semaphore(slots or 1_000_000_000)
        self.calls, self.answered, self.in_flight, self.most_in_flight = 0, 0, 0, 0
        self.by_text: Counter[str] = Counter()  # of long texts the hash: a million prompts would fill the memory
        self.by_system: Counter[str] = Counter()  # calls by system prompt
        self.payloads: list[dict[str, Any]] = []
        self.latencies: list[float] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    @property
    def base_url(self) -> str:
        """What goes into `runtime.endpoints`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "FakeOpenAI":
        self._thread = threading.Thread(target=self.serve, daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the fake server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def serve(self) -> None:
        """Serve until `__exit__` or for ever."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_post("/v1/chat/completions", self._answer)
        application.router.add_get("/stats", self._stats)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=1024)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response({"calls": self.calls, "answered": self.answered, "most_in_flight": self.most_in_flight,
                                  "repeated": sum(count - 1 for count in self.by_text.values()),
                                  "latency_sum": sum(self.latencies), "by_system": self.by_system})  # fmt: skip

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            said = request.headers.get("Authorization", "")
            return web.json_response({"error": {"message": f"Incorrect API key provided: {said}"}}, status=401)
        self.calls += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.capacity and self.in_flight > self.capacity:
                return web.json_response({"error": {"message": "too many"}}, status=429)
            return await self._answer_one(request, await request.read())
        finally:
            self.in_flight -= 1

    async def _answer_one(self, request: web.Request, body: bytes) -> web.StreamResponse:
        payload = json.loads(body)
        text = "\n".join(message["content"] for message in payload["messages"])
        self.by_system[next((one["content"] for one in payload["messages"] if one["role"] == "system"), "")] += 1
        if len(self.payloads) < 1000:
            self.payloads.append(payload)
        fault = next((fault for fault in self.faults if fault.hits(text)), None)
        if fault and fault.kind in ("429", "500", "status"):
            return self._status(fault)
        self.by_text[text if len(text) < LONG else hashlib.sha256(text.encode()).hexdigest()] += 1
        seconds = self._latency(text)
        self.latencies.append(seconds)
        if seconds:
            async with self._slots:
                await asyncio.sleep(seconds)
        if fault and fault.kind not in ("empty", "length", "filtered"):
            return await self._misbehave(fault, request)
        self.answered += 1
        answer = "" if fault and fault.kind == "empty" else self.behaviour(payload["messages"])
        finish = {"length": "length", "filtered": "content_filter"}.get(fault.kind if fault else "", "stop")
        return web.json_response(completion(answer, finish, prompt_tokens=len(text) // 4))

    def _latency(self, text: str) -> float:
        if not self.sigma:
            return self.latency
        draw = random.Random(text).gauss(0, self.sigma)
        return self.latency * math.exp(draw)

    def _status(self, fault: Fault) -> web.Response:
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        status = fault.status if fault.kind == "status" else int(fault.kind)
        return web.Response(body=fault.body.encode(), status=status, headers=headers, content_type="application/json")

    async def _misbehave(self, fault: Fault, request: web.Request) -> web.StreamResponse:
        if fault.kind == "garbage":
            return web.Response(body=b"\x00\xff<html>not json")
        if fault.kind == "shape":
            return web.json_response({"choices": "none", "object": ["wrong"]})
        if fault.kind == "silence":
            await asyncio.sleep(3600)
        try:
            return await self._half_answer(fault, request)
        except ConnectionError:
            return web.Response()  # the client has gone, as it should

    async def _half_answer(self, fault: Fault, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        if fault.kind == "cut":
            response.content_length = 4096
        await response.prepare(request)
        await response.write(b'{"choices": [')
        if fault.kind == "cut" and request.transport is not None:
            request.transport.close()
        while fault.kind in ("endless", "endless-body"):
            await response.write(b" " * (1 if fault.kind == "endless" else 1 << 20))
            await asyncio.sleep(0.02 if fault.kind == "endless" else 0)
        return response


def completion(text: str, finish_reason: str = "stop", *, prompt_tokens: int = 10) -> dict[str, Any]:
    """The body of a chat completion."""
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": max(1, len(text) // 4)}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return {"id": "fake", "object": "chat.completion", "created": 0, "model": "fake", "choices": [choice], "usage": usage}


def main() -> None:
    """Serve in the foreground; prints the port on the first line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--behaviour", default="tests.fake_openai:echo", help="module:function of messages -> text")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds (default: %(default)s)")
    parser.add_argument("--sigma", type=float, default=0.0, help="sigma of a log-normal latency (default: fixed)")
    parser.add_argument("--capacity", type=int, default=0, help="429 above this many calls in flight (default: no limit)")
    parser.add_argument("--slots", type=int, default=0, help="calls worked on at once, further ones wait (default: all)")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND:SHARE[:TIMES[:RETRY_AFTER]]")
    arguments = parser.parse_args()
    module, function = arguments.behaviour.split(":")
    behaviour = getattr(importlib.import_module(module), function)
    server = FakeOpenAI(
        behaviour, faults=[parse_fault(text) for text in arguments.fault], latency=arguments.latency,
        sigma=arguments.sigma, capacity=arguments.capacity, slots=arguments.slots, port=arguments.port,
    )  # fmt: skip
    with server:
        print(server.port, flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            sys.exit(0)


def parse_fault(text: str) -> Fault:
    """`429:0.05:1:0.2` as a Fault."""
    kind, share, times, retry_after = [*text.split(":"), "", "", ""][:4]
    return Fault(kind, share=float(share or 1), times=int(times or 1_000_000_000), retry_after=retry_after)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
