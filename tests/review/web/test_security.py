"""Who is refused: everybody but the browser that has the token, on our address, from our own pages."""

import re
import socket
from collections.abc import Callable

import pytest

from tests.review.web.server import TOKEN, PageServer

Headers = dict[str, str]


def without(*names: str) -> Callable[[Headers, int], Headers]:
    return lambda own, _: {key: value for key, value in own.items() if key not in names}


def changed(name: str, value: str) -> Callable[[Headers, int], Headers]:
    return lambda own, port: own | {name: value.format(port=port, wrong=port + 1, token=TOKEN)}


FOREIGN = {
    "no cookie": without("Cookie"),
    "another token": changed("Cookie", "secforge-review-{port}=guess"),
    "a part of the token": changed("Cookie", "secforge-review-{port}=" + TOKEN[:-1]),
    "an empty token": changed("Cookie", "secforge-review-{port}="),
    "the cookie of another port": changed("Cookie", "secforge-review-{wrong}={token}"),
    "a token that is not ASCII": changed("Cookie", "secforge-review-{port}=\xe9\xff"),
    "no host": without("Host"),
    "a rebound name": changed("Host", "rebound.example:{port}"),
    "a name that begins like ours": changed("Host", "127.0.0.1.evil.example:{port}"),
    "our name without the port": changed("Host", "localhost"),
    "the wrong port": changed("Host", "127.0.0.1:{wrong}"),
    "another loopback address": changed("Host", "127.0.0.2:{port}"),
    "a host with a dot at its end": changed("Host", "localhost.:{port}"),
    "an origin of nobody": changed("Origin", "null"),
    "a foreign origin": changed("Origin", "https://evil.example"),
    "an origin on another port": changed("Origin", "http://127.0.0.1:{wrong}"),
    "an origin that begins like ours": changed("Origin", "http://127.0.0.1:{port}.evil.example"),
    "our origin by https": changed("Origin", "https://127.0.0.1:{port}"),
    "our other name as origin": changed("Origin", "http://localhost:{port}"),
}
CHANGES = {
    "no origin": without("Origin"),
    "another site": changed("Sec-Fetch-Site", "cross-site"),
    "another port of this site": changed("Sec-Fetch-Site", "same-site"),
}


@pytest.mark.parametrize("who", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
def test_a_foreign_request_is_refused(server: PageServer, method: str, who: str) -> None:
    answer = server.ask(method, "/tasks/cve-to-cwe", FOREIGN[who](server.own, server.port))
    assert answer.status in (400, 403), who  # 400: no Host at all is no HTTP/1.1
    assert b"cve-to-cwe" not in answer.body


@pytest.mark.parametrize("who", CHANGES)
def test_a_request_that_changes_something_must_come_from_our_pages(server: PageServer, who: str) -> None:
    headers = CHANGES[who](server.own, server.port) | {"Content-Type": "application/x-www-form-urlencoded"}
    before = len(server.bench.decisions("cve-to-cwe"))
    body = f"version={server.bench.current('cve-to-cwe').id}&verdict=reject".encode()
    assert server.ask("POST", "/tasks/cve-to-cwe/decisions", headers, body).status == 403
    assert len(server.bench.decisions("cve-to-cwe")) == before


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_cookie_alone_opens_a_page(server: PageServer, method: str, name: str) -> None:
    headers = {"Host": f"{name}:{server.port}", "Cookie": f"odd=\"{{'; secforge-review-{server.port}={TOKEN}; b=1"}
    assert server.ask(method, "/", headers).status == 200


def test_the_address_gives_the_cookie_and_is_left_at_once(server: PageServer) -> None:
    answer = server.ask("GET", f"/?token={TOKEN}", {"Host": f"127.0.0.1:{server.port}"})
    cookie = answer.headers["set-cookie"]
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert cookie.startswith(f"secforge-review-{server.port}={TOKEN};")
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert TOKEN.encode() not in answer.body


@pytest.mark.parametrize("path", ["/?token=guess", "/?token=", "/reading?token={token}", "/static/review.js?token={token}"])
def test_the_token_is_taken_from_the_first_address_only(server: PageServer, path: str) -> None:
    answer = server.ask("GET", path.format(token=TOKEN), {"Host": f"127.0.0.1:{server.port}"})
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


def test_the_token_in_the_address_changes_nothing(server: PageServer) -> None:
    headers = {key: value for key, value in server.own.items() if key != "Cookie"}
    assert server.ask("POST", f"/?token={TOKEN}", headers).status == 403


def test_two_hosts_in_one_request_are_refused(server: PageServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        lines = [
            "GET / HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            "Host: evil.example",
            f"Cookie: {server.own['Cookie']}",
            "",
            "",
        ]
        raw.sendall("\r\n".join(lines).encode())
        assert re.match(rb"HTTP/1.1 4\d\d ", raw.recv(200))


@pytest.mark.parametrize("path", ["/", "/tasks/none", "/static/review.js", "/static/../app.py", "/nothing", "/reading"])
@pytest.mark.parametrize("known", [True, False])
def test_every_answer_carries_the_policy(server: PageServer, path: str, known: bool) -> None:
    answer = server.ask("GET", path, without(*([] if known else ["Cookie"]))(server.own, server.port))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers
    assert TOKEN not in answer.text


def test_a_file_beside_the_static_ones_is_not_served(server: PageServer) -> None:
    for path in ("/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/templates/base.html", "/static//etc/passwd"):
        assert server.get(path).status == 404


def test_a_known_browser_may_not_use_other_methods(server: PageServer) -> None:
    for method in ("OPTIONS", "PUT", "DELETE", "TRACE"):
        assert server.ask(method, "/", server.own).status == 405


def test_a_form_is_limited_and_of_one_kind(server: PageServer) -> None:
    path = "/tasks/cve-to-cwe/versions"
    kinds = ["multipart/form-data; boundary=x", "application/json", "text/plain", ""]
    for kind in kinds:
        assert server.ask("POST", path, server.own | {"Content-Type": kind}, b"as=yaml&text=x").status == 422
    assert server.post(path, [("as", "yaml"), ("text", "x" * 300_000)]).status == 413
    assert server.post(path, [("row", str(number)) for number in range(700)]).status == 422


def test_a_fault_of_the_program_is_answered_behind_the_gate(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("<b>inside</b>")

    monkeypatch.setattr(server.bench, "agreement", broken)
    answer = server.get("/reading")
    assert answer.status == 500 and "A fault of the program" in answer.text and "inside" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
