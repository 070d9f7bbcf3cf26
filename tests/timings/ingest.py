"""Rows per second of every reader of the full profile beside plain parsing of the same bytes; CVE records at 1x, 2x, 4x.

The peer parses what the reader read (json, yaml.SafeLoader, csv, ElementTree; Markdown and RDF are decoded only) and does no
more: it unpacks nothing, cleans no text and makes no rows. SafeLoader is timed on the first megabyte and scaled.
Needs the folder of upstream files that SECFORGE_MIRROR names; a source whose files are in no cache is left out.
"""

import csv
import importlib
import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

import msgspec

from stages.config import load_params
from stages.errors import FetchError, InputError
from stages.fetch import fetch
from stages.ingest.containers import Member
from stages.ingest.params import IngestParams, Source
from stages.ingest.records import Records, SourceFiles
from stages.profiles.merge import load_profile, merged
from stages.runtime import RuntimeParams
from tests.timings.clock import Line, Measured, measure, show

LIMIT = 60.0  # seconds for all sources together
YEARS = (("cve_2023",), ("cve_2024",), ("cve_1999_2020", "cve_2021", "cve_2022", "cve_2023", "cve_2024"))  # about 1x, 2x, 4x
SAMPLE = 1_000_000  # bytes of YAML that the peer parses


def main() -> None:
    """Print both tables."""
    section = msgspec.convert(merged(load_params(), load_profile("full"))["ingest"], IngestParams)
    total = 0.0
    print(
        f"\n{'source':<18} {'reader':<17} {'entities':>8} {'links':>8} {'CPU s':>7} {'rows/s':>9} {'MB':>7} {'peer s':>8} {'ratio':>6}"
    )
    for name, source in sorted(section.sources.items()):
        paths = _paths(section, source)
        if paths is None:
            print(f"{name:<18} {source.reader:<17} its files are neither in the mirror nor in the cache")
            continue
        try:
            done = measure(lambda name=name, source=source, paths=paths: _read(name, source, paths))
        except InputError as error:
            print(f"{name:<18} {source.reader:<17} {str(error).splitlines()[0]}")
            continue
        total += done.cpu
        _show(name, source, done, _parsed(name, source, paths))
    print(f"all: {total:.1f} CPU s in one process; limit {LIMIT:.0f} s")
    _show_growth(section)


def _show(name: str, source: Source, done: Measured, peer: "Parsed") -> None:
    entities, links = len(done.result.entities), len(done.result.links)
    print(
        f"{name:<18} {source.reader:<17} {entities:>8,} {links:>8,} {done.cpu:>7.2f} {(entities + links) / done.cpu:>9,.0f} "
        f"{peer.size / 1e6:>7.1f} {peer.seconds:>8.2f} {peer.seconds / done.cpu:>6.1f}",
        flush=True,
    )


class Parsed(SourceFiles):
    """The files of a source, each parsed by the plain library for its kind as soon as a reader has asked for it."""

    def __init__(self, name: str, source: Source, paths: dict[str, Path]) -> None:
        super().__init__(name, source, paths)
        self.size, self._seconds, self._yaml_size, self._yaml_parsed, self._yaml_seconds = 0, 0.0, 0, 0, 0.0

    @property
    def seconds(self) -> float:
        """Processor seconds of the parsing."""
        return self._seconds + (self._yaml_seconds * self._yaml_size / self._yaml_parsed if self._yaml_parsed else 0.0)

    def read(self, role: str) -> bytes:
        """As the parent, parsed."""
        with self.open(role) as stream:
            return stream.read()

    @contextmanager
    def open(self, role: str) -> Iterator[IO[bytes]]:
        """As the parent, parsed."""
        with super().open(role) as stream:
            content = stream.read()
        file = self._file(role)
        self._parse(file.member or self._paths[file.pin].name.removesuffix(".gz"), content)
        yield io.BytesIO(content)

    def each(self, role: str, records: Records, pattern: str = "*") -> Iterator[Member]:
        """As the parent, parsed."""
        for member in super().each(role, records, pattern):
            self._parse(member.name, member.content)
            yield member

    def members(self, role: str, pattern: str) -> dict[str, bytes]:
        """As the parent, parsed."""
        found = super().members(role, pattern)
        for name, content in found.items():
            self._parse(name, content)
        return found

    def _parse(self, name: str, content: bytes) -> None:
        self.size += len(content)
        if name.endswith((".yml", ".yaml")):
            self._yaml_size += len(content)
            if self._yaml_parsed < SAMPLE:
                part = content if len(content) <= SAMPLE else content[: content.rindex(b"\n", 0, SAMPLE)]
                self._yaml_seconds += _seconds(_yaml, part)
                self._yaml_parsed += len(part)
        else:
            self._seconds += _seconds(_PLAIN.get(name.rpartition(".")[2], bytes.decode), content)


def _yaml(content: bytes) -> None:
    import yaml

    with suppress(yaml.YAMLError):  # the first part of a file may end inside a value
        list(yaml.load_all(content, yaml.SafeLoader))


_PLAIN: dict[str, Callable[[bytes], Any]] = {
    "json": json.loads,
    "afb": json.loads,
    "csv": lambda content: list(csv.reader(content.decode("utf-8", "replace").splitlines())),
    "xml": ElementTree.fromstring,
}


def _seconds(function: Callable[[bytes], Any], content: bytes) -> float:
    started = time.process_time()
    with suppress(ValueError, ElementTree.ParseError):  # a broken record costs the peer what it cost until there
        function(content)
    return time.process_time() - started


def _parsed(name: str, source: Source, paths: dict[str, Path]) -> Parsed:
    """The same reading once more, this time for the peer."""
    files = Parsed(name, source, paths)
    _reader(source).read(files, Records(name, source, passage_chars=1200))
    return files


def _show_growth(section: IngestParams) -> None:
    """CVE records of one year, of a year with twice as many, and of all."""
    source, lines = section.sources["cve"], []
    for pins in YEARS:
        some = msgspec.structs.replace(source, files={role: file for role, file in source.files.items() if file.pin in pins})
        paths = _paths(section, some)
        if paths is None:
            return
        ours = measure(lambda some=some, paths=paths: _read("cve", some, paths))
        lines.append(
            Line(f"{len(ours.result.entities):,} CVE records", ours, limit=10.0, peers={"tarfile and json": _peer(paths)})
        )
    show("ingest of CVE records; the peer cleans no text and makes no rows", lines)


def _peer(paths: dict[str, Path]) -> Measured:
    return measure(lambda: [_load(path) for path in paths.values()])


def _load(path: Path) -> int:
    """The plain way: every member through `json.load`."""
    with tarfile.open(path) as archive:
        return sum(bool(json.load(archive.extractfile(item))["cveMetadata"]) for item in archive if item.isfile())  # type: ignore[arg-type]


def _paths(section: IngestParams, source: Source) -> dict[str, Path] | None:
    """The files of one source, without the network."""
    pins = {file.pin: section.pins[file.pin] for file in source.files.values()}
    try:
        return fetch(pins, RuntimeParams(offline=True))
    except FetchError:
        return None


def _read(name: str, source: Source, paths: dict[str, Path]) -> Records:
    records = Records(name, source, passage_chars=1200)
    _reader(source).read(SourceFiles(name, source, paths), records)
    return records


def _reader(source: Source) -> Any:
    return importlib.import_module(f"stages.ingest.readers.{source.reader}")
