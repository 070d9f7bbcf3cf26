"""Declarations, figures, and the stage as a whole: equal bytes in two runs."""

import json
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from stages.errors import InputError, ParamsError
from stages.fetch import fetch
from stages.ingest.__main__ import run
from stages.ingest.core import check_declarations, counts, ingest, tables
from stages.ingest.params import IngestParams
from stages.ingest.records import Records
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
