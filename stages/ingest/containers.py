"""Files as publishers pack them: plain, gzip, xz, zip or tar; read by name, never unpacked, in bounded memory.

What cannot be read is told as `Refused` with a reason and the rest goes on: a member with a path outside its folder,
a link, a size above the limit (declared or real), an archive that ends early.
"""

import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

import msgspec

from stages.fetch import ZIP_ERRORS

CONTENT_LIMIT = 1 << 30  # bytes of one unpacked file: the largest source (CPE-laden NVD years) has 0.4 GB
RECORD_LIMIT = 32 << 20  # bytes of one record's file; the largest CVE record known has 3 MB
MEMBERS_LIMIT = 2_000_000  # entries of one archive: the whole CVE list has 300,000
HEADER_LIMIT = 1 << 20  # bytes of a tar's extended header, which holds a path: tarfile reads it at once, whatever it declares
READ_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, *ZIP_ERRORS)
_EXTENDED_HEADERS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip
_MAGIC = {b"\x1f\x8b": "gzip", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip"}


class Member(msgspec.Struct, frozen=True):
    """One file of an archive, or a plain file under its own name."""

    name: str
    content: bytes


class Refused(msgspec.Struct, frozen=True):
    """One file that was not read, and why."""

    name: str
    reason: str  # unsafe-path, not-a-file, oversized, broken-archive
    detail: str = ""


class TooLarge(Exception):
    """The unpacked content passes the limit."""


def kind_of(path: Path) -> str:
    """gzip, xz, zip, tar or plain, by content: names lie."""
    with open(path, "rb") as file:
        head = file.read(265)
    packed = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")
    return packed or ("tar" if head[257:262] == b"ustar" else "plain")


@contextmanager
def open_unpacked(path: Path, limit: int = CONTENT_LIMIT) -> Iterator[IO[bytes]]:
    """A plain, gzip or xz file as a stream of its content; reading past `limit` bytes raises TooLarge."""
    kind = kind_of(path)
    opened: IO[bytes] = gzip.open(path) if kind == "gzip" else lzma.open(path) if kind == "xz" else open(path, "rb")  # noqa: SIM115
    with opened:
        yield _Limited(opened, limit)  # type: ignore[misc]


def read_unpacked(path: Path, limit: int = CONTENT_LIMIT) -> bytes:
    """All of a plain, gzip or xz file. Raises TooLarge."""
    with open_unpacked(path, limit) as stream:
        return stream.read()


def members(path: Path, pattern: str, limit: int = RECORD_LIMIT) -> Iterator[Member | Refused]:
    """The files of an archive whose paths match the shell pattern (`*` also matches `/`), in the archive's order.

    Any leading folder of an archive (`sigma-<commit>/`) is the pattern's to name: `*/rules/*.yml`. A file that is no
    archive is its own only member, whatever the pattern. Each has at most `limit` bytes.
    """
    try:
        if kind_of(path) == "zip":
            yield from _zip_members(path, pattern, limit)
        elif _holds_tar(path):
            yield from _tar_members(path, pattern, limit)
        else:
            yield _plain(path, limit)
    except READ_ERRORS as error:
        yield Refused(path.name, "broken-archive", f"{type(error).__name__}: {error}")


def _plain(path: Path, limit: int) -> Member | Refused:
    try:
        return Member(path.name.removesuffix(".gz").removesuffix(".xz"), read_unpacked(path, limit))
    except TooLarge:
        return Refused(path.name, "oversized", f"more than {limit:,} bytes unpacked")


def _holds_tar(path: Path) -> bool:
    with open_unpacked(path) as stream:
        return stream.read(262)[257:262] == b"ustar"


def _zip_members(path: Path, pattern: str, limit: int) -> Iterator[Member | Refused]:
    with zipfile.ZipFile(path) as archive:
        for item in archive.infolist():
            if item.is_dir() or not fnmatchcase(item.filename, pattern):
                continue
            if _outside(item.filename):
                yield Refused(item.filename, "unsafe-path")
            elif item.file_size > limit:
                yield Refused(item.filename, "oversized", f"declares {item.file_size:,} bytes; at most {limit:,}")
            else:
                yield _zip_member(archive, item, limit)


def _zip_member(archive: zipfile.ZipFile, item: zipfile.ZipInfo, limit: int) -> Member | Refused:
    try:
        with archive.open(item) as file:
            content = file.read(limit + 1)
    except READ_ERRORS as error:
        return Refused(item.filename, "broken-archive", f"{type(error).__name__}: {error}")
    return Member(item.filename, content) if len(content) <= limit else Refused(item.filename, "oversized")


class _TarHeader(tarfile.TarInfo):
    """A header that fits into memory: extended headers are limited, sparse files (lists of any length) are refused."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_TarHeader":
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDED_HEADERS and header.size > HEADER_LIMIT:
            raise tarfile.ReadError(f"an extended header of {header.size:,} bytes; at most {HEADER_LIMIT:,}")
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a sparse file")
        return header

    def _proc_gnusparse_10(self, *_: object) -> None:
        """Where tarfile would read the list of a sparse file of PAX format 1.0."""
        raise tarfile.ReadError("a sparse file")


def _headers(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """One by one; tarfile itself keeps all that it has read."""
    while (header := archive.next()) is not None:
        archive.members.clear()
        yield header


def _tar_members(path: Path, pattern: str, limit: int) -> Iterator[Member | Refused]:
    """One pass over the stream: a tar has no index. A damaged end is one refusal after all that came before it."""
    options = {"mode": "r|*", "tarinfo": _TarHeader, "errors": "replace"}  # a name that is no UTF-8 could not be written
    with open(path, "rb") as raw, tarfile.open(fileobj=raw, **options) as archive:
        for number, item in enumerate(_headers(archive)):
            if number >= MEMBERS_LIMIT:
                yield Refused(path.name, "oversized", f"more than {MEMBERS_LIMIT:,} members")
                return
            if item.isdir() or not fnmatchcase(item.name, pattern):
                continue
            if _outside(item.name):
                yield Refused(item.name, "unsafe-path")
            elif not item.isfile():
                yield Refused(item.name, "not-a-file", "a link or a device")
            elif item.size > limit:
                yield Refused(item.name, "oversized", f"declares {item.size:,} bytes; at most {limit:,}")
            else:
                file = archive.extractfile(item)
                content = file.read() if file else b""
                if len(content) < item.size:
                    yield Refused(item.name, "broken-archive", f"{len(content):,} of {item.size:,} bytes")
                    return
                yield Member(item.name, content)


def _outside(name: str) -> bool:
    """Whether a member's path leads out of its archive's folder."""
    return name.startswith(("/", "\\")) or ":" in name.split("/")[0] or ".." in name.replace("\\", "/").split("/")


class _Limited:
    """A stream that raises TooLarge after `limit` bytes: what is packed small may unpack without end."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream, self._left = stream, limit

    def read(self, size: int = -1) -> bytes:
        wanted = self._left + 1 if size is None or size < 0 else min(size, self._left + 1)
        content = self._stream.read(wanted)
        self._left -= len(content)
        if self._left < 0:
            raise TooLarge
        return content
