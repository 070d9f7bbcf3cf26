"""Rows per second of every reader of the full profile, and CVE records at 1x, 2x and 4x beside tarfile and json.

Needs the folder of upstream files that SECFORGE_MIRROR names; a source whose files are in no cache is left out.
"""

import importlib
import json
import tarfile
from pathlib import Path

import msgspec

from stages.config import load_params
from stages.errors import FetchError, InputError
from stages.fetch import fetch
from stages.ingest.params import IngestParams, Source
from stages.ingest.records import Records, SourceFiles
from stages.profiles.merge import load_profile, merged
from stages.runtime import RuntimeParams
from tests.timings.clock import Line, Measured, measure, show

LIMIT = 60.0  # seconds for all sources together
YEARS = (("cve_2023",), ("cve_2024",), ("cve_1999_2020", "cve_2021", "cve_2022", "cve_2023", "cve_2024"))  # about 1x, 2x, 4x


def main() -> None:
    """Print both tables."""
    section = msgspec.convert(merged(load_params(), load_profile("full"))["ingest"], IngestParams)
    total = 0.0
    print(f"\n{'source':<20} {'reader':<14} {'entities':>9} {'links':>9} {'CPU s':>7} {'rows/s':>9}")
    for name, source in sorted(section.sources.items()):
        paths = _paths(section, source)
        if paths is None:
            print(f"{name:<20} {source.reader:<14} its files are neither in the mirror nor in the cache")
            continue
        try:
            done = measure(lambda name=name, source=source, paths=paths: _read(name, source, paths))
        except InputError as error:
            print(f"{name:<20} {source.reader:<14} {str(error).splitlines()[0]}")
            continue
        records, total = done.result, total + done.wall
        rows = len(records.entities) + len(records.links)
        print(
            f"{name:<20} {source.reader:<14} {len(records.entities):>9,} {len(records.links):>9,} {done.cpu:>7.2f} {rows / done.cpu:>9,.0f}"
        )
    print(f"all: {total:.1f} s; limit {LIMIT:.0f} s")
    _show_growth(section)


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
    importlib.import_module(f"stages.ingest.readers.{source.reader}").read(SourceFiles(name, source, paths), records)
    return records
