"""CAR analytics: coverage, and what a hostile archive may not do."""

import io
import tarfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.ingest.records import Records
from tests.ingest.anything import ANYTHING, SLOW, YAML_BOMB
from tests.ingest.reading import read_with

ANALYTIC = {
    "id": "CAR-2031-01-001",
    "title": "Processes that `sing`",
    "description": "Looks for processes that [sing](https://song.example) while they start, as [CAR-1](CAR-2031-01-002).",
    "submission_date": "2031/01/02",
    "information_domain": "Host, Network",
    "platforms": ["Windows", "N/A"],
    "subtypes": ["Process"],
    "analytic_types": ["TTP"],
    "contributors": ["A Choir"],
    "coverage": [
        {"technique": "T9001", "tactics": ["TA9001"], "subtechniques": ["T9001.001"], "coverage": "Moderate"},
        {"technique": "T9002", "coverage": "Low"},
        {"technique": "none"},
    ],
    "data_model_references": ["process/create/exe"],
    "d3fend_mappings": [{"iri": "d3f:Song", "id": "D3-SONG", "label": "Song"}],
    "implementations": [{"type": "pseudocode", "code": "sing()"}],
}


def read_files(folder: Path, files: dict[str, bytes]) -> Records:
    path = folder / "car.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return read_with("car", {"analytics": path})


def as_yaml(value: Any) -> bytes:
    return yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "replace")


def test_an_analytic_without_its_code(tmp_path: Path) -> None:
    records = read_files(tmp_path, {"analytics/CAR-2031-01-001.yaml": as_yaml(ANALYTIC), "analytics/readme.md": b"x"})
    (entity,) = records.entities
    assert (entity.id, entity.type, entity.name) == ("car:CAR-2031-01-001", "analytic", "Processes that sing")
    assert entity.text == "Looks for processes that sing while they start, as CAR-1." and entity.published == "2031-01-02"
    assert entity.fields["platforms"] == ["Windows"] and entity.fields["information_domain"] == ["Host", "Network"]
    assert entity.fields["coverage"][0] == {
        "technique": "T9001", "subtechniques": ["T9001.001"], "tactics": ["TA9001"], "level": "Moderate",
    }  # fmt: skip
    assert "sing()" not in repr(records.entities)
    assert {(link.relation, link.object) for link in records.links} == {
        ("detects", "attack:T9001.001"),
        ("detects", "attack:T9002"),
        ("corresponds-to", "d3fend:D3-SONG"),
    }
    assert [(reject.reason, reject.record) for reject in records.rejects] == [("no-technique-id", "car:CAR-2031-01-001 none")]


def test_hostile_members_are_refused_by_name_and_the_rest_read(tmp_path: Path) -> None:
    records = read_files(
        tmp_path,
        {
            "analytics/CAR-1.yaml": YAML_BOMB.encode(),
            "../analytics/CAR-2.yaml": as_yaml(ANALYTIC),
            "analytics/CAR-3.yaml": b"title: \xff",
            "analytics/CAR-4.yaml": as_yaml({key: value for key, value in ANALYTIC.items() if key != "title"}),
            "analytics/CAR-5.yaml": as_yaml(ANALYTIC | {"id": "CAR-1"}),
            "analytics/CAR-6.yaml": as_yaml(ANALYTIC | {"description": " "}),
            "analytics/CAR-7.yaml": b"x" * (33 << 20),
            "analytics/CAR-8.yaml": as_yaml(ANALYTIC | {"coverage": None}),
            "analytics/CAR-9.yaml": as_yaml(ANALYTIC | {"coverage": []}),
        },
    )
    assert len(records.entities) == 1
    assert {(reject.record.split("/")[-1], reject.reason) for reject in records.rejects} == {
        ("CAR-1.yaml", "broken-yaml"),
        ("CAR-2.yaml", "unsafe-path"),
        ("CAR-3.yaml", "not-utf8"),
        ("CAR-4.yaml", "broken-record"),
        ("CAR-5.yaml", "no-id"),
        ("CAR-6.yaml", "empty-text"),
        ("CAR-7.yaml", "oversized"),
        ("CAR-8.yaml", "broken-record"),
    }


def test_an_archive_that_ends_early_keeps_what_came_before(tmp_path: Path) -> None:
    read_files(
        tmp_path,
        {f"analytics/CAR-{n}.yaml": as_yaml(ANALYTIC | {"contributors": [Random(n).randbytes(9_000).hex()]}) for n in range(5)},
    )
    whole = (tmp_path / "car.tar.gz").read_bytes()
    (tmp_path / "car.tar.gz").write_bytes(whole[: len(whole) * 2 // 3])
    records = read_with("car", {"analytics": tmp_path / "car.tar.gz"})
    assert 0 < len(records.entities) < 5 and [
        reject.reason for reject in records.rejects if reject.reason != "no-technique-id"
    ] == ["broken-archive"]


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(key=st.sampled_from(sorted(ANALYTIC)), value=ANYTHING, whole=st.booleans(), noise=st.none() | st.binary(max_size=60))
def test_anything_in_a_records_place_leaves_the_others(
    tmp_path: Path, key: str, value: Any, whole: bool, noise: bytes | None
) -> None:
    changed = as_yaml(value if whole else ANALYTIC | {key: value}) if noise is None else noise
    good = as_yaml(ANALYTIC | {"id": "CAR-2031-01-002"})
    records = read_files(tmp_path, {"analytics/CAR-1.yaml": changed, "analytics/CAR-2.yaml": good})
    assert records.entities[-1].id == "car:CAR-2031-01-002" and len(records.entities) + len(records.rejects) >= 2


@pytest.mark.mirror
def test_counts_of_car(mirror: Path) -> None:
    records = read_with("car", {"analytics": mirror / "sources/car/car-analytics.tar.gz"})
    assert len(records.entities) == 102 and not records.rejects
    assert Counter(link.relation for link in records.links) == {"detects": 184, "corresponds-to": 102}
