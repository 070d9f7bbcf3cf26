"""The server: /v1/chat/completions, /v1/models and /health for programs on this machine.

It asks for no key, so a page of a web site must not reach it: the `Host` must be the loopback address, a body must be
JSON by its content type (which a page can send to another origin only after asking, and is refused), nothing is given to
other origins.
"""

import json
import threading
import time
import uuid
from collections.abc import AsyncIterator, Generator
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from stages.register.serving.answering import Answer, Answering
from stages.register.serving.request import ChatRequest, RequestError, read_request

MOST_BYTES = 262_144  # of a body
MOST_WAITING = 16  # requests that hold a place while one is answered


class Chat:
    """The endpoints over one model."""

    def __init__(self, answering: Answering, names: list[str], most_tokens: int) -> None:
        self.answering, self.names, self.most_tokens = answering, names, most_tokens
        self.started = int(time.time())
        self.waiting = 0

    async def completions(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _refused("the content type must be application/json", 415)
        if self.waiting >= MOST_WAITING:
            return _refused("too many requests are waiting", 429)
        self.waiting += 1
        kept = False
        try:
            chat, new_tokens = read_request(await _body(request), self.names, self.most_tokens)
            prompt = await run_in_threadpool(self.answering.prompt, chat, new_tokens)
            answer, stopped = Answer(prompt_tokens=len(prompt)), threading.Event()
            pieces = self.answering.pieces(chat, prompt, new_tokens, answer, stopped)
            if chat.stream:
                kept = True
                return StreamingResponse(self._stream(chat, pieces, answer, stopped), media_type="text/event-stream")
            text = "".join([piece async for piece in iterate_in_threadpool(pieces)])
            return JSONResponse(self._whole(text, answer))
        except RequestError as error:
            return _refused(str(error), error.status)
        finally:
            self.waiting -= 0 if kept else 1

    async def models(self, _: Request) -> Response:
        """GET /v1/models."""
        one = {"object": "model", "created": self.started, "owned_by": "secforge"}
        return JSONResponse({"object": "list", "data": [{"id": name, **one} for name in self.names]})

    async def health(self, _: Request) -> Response:
        """GET /health."""
        return JSONResponse({"status": "ok"})

    async def _stream(
        self, chat: ChatRequest, pieces: Generator[str, None, None], answer: Answer, stopped: threading.Event
    ) -> AsyncIterator[str]:
        """Server-sent events; a client that leaves ends the generation."""
        head = self._head("chat.completion.chunk")
        try:
            yield _event(head | {"choices": [_delta({"role": "assistant", "content": ""})]})
            async for piece in iterate_in_threadpool(pieces):
                yield _event(head | {"choices": [_delta({"content": piece})]})
            yield _event(head | {"choices": [_delta({}, answer.finish_reason)]})
            if chat.wants_usage:
                yield _event(head | {"choices": [], "usage": _usage(answer)})
            yield "data: [DONE]\n\n"
        finally:
            stopped.set()
            pieces.close()  # gives the model free; waits for one token at most
            self.waiting -= 1

    def _whole(self, text: str, answer: Answer) -> dict[str, Any]:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": answer.finish_reason}
        return self._head("chat.completion") | {"choices": [choice], "usage": _usage(answer)}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": self.names[0]}


def build_app(answering: Answering, names: list[str], most_tokens: int) -> Starlette:
    """The server for a model that answers to any of `names`."""
    chat = Chat(answering, names, most_tokens)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", chat.completions, methods=["POST"]),
            Route("/v1/models", chat.models),
            Route("/health", chat.health),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


async def _body(request: Request) -> bytes:
    """The body, read no further than MOST_BYTES."""
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise RequestError(f"the body has more than {MOST_BYTES:,} bytes", 413)
    except ClientDisconnect:
        raise RequestError("the client left") from None
    return body


def _delta(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def _usage(answer: Answer) -> dict[str, int]:
    total = answer.prompt_tokens + answer.new_tokens
    return {"prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.new_tokens, "total_tokens": total}


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _refused(message: str, status: int) -> Response:
    kind = "rate_limit_error" if status == 429 else "invalid_request_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": None}}, status_code=status)
