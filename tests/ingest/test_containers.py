"""Archives of strangers: what is safe and whole is read, the rest is refused by name and reason."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from stages.ingest.containers import Member, Refused, TooLarge, kind_of, members, open_unpacked, read_unpacked


def tar(path: Path, files: dict[str, bytes], mode: str = "w:gz", links: tuple[str, ...] = ()) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            item = tarfile.TarInfo(name)
            item.size = len(content)
            archive.addfile(item, io.BytesIO(content))
        for name in links:
            item = tarfile.TarInfo(name)
            item.type, item.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(item)
    return path


def read_all(path: Path, pattern: str = "*", limit: int = 1000) -> tuple[dict[str, bytes], dict[str, str]]:
    found = list(members(path, pattern, limit))
    return (
        {one.name: one.content for one in found if isinstance(one, Member)},
        {one.name: one.reason for one in found if isinstance(one, Refused)},
    )


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_members_of_a_tar_in_order_and_by_pattern(tmp_path: Path, mode: str) -> None:
    path = tar(tmp_path / "a", {"top/rules/b.yml": b"b", "top/rules/a.yml": b"a", "top/README.md": b"r"}, mode)
    assert read_all(path, "*/rules/*.yml") == ({"top/rules/b.yml": b"b", "top/rules/a.yml": b"a"}, {})


def test_paths_outside_links_and_large_members_are_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    files = {"../evil": b"x", "/etc/evil": b"x", "a/../../evil": b"x", "C:/evil": b"x", "big": b"x" * 1001, "good": b"g"}
    path = tar(tmp_path / "a.tar.gz", files, links=("link",))
    read, refused = read_all(path)
    assert read == {"good": b"g"}
    assert refused == dict.fromkeys(("../evil", "/etc/evil", "a/../../evil", "C:/evil"), "unsafe-path") | {
        "big": "oversized",
        "link": "not-a-file",
    }


def test_a_zip_member_that_declares_ten_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("huge.json", b"{}")
        archive.writestr("good.json", b"{}")
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\x01\x02") + 24  # size field of the first entry of the central directory
    raw[at : at + 4] = (0xFFFFFFFE).to_bytes(4, "little")
    path.write_bytes(raw)
    read, refused = read_all(path)
    assert read == {"good.json": b"{}"} and refused == {"huge.json": "oversized"}


def test_a_zip_member_that_unpacks_to_more_than_it_declares(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"0" * 100_000)
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = raw.index(signature) + offset
        raw[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(raw)
    read, refused = read_all(path)
    assert set(refused) == {"bomb"} and not read


def test_a_truncated_archive_gives_what_came_before_the_cut(tmp_path: Path) -> None:
    import random

    noise = random.Random(5)
    path = tar(tmp_path / "a.tar.gz", {f"{n}.json": noise.randbytes(900) for n in range(50)})
    path.write_bytes(path.read_bytes()[:20_000])
    read, refused = read_all(path)
    assert 10 < len(read) < 50
    assert list(refused.values()) == ["broken-archive"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04nothing", b"\x1f\x8bnothing", b"\xfd7zXZnothing"])
def test_what_is_no_archive_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    read, refused = read_all(path)
    assert refused == ({"a": "broken-archive"} if content else {}) and read == ({} if content else {"a": b""})


def test_a_plain_or_packed_file_is_its_own_member(tmp_path: Path) -> None:
    path = tmp_path / "feed.json.gz"
    path.write_bytes(gzip.compress(b"{}"))
    assert kind_of(path) == "gzip" and read_unpacked(path) == b"{}"
    assert read_all(path) == ({"feed.json": b"{}"}, {})


def test_a_gzip_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(5_000_000)))
    with pytest.raises(TooLarge), open_unpacked(path, limit=1_000_000) as stream:
        stream.read()
    assert read_all(path, limit=1_000_000)[1] == {"bomb.gz": "oversized"}


def header_of(kind: bytes, size: int) -> bytes:
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, size
    return header.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_an_extended_header_of_ten_gigabytes_is_not_read(tmp_path: Path, kind: bytes) -> None:
    whole = tar(tmp_path / "whole.tar", {"good": b"g"}, "w").read_bytes()[:1024]
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(whole + header_of(kind, 10 << 30) + bytes(4_000_000)))
    tracemalloc.start()
    read, refused = read_all(path)
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()
    assert read == {"good": b"g"} and refused == {"a.tar.gz": "broken-archive"}


def test_sparse_files_are_refused_before_their_lists_are_read(tmp_path: Path) -> None:
    options = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", "GNU.sparse.realsize": "9"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        item = tarfile.TarInfo("s")
        item.pax_headers, item.size = options, 512
        archive.addfile(item, io.BytesIO(b"1000000000\n" + b"1\n" * 250 + b"1"))
    for name, content in {"pax.tar": buffer.getvalue(), "gnu.tar": header_of(tarfile.GNUTYPE_SPARSE, 9) + bytes(2048)}.items():
        (tmp_path / name).write_bytes(content)
        assert read_all(tmp_path / name) == ({}, {name: "broken-archive"})


def test_names_that_are_no_utf8_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        item = tarfile.TarInfo("caf\xe9.json")
        archive.addfile(item, io.BytesIO())
    assert read_all(path) == ({"caf\ufffd.json": b""}, {})
