"""EPSS scores: the daily file, and the scores of exploited vulnerabilities."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.records import Records
from tests.ingest.reading import read_with

DAILY = b"#model_version:v2031.01.01,score_date:2031-04-05T00:00:00+0000\ncve,epss,percentile\n"
EXPLOITED = b"\xef\xbb\xbfCVE,CVSS3,EPSS,EPSS Percentile,Description,Vendor,Product\n"


def read_scores(folder: Path, content: bytes) -> Records:
    path = folder / "scores.csv.gz"
    path.write_bytes(gzip.compress(content))
    return read_with("epss", {"scores": path}, version="2031-05-06")


def test_the_daily_file_gives_bare_ids_with_scores(tmp_path: Path) -> None:
    records = read_scores(tmp_path, DAILY + b"CVE-2031-1000,0.00043,0.0812\nCVE-2031-1001,1,1.0\nCVE-2031-1002,9e-05,.01\n")
    assert [entity.fields for entity in records.entities] == [
        {"year": 2031, "epss": 0.00043, "epss_percentile": 0.0812, "epss_date": "2031-04-05", "stub": True},
        {"year": 2031, "epss": 1.0, "epss_percentile": 1.0, "epss_date": "2031-04-05", "stub": True},
        {"year": 2031, "epss": 0.00009, "epss_percentile": 0.01, "epss_date": "2031-04-05", "stub": True},
    ]
    assert not records.passages and not records.links


def test_the_exploited_ones_have_a_text(tmp_path: Path) -> None:
    records = read_scores(tmp_path, EXPLOITED + b'CVE-2031-1000,6.1,0.5,0.9,"Widget, a toy, fails.",Toy Works,Widget\n')
    (entity,) = records.entities
    assert entity.text == "Widget, a toy, fails." and "stub" not in entity.fields
    assert entity.fields["nvd_score"] == 6.1 and "cvss_score" not in entity.fields
    assert entity.fields["known_exploited"] is True and entity.fields["epss_date"] == "2031-05-06"


@pytest.mark.parametrize("rated", ["", "10.1", "-1", "nan", "7.55", "high"])
def test_what_is_no_cvss_score_is_left_out(tmp_path: Path, rated: str) -> None:
    (entity,) = read_scores(
        tmp_path, EXPLOITED + f"CVE-2031-1000,{rated},0.5,0.9,A widget fails.,Toy Works,Widget\n".encode()
    ).entities
    assert "nvd_score" not in entity.fields and entity.fields["epss"] == 0.5


@pytest.mark.parametrize("row", ["CVE-31,0.1,0.1", "CVE-2031-1000,,0.1", "CVE-2031-1000,1.5,0.1", "CVE-2031-1000,nan,0.1",
                                 "CVE-2031-1000,inf,0.1", "CVE-2031-1000,-0.1,0.1", "CVE-2031-1000,0.1", "CVE-2031-1000,9e-999999999,1"])  # fmt: skip
def test_rows_without_a_probability(tmp_path: Path, row: str) -> None:
    records = read_scores(tmp_path, DAILY + f"{row}\nCVE-2031-2000,0.1,0.2\n".encode())
    assert [entity.id for entity in records.entities] == ["cve:CVE-2031-2000"] and len(records.rejects) == 1


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.text(max_size=12), max_size=5))
def test_any_row_leaves_the_next(tmp_path: Path, cells: list[str]) -> None:
    row = ",".join(cell.replace('"', "").replace("\n", "").replace("\r", "") for cell in cells)
    records = read_scores(tmp_path, DAILY + row.encode() + b"\nCVE-2031-2000,0.1,0.2\n")
    assert records.entities[-1].id == "cve:CVE-2031-2000"


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xfe\x00", b"cve,score\nCVE-2031-1000,1\n"])
def test_files_that_hold_no_scores(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"scores\.csv\.gz has no column"):
        read_scores(tmp_path, content)


@pytest.mark.mirror
def test_the_counts_of_the_mirror(mirror: Path) -> None:
    records = read_with("epss", {"scores": mirror / "sources" / "kev-epss" / "epss_kev_nvd.csv"}, version="2026-08-22")
    assert (len(records.entities), len(records.rejects)) == (1_556, 0)
    assert all(entity.text and 0 < entity.fields["epss"] <= 1 for entity in records.entities)
