"""The HTTP client under AsyncOpenAI: proxies of the environment, connections kept, bodies that are not what they say."""

import asyncio
import gzip
import json
import socket
import threading

import pytest

from stages.llm import network
from stages.llm.failures import Transient
from stages.llm.transport import Answered, Transport
from stages.runtime import Endpoint
from tests.fake_openai import FakeOpenAI, Fault, completion

PAYLOAD = json.dumps({"model": "fake", "messages": [{"role": "user", "content": "a"}]}).encode()


def post(base_url: str, times: int = 1) -> Answered:
    async def go() -> Answered:
        transport = Transport(Endpoint(base_url=base_url, max_concurrency=2))
        try:
            for _ in range(times):
                answered = await transport.post(PAYLOAD, "k" * 64)
            return answered
        finally:
            await transport.close()

    return asyncio.run(go())


def serve_once(answer: bytes) -> str:
    """A server that gives every connection these bytes; its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            while not connection.recv(65536).endswith(PAYLOAD[-20:]):
                pass
            connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_proxy_of_the_environment_is_used_unless_the_host_is_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeOpenAI() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert post("http://models.invalid/v1").status == 200 and proxy.calls == 1
    with FakeOpenAI() as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert post(server.base_url).status == 200


def test_a_proxy_that_refuses_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeOpenAI() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hidden-password@127.0.0.1:{proxy.port}")
        with pytest.raises(Transient, match="the proxy answered 40") as failed:
            post("https://models.invalid/v1")
    assert failed.value.unreachable and "hidden" not in str(failed.value) and failed.value.__cause__ is None


def test_a_proxy_that_is_not_there_is_a_connection_that_was_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with pytest.raises(Transient) as failed:
        post("http://models.invalid/v1")
    assert failed.value.unreachable


def test_calls_one_after_another_use_one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    create = asyncio.BaseEventLoop.create_connection

    async def counted(self: asyncio.BaseEventLoop, *arguments: object, **options: object) -> object:
        made.append(arguments)
        return await create(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", counted)
    with FakeOpenAI() as server:
        assert post(server.base_url, times=5).status == 200
    assert len(made) == 1


def test_a_packed_body_is_not_unpacked() -> None:
    packed = gzip.compress(json.dumps(completion("a")).encode())
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    assert post(serve_once(head + packed)).body == packed


def test_a_body_has_a_largest_size_whatever_its_head_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "BODY_LIMIT", 1000)
    with FakeOpenAI(faults=[Fault("endless-body")]) as server, pytest.raises(Transient, match="larger than 1,000 bytes"):
        post(server.base_url)


def test_a_refusal_comes_back_with_its_delay() -> None:
    answered = post(serve_once(b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}"))
    assert answered == Answered(429, b"{}", "7")


@pytest.mark.parametrize("status", ["400 Bad Request", "200 OK"])
@pytest.mark.parametrize("charset", ["idna", "zlib", "no-such-thing"])
def test_a_charset_of_any_name_is_not_used(charset: str, status: str) -> None:
    body = b'{"error": {"message": "\xff\xc3 refused"}}'
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json; charset={charset}\r\nContent-Length: {len(body)}\r\n\r\n"
    assert post(serve_once(head.encode() + body)) == Answered(int(status[:3]), body)
