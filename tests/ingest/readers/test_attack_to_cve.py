"""CVEs and the techniques around them: lists in cells, ids as people type them."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.records import Records
from tests.ingest.reading import read_with

HEADER = "\ufeffCVE ID,Primary Impact,Secondary Impact,Exploitation Technique,Uncategorized,Phase\n"


def read_rows(folder: Path, *rows: str) -> Records:
    path = folder / "mappings.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return read_with("attack_to_cve", {"mappings": path})


def test_every_column_has_its_relation(tmp_path: Path) -> None:
    records = read_rows(tmp_path, "CVE-2031-1000,T9001,T9002; T9003.001,T9004;T9004,T9005.,Phase 2")
    assert [(link.subject, link.relation, link.object) for link in records.links] == [
        ("cve:CVE-2031-1000", "exploitation-technique", "attack:T9004"),
        ("cve:CVE-2031-1000", "primary-impact", "attack:T9001"),
        ("cve:CVE-2031-1000", "secondary-impact", "attack:T9002"),
        ("cve:CVE-2031-1000", "secondary-impact", "attack:T9003.001"),
        ("cve:CVE-2031-1000", "related-to", "attack:T9005"),
    ]
    assert not records.entities and not records.rejects


def test_ids_as_people_type_them(tmp_path: Path) -> None:
    records = read_rows(tmp_path, "CVE-2031-1000,T90011,TT9002,T9003. T9004,T828,1", "no id,T9001,,,,1")
    assert [link.object for link in records.links] == ["attack:T9003", "attack:T9004", "attack:T0828"]
    assert [(one.record, one.reason, one.detail) for one in records.rejects] == [
        ("record 2: CVE-2031-1000, Primary Impact", "no-technique-id", "T90011"),
        ("record 2: CVE-2031-1000, Secondary Impact", "no-technique-id", "TT9002"),
        ("record 3: no id", "no-cve-id", ""),
    ]


def test_a_file_that_maps_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="maps no CVE"):
        read_rows(tmp_path, "CVE-2031-1000,,,,,1")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"\r\n'), max_size=20), max_size=8))
def test_any_row_leaves_the_next(tmp_path: Path, cells: list[str]) -> None:
    records = read_rows(tmp_path, ",".join(cells), "CVE-2031-1000,T9001,,,,1")
    assert records.links[-1].object == "attack:T9001"


@pytest.mark.mirror
def test_the_counts_of_the_mirror(mirror: Path) -> None:
    path = mirror / "sources" / "attack-to-cve" / "Att&ckToCveMappings.csv"
    records = read_with("attack_to_cve", {"mappings": path})
    relations = {
        relation: sum(link.relation == relation for link in records.links) for relation in {one.relation for one in records.links}
    }
    assert relations == {"primary-impact": 425, "secondary-impact": 233, "exploitation-technique": 254, "related-to": 792}
    assert [one.detail for one in records.rejects] == ["T11190", "TT1565"]
    assert len({link.subject for link in records.links}) == 827  # of 836: the others name no technique
