"""Run every declared reader and count what it made."""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stages.errors import FetchError, InputError, ParamsError
from stages.fetch import fetch
from stages.ingest import readers
from stages.ingest.benchmark_cves import load_hashes
from stages.ingest.hygiene import COUNTED, remove_benchmark_cves
from stages.ingest.own import FOLDER, read_own
from stages.ingest.params import IngestParams, Source
from stages.ingest.records import Records, SourceFiles
from stages.ingest.schema import Entity, Link, Passage
from stages.processes import map_processes
from stages.runtime import RuntimeParams

UNREADABLE = "unreadable-source"  # the reason of a reject that stands for the rest of a source


def check_declarations(params: IngestParams) -> None:
    """Every file names a pin that exists, and every pin is used. Raises ParamsError."""
    _check_readers(params)
    used = {(name, file.pin) for name, source in params.sources.items() for file in source.files.values()}
    unknown = sorted(f"{name} -> {pin}" for name, pin in used if pin not in params.pins)
    idle = sorted(set(params.pins) - {pin for _, pin in used})
    if not params.sources:
        raise ParamsError(
            "`ingest.sources` is empty: there is nothing to read.", remedy="`git checkout params.yaml` brings the default."
        )
    if unknown or idle:
        found = [
            f"sources name pins that do not exist: {', '.join(unknown)}" if unknown else "",
            f"pins that no source names: {', '.join(idle)}" if idle else "",
        ]
        raise ParamsError(
            "; ".join(part for part in found if part) + ".",
            allowed=", ".join(sorted(params.pins)),
            remedy="Mend `ingest` in params.yaml.",
        )


def _check_readers(params: IngestParams) -> None:
    known = reader_names()
    unknown = sorted(f"{name}: {source.reader}" for name, source in params.sources.items() if source.reader not in known)
    if unknown:
        raise ParamsError(
            f"`ingest.sources` names readers that do not exist: {', '.join(unknown)}.",
            allowed=", ".join(known),
            remedy="Mend `reader` in params.yaml, or write stages/ingest/readers/<name>.py with a function `read`.",
        )


def reader_names() -> list[str]:
    """Every module of stages/ingest/readers."""
    return sorted(module.name for module in pkgutil.iter_modules(readers.__path__))


def ingest_all(params: IngestParams, runtime: RuntimeParams) -> list[Records]:
    """Everything fetched and read: one `Records` per source, the user's own files last, no passage id twice.

    Raises FetchError or InputError if a required source cannot be had or read, or none of the user's own files can be used.
    """
    paths, missing = fetch_sources(params, runtime)
    read = ingest(params, paths, runtime.workers, missing) + ingest_own(params)
    drop_repeated_passages(read)
    return read


def fetch_sources(params: IngestParams, runtime: RuntimeParams) -> tuple[dict[str, Path], dict[str, str]]:
    """(checked file of every pin that could be fetched, what is wrong with the others).

    Raises FetchError for a pin that a required source reads. A file that only optional sources read may be missing.
    """
    needed = {file.pin for source in params.sources.values() if source.required for file in source.files.values()}
    paths = fetch({name: pin for name, pin in params.pins.items() if name in needed}, runtime)
    missing: dict[str, str] = {}
    for name in sorted(set(params.pins) - needed):
        try:
            paths |= fetch({name: params.pins[name]}, runtime)
        except FetchError as error:
            missing[name] = str(error).replace("\n", " ")
    return paths, missing


def ingest(
    params: IngestParams, paths: dict[str, Path], workers: int = 1, missing: Mapping[str, str] | None = None
) -> list[Records]:
    """One `Records` per source, in the order of their names; `missing` as `fetch_sources` tells it.

    Raises InputError for a required source that yields nothing.
    """
    hashes = load_hashes()

    def work(name: str) -> bytes:
        return _read(name, params.sources[name], params, paths, hashes, missing or {}).packed()

    names = sorted(params.sources)
    packed = map_processes(names, work, workers, label="ingest", unit="sources")
    return [
        Records(name, params.sources[name], params.passage_chars).unpacked(content)
        for name, content in zip(names, packed, strict=True)
    ]


def ingest_own(params: IngestParams, folder: Path = FOLDER) -> list[Records]:
    """The user's own files as one more `Records`; none where the folder holds none. Raises InputError if none can be used."""
    records = read_own(params, folder)
    if records is not None:
        records.benchmark_cves = remove_benchmark_cves(records, load_hashes())
    return [records] if records is not None else []


def drop_repeated_passages(read: Iterable[Records]) -> None:
    """Of several passages with one id the first stays: two domains of ATT&CK may both call a group their own."""
    seen: set[str] = set()
    for records in read:
        repeated = [passage.id for passage in records.passages if passage.id in seen]
        for id in repeated:
            records.reject(id, "repeated-passage", "an earlier source has a passage of this id")
        if repeated:
            records.passages = [passage for passage in records.passages if passage.id not in seen]
        seen.update(passage.id for passage in records.passages)


def unreadable(read: Iterable[Records]) -> list[str]:
    """What is wrong with each optional source that could not be read to its end, as sentences."""
    return [
        f"{reject.detail} Of this source {len(records.entities):,} entities and {len(records.links):,} links are used."
        for records in read
        for reject in records.rejects
        if reject.reason == UNREADABLE
    ]


def _read(
    name: str, source: Source, params: IngestParams, paths: dict[str, Path], hashes: frozenset[str], missing: Mapping[str, str]
) -> Records:
    records = Records(name, source, params.passage_chars)
    absent = [missing[file.pin] for file in source.files.values() if file.pin in missing]
    if absent:
        records.reject(name, UNREADABLE, f"source `{name}`: {absent[0]}")
        return records
    reader = importlib.import_module(f"stages.ingest.readers.{source.reader}")
    try:
        reader.read(SourceFiles(name, source, paths), records)
        _refuse_empty(records)
    except InputError as error:
        if source.required:
            raise
        records.reject(name, UNREADABLE, str(error).replace("\n", " "))
    records.benchmark_cves = remove_benchmark_cves(records, hashes)  # also of what was read before an error
    return records


def _refuse_empty(records: Records) -> None:
    if not records.entities and not records.links:
        reasons = Counter(reject.reason for reject in records.rejects).most_common(3)
        raise InputError(
            f"source `{records.name}` yields no entity ({', '.join(f'{why} {count}' for why, count in reasons) or 'it is empty'}).",
            allowed=f"at least one record that the reader `{records.source.reader}` can use",
            remedy=f"Check the pin and the files of ingest.sources.{records.name} in params.yaml.",
        )


def tables(read: Iterable[Records]) -> dict[str, tuple[list[Any], type]]:
    """Rows and row type by table name, in an order that only the rows decide."""
    read = list(read)
    return {
        "entities": (sorted((row for records in read for row in records.entities), key=lambda row: (row.id, row.source)), Entity),
        "links": ([row for records in read for row in records.links], Link),
        "passages": (
            sorted((row for records in read for row in records.passages), key=lambda row: (row.id, row.source)),
            Passage,
        ),
    }


def counts(read: Iterable[Records]) -> dict[str, Any]:
    """Deterministic figures: per source, and over all sources by type, relation, licence and reject reason."""
    read = list(read)
    entities = [entity for records in read for entity in records.entities]
    links = [link for records in read for link in records.links]
    return {
        "sources": {records.name: _source_counts(records) for records in read},
        "entities": _counted(entity.type for entity in entities),
        "links": _counted(link.relation for link in links),
        "licences": _counted(entity.licence for entity in entities),
        "rejects": _counted(reject.reason for records in read for reject in records.rejects),
        "cut_texts": sum(bool(entity.fields.get("text_cut")) for entity in entities),
        "benchmark_cves": {what: sum(records.benchmark_cves.get(what, 0) for records in read) for what in COUNTED},
        "links_with_text": sum(bool(link.text) for link in links),
        "total": {"entities": len(entities), "links": len(links), "passages": sum(len(records.passages) for records in read)},
    }


def _source_counts(records: Records) -> dict[str, Any]:
    return {
        "version": records.source.version,
        "entities": len(records.entities),
        "links": len(records.links),
        "passages": len(records.passages),
        "rejects": _counted(reject.reason for reject in records.rejects),
        "benchmark_cves": records.benchmark_cves,
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
