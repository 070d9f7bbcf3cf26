"""Fetching: resume, wrong hashes, cut files, no network, mirrors, hostile zips."""

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from stages import fetch as module
from stages.errors import FetchError, InputError
from stages.fetch import Pin, fetch, read_member, read_members
from stages.runtime import RuntimeParams

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT with Range; `cut_after` ends the first answers early; `ranges` records what was asked."""

    cut_after: list[int]
    ranges: list[str]
    support_range = True
    length = ""  # of the body, if it is not told right
    body = CONTENT


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.ranges.append(asked)
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/data.bin")
            self.end_headers()
            return
        if self.path == "/missing":
            self.send_error(404)
            return
        body = self.server.body
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.support_range else 0
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", self.server.length or str(len(body) - start))
        self.end_headers()
        part = body[start:]
        self.wfile.write(part[: self.server.cut_after.pop(0)] if self.server.cut_after else part)

    def log_message(self, *_: object) -> None:
        """Keep the test output clean."""


@pytest.fixture
def server() -> Iterator[Server]:
    instance = Server(("127.0.0.1", 0), Handler)
    instance.cut_after, instance.ranges = [], []
    threading.Thread(target=instance.serve_forever, args=(0.02,), daemon=True).start()
    yield instance
    instance.shutdown()
    instance.server_close()


@pytest.fixture(autouse=True)
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECFORGE_DOWNLOADS", str(tmp_path / "downloads"))
    monkeypatch.delenv("SECFORGE_MIRROR", raising=False)
    return tmp_path / "downloads"


def url_pin(server: Server, sha: str = SHA, path: str = "/data.bin") -> Pin:
    return Pin(kind="url", url=f"http://127.0.0.1:{server.server_port}{path}", sha256=sha)


def test_a_dropped_connection_is_resumed_where_it_stopped(server: Server) -> None:
    server.cut_after = [300_000]
    path = fetch({"data": url_pin(server)}, RuntimeParams())["data"]
    assert path.read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=300000-"]


def test_an_earlier_part_is_continued_and_a_finished_file_is_not_asked_for(server: Server, downloads: Path) -> None:
    downloads.mkdir()
    (downloads / f"{SHA[:16]}.part").write_bytes(CONTENT[:1000])
    for _ in range(2):
        assert fetch({"data": url_pin(server)}, RuntimeParams())["data"].read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]
    assert not list(downloads.glob("*.part"))


@pytest.mark.parametrize("part", [b"not the beginning of the file", CONTENT + b"longer"])
def test_a_foreign_part_is_thrown_away(server: Server, downloads: Path, part: bytes) -> None:
    downloads.mkdir()
    (downloads / f"{SHA[:16]}.part").write_bytes(part)
    assert fetch({"data": url_pin(server)}, RuntimeParams())["data"].read_bytes() == CONTENT


def test_a_server_without_range_starts_again(server: Server) -> None:
    server.support_range, server.cut_after = False, [1000]
    assert fetch({"data": url_pin(server)}, RuntimeParams())["data"].read_bytes() == CONTENT


def test_a_length_that_is_no_number_is_passed_over(server: Server) -> None:
    server.length = "many"
    assert fetch({"data": url_pin(server)}, RuntimeParams())["data"].read_bytes() == CONTENT


def test_a_file_without_end_is_refused_and_leaves_nothing(
    server: Server, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FILE_LIMIT", 100_000)
    with pytest.raises(FetchError, match="more than 100,000 bytes"):
        fetch({"data": url_pin(server)}, RuntimeParams())
    assert not list(downloads.glob("*.part"))


def test_a_wrong_hash_names_file_and_both_hashes(server: Server, downloads: Path) -> None:
    with pytest.raises(FetchError) as caught:
        fetch({"data": url_pin(server, sha="0" * 64)}, RuntimeParams())
    message = str(caught.value)
    assert "data.bin" in message and SHA in message and "0" * 64 in message and "Remedy" in message
    assert not [path for path in downloads.iterdir() if path.name != ".lock"]


def test_a_truncated_cached_file_is_fetched_again(server: Server) -> None:
    pin = url_pin(server)
    path = fetch({"data": pin}, RuntimeParams())["data"]
    path.write_bytes(CONTENT[:10])
    assert fetch({"data": pin}, RuntimeParams())["data"].read_bytes() == CONTENT


def test_offline_names_file_place_and_remedy_and_asks_nothing(server: Server, downloads: Path) -> None:
    with pytest.raises(FetchError) as caught:
        fetch({"data": url_pin(server)}, RuntimeParams(offline=True))
    message = str(caught.value)
    assert "data.bin" in message and str(downloads) in message and "SECFORGE_MIRROR" in message
    assert server.ranges == []


def test_offline_a_cut_file_is_named_with_both_hashes(downloads: Path) -> None:
    downloads.mkdir()
    (downloads / "toy_data-1.0-py3-none-any.whl").write_bytes(CONTENT[:99])
    with pytest.raises(FetchError) as caught:
        fetch({"toy": Pin(kind="wheel", name="toy-data", version="1.0", sha256=SHA)}, RuntimeParams(offline=True))
    message = str(caught.value)
    assert "toy_data-1.0-py3-none-any.whl" in message and SHA in message and hashlib.sha256(CONTENT[:99]).hexdigest() in message


def test_a_file_put_there_by_hand_is_used_offline(downloads: Path) -> None:
    downloads.mkdir()
    (downloads / "toy_data-1.0-py3-none-any.whl").write_bytes(CONTENT)
    pin = Pin(kind="wheel", name="toy-data", version="1.0", sha256=SHA)
    assert fetch({"toy": pin}, RuntimeParams(offline=True))["toy"].read_bytes() == CONTENT


def test_no_route_is_one_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    with pytest.raises(FetchError, match=r"could not be fetched.*\n.*Remedy: Connect to the network"):
        fetch({"data": Pin(kind="url", url="http://127.0.0.1:9/data.bin", sha256=SHA)}, RuntimeParams())


def test_an_answer_of_the_server_that_retrying_cannot_mend(server: Server) -> None:
    with pytest.raises(FetchError, match="404"):
        fetch({"data": url_pin(server, path="/missing")}, RuntimeParams())
    assert len(server.ranges) == 1


@pytest.mark.parametrize("url", ["http://example.invalid/a", "ftp://example.invalid/a", "file:///etc/passwd"])
def test_only_https(url: str) -> None:
    with pytest.raises(FetchError, match="not an https address"):
        fetch({"data": Pin(kind="url", url=url, sha256=SHA)}, RuntimeParams())


def test_a_redirect_away_from_https_is_refused(server: Server) -> None:
    with pytest.raises(FetchError, match="not an https address"):
        fetch({"data": url_pin(server, path="/elsewhere")}, RuntimeParams())


def test_mirror_is_checked_and_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "a.json").write_bytes(CONTENT)
    pin = Pin(kind="mirror", path="a.json", sha256=SHA)
    runtime = RuntimeParams(offline=True, mirror=str(tmp_path / "mirror"))
    assert fetch({"a": pin}, runtime)["a"].read_bytes() == CONTENT
    monkeypatch.setenv("SECFORGE_MIRROR", str(tmp_path / "mirror"))
    assert fetch({"a": pin}, RuntimeParams(offline=True))["a"].read_bytes() == CONTENT
    with pytest.raises(FetchError, match=SHA):
        fetch({"a": msgspec.structs.replace(pin, sha256="1" * 64)}, runtime)


def test_mirror_that_is_not_set_names_the_setting() -> None:
    with pytest.raises(FetchError, match=r"runtime\.mirror"):
        fetch({"a": Pin(kind="mirror", path="a.json", sha256=SHA)}, RuntimeParams())


def test_a_pin_without_its_fields_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="needs `name` and `version`"):
        msgspec.convert({"kind": "wheel", "sha256": SHA}, Pin)
    with pytest.raises(msgspec.ValidationError, match="sha256"):
        msgspec.convert({"kind": "mirror", "path": "a", "sha256": "abc"}, Pin)


def test_pip_that_got_another_file_names_both_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    said = f"ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n    toy==1.0:\n        Expected sha256 {SHA}\n             Got        {'a' * 64}\n"
    done = module.subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(FetchError) as caught:
        fetch({"toy": Pin(kind="wheel", name="toy", version="1.0", sha256=SHA)}, RuntimeParams())
    assert "toy 1.0" in str(caught.value) and SHA in str(caught.value) and "a" * 64 in str(caught.value)


def test_pip_without_network_names_package_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    done = module.subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution found for toy==1.0\n")
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(FetchError, match=r"toy 1\.0.*No matching distribution(?s:.*)toy-1\.0-py3-none-any\.whl"):
        fetch({"toy": Pin(kind="wheel", name="toy", version="1.0", sha256=SHA)}, RuntimeParams())


def test_zip_members_by_name_with_a_size_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in/a.json", "{}")
        archive.writestr("in/bomb.json", b"0" * 1_000_000)
    assert read_member(path, "in/a.json") == b"{}"
    assert list(read_members(path, "in/a*.json")) == ["in/a.json"]
    with pytest.raises(InputError, match="1,000,000 bytes"):
        read_member(path, "in/bomb.json", max_bytes=1000)
    with pytest.raises(InputError, match="no member nothing"):
        read_member(path, "nothing")


def test_a_truncated_zip_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cut.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", "{}" * 1000)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=r"cut\.whl is not a whole zip file(?s:.*)Delete"):
        read_member(path, "a.json")


def test_a_damaged_member_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bad.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", "[" + "1, " * 5000 + "1]")
    content = bytearray(path.read_bytes())
    content[45:55] = b"XXXXXXXXXX"
    path.write_bytes(content)
    for read in (lambda: read_member(path, "a.json"), lambda: read_members(path, "*.json")):
        with pytest.raises(InputError, match=r"bad\.whl"):
            read()
