"""Declarations, figures, and the stage as a whole: equal bytes in two runs."""

import copy
import json
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from stages.errors import FetchError, InputError, ParamsError
from stages.fetch import fetch
from stages.ingest.__main__ import run
from stages.ingest.benchmark_cves import hash_of
from stages.ingest.core import (
    check_declarations,
    counts,
    drop_repeated_passages,
    fetch_sources,
    ingest,
    ingest_all,
    tables,
    unreadable,
)
from stages.ingest.params import IngestParams, Source
from stages.ingest.records import Records, SourceFiles
from stages.runtime import RuntimeParams
from stages.stage import Stage
from tests.ingest.conftest import Toy
from tests.toy.build import toy_params

TABLES = ("entities", "links", "passages", "rejects")


def test_two_runs_give_equal_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        params = toy_params(folder / "mirror")
        params["runtime"]["concurrency"] = 1 if name == "one" else 64
        YAML().dump(params, folder / "params.yaml")
        run(Stage("ingest"))
        files = [folder / "data" / "ingest" / f"{table}.parquet" for table in TABLES]
        made.append(
            [path.read_bytes() for path in (*files, folder / "metrics" / "ingest.json", folder / "data/ingest/manifest.json")]
        )
    assert made[0] == made[1]


def test_figures_add_up(records: dict[str, Records]) -> None:
    figures = counts(records.values())
    json.dumps(figures)
    assert (
        sum(figures["entities"].values())
        == figures["total"]["entities"]
        == sum(s["entities"] for s in figures["sources"].values())
    )
    assert figures["cut_texts"] == 3 and figures["rejects"]["several-cves"] == 1


def test_a_pin_that_does_not_exist_and_one_that_nobody_reads(toy: Toy) -> None:
    pins = {name: pin for name, pin in toy.section["pins"].items() if name != "cwe"} | {"spare": toy.section["pins"]["cwe"]}
    with pytest.raises(ParamsError, match=r"cwe -> cwe.*no source names: spare"):
        check_declarations(msgspec.convert(toy.section | {"pins": pins}, IngestParams))


def test_no_sources_at_all() -> None:
    with pytest.raises(ParamsError, match="nothing to read"):
        check_declarations(IngestParams())


def test_a_role_that_is_not_declared_names_it(toy: Toy) -> None:
    cwe = toy.section["sources"]["cwe"]
    with pytest.raises(InputError, match=r"declares no file `catalogue`(?s:.*)ingest\.sources\.cwe\.files\.catalogue"):
        toy.read(sources={"cwe": cwe | {"files": {"xml": cwe["files"]["catalogue"]}}})


def test_a_source_whose_records_are_all_rejected_is_an_error(toy: Toy) -> None:
    with pytest.raises(InputError, match=r"`capec` yields no entity \(no-capec-id 15\)"):
        toy.read_changed("capec", "capec", "threats.json", lambda rows: [row | {"references": ""} for row in rows])


def test_two_processes_read_what_one_reads(toy: Toy) -> None:
    params = msgspec.convert(toy.section, IngestParams)
    paths = fetch(params.pins, RuntimeParams(mirror=str(toy.folder), offline=True))
    one, two = (tables(ingest(params, paths, workers)) for workers in (1, 2))
    assert one == two


def test_a_bad_source_is_named_from_a_worker_too(toy: Toy, tmp_path: Path) -> None:
    params = msgspec.convert(toy.section, IngestParams)
    paths = fetch(params.pins, RuntimeParams(mirror=str(toy.folder), offline=True))
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(InputError, match=r"broken\.zip is not a whole zip"):
        ingest(params, paths | {params.sources["nist"].files["catalogue"].pin: broken}, 2)


def test_what_was_read_before_an_error_is_cleaned_and_told(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    cve = "CVE-2031-90001"

    def broken(files: SourceFiles, records: Records) -> None:
        records.entity(f"cve:{cve}", "vulnerability", cve, "A text.", "", {})
        records.entity("cwe:CWE-1", "weakness", "A slip", "A text.", "", {})
        raise InputError("the second half cannot be read.", remedy="Pin a whole file.")

    monkeypatch.setattr("stages.ingest.readers.capec.read", broken)
    monkeypatch.setattr("stages.ingest.core.load_hashes", lambda: frozenset({hash_of(cve)}))
    optional = toy.section["sources"]["capec"] | {"required": False}
    records = toy.read(sources={"capec": optional}, pins={"capec": toy.section["pins"]["capec"]})["capec"]
    assert [entity.id for entity in records.entities] == ["cwe:CWE-1"] and records.benchmark_cves["entities"] == 1
    assert [reject.reason for reject in records.rejects] == ["unreadable-source", "benchmark-cve"]
    (warning,) = unreadable([records])
    assert "the second half" in warning and "Pin a whole file" in warning and "1 entities" in warning


def test_of_passages_with_one_id_the_first_stays(toy: Toy) -> None:
    first, second = (Records(name, toy_source(), 1200) for name in ("one", "two"))
    for records in (first, second):
        entity = records.entity("attack:G9001", "group", "Toy Group", "", "", {})
        records.passage(entity, "description", f"What the source `{records.name}` says of the group.")
        records.passage(entity, records.name, "What no other source says of the group.")
    drop_repeated_passages([first, second])
    kept = [passage.id for records in (first, second) for passage in records.passages]
    assert kept == ["attack:G9001#description", "attack:G9001#one", "attack:G9001#two"]
    assert [(one.record, one.reason) for one in second.rejects] == [("attack:G9001#description", "repeated-passage")]


def toy_source() -> Source:
    return Source(reader="toy", version="1", licence="CC0-1.0", files={})


def test_an_optional_source_whose_file_cannot_be_had_is_warned_of_and_the_rest_is_read(toy: Toy) -> None:
    section = copy.deepcopy(toy.section)
    pin = section["sources"]["nist"]["files"]["catalogue"]["pin"]
    section["pins"][pin] |= {"kind": "mirror", "path": "nowhere.json"}
    runtime = RuntimeParams(mirror=str(toy.folder), offline=True)
    with pytest.raises(FetchError, match=r"nowhere\.json is not in the mirror"):
        fetch_sources(msgspec.convert(section, IngestParams), runtime)
    section["sources"]["nist"]["required"] = False
    read = ingest_all(msgspec.convert(section, IngestParams), runtime)
    (problem,) = unreadable(read)
    assert "source `nist`" in problem and "nowhere.json" in problem and "0 entities" in problem
    assert sum(bool(records.entities) for records in read) == len(section["sources"]) - 1
