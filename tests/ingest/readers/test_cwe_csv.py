"""Views of CWE as CSV: packed columns, broken rows."""

import csv
import io
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.readers.cwe_csv.columns import KEYS, entries
from stages.ingest.readers.cwe_csv.table import COLUMNS
from stages.ingest.records import Records
from tests.ingest.reading import read_with

ROW = {
    "CWE-ID": "901",
    "Name": "Loose Queue",
    "Weakness Abstraction": "Base",
    "Status": "Draft",
    "Description": "A queue has no bound.",
    "Related Weaknesses": "::NATURE:ChildOf:CWE ID:900:VIEW ID:1000:ORDINAL:Primary::NATURE:ChildOf:CWE ID:902:VIEW ID:1003::",
    "Applicable Platforms": "::LANGUAGE NAME:C++:LANGUAGE PREVALENCE:Often::TECHNOLOGY CLASS:Web Based::",
    "Common Consequences": "::SCOPE:Availability:SCOPE:Other:IMPACT:DoS: Crash, Exit, or Restart:NOTE:std::queue grows: it ends.::",
    "Potential Mitigations": "::PHASE:Implementation Architecture and Design:STRATEGY:Bounds:DESCRIPTION:Bound it.::",
    "Observed Examples": "::REFERENCE:CVE-2031-90001:DESCRIPTION:Mail queue.:LINK:https://www.cve.org/CVERecord?id=CVE-2031-90001::",
    "Functional Areas": "::Memory Management::Queues::",
    "Related Attack Patterns": "::125::none::",
}


def table(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, *([row.get(column, "") for column in COLUMNS] + [""] for row in rows)])
    return out.getvalue()


def read_table(folder: Path, content: str | bytes, simplified: str = "") -> Records:
    (folder / "1000.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    files: dict[str, Path | tuple[Path, str]] = {"research": folder / "1000.csv"}
    if simplified:
        (folder / "1003.csv").write_text(simplified)
        files["simplified"] = folder / "1003.csv"
    return read_with("cwe_csv", files, version="4.99")


def test_packed_columns_are_fields(tmp_path: Path) -> None:
    fields = read_table(tmp_path, table([ROW])).entities[0].fields
    assert fields["consequences"] == [
        {"scopes": ["Availability", "Other"], "impacts": ["DoS: Crash, Exit, or Restart"], "note": "std::queue grows: it ends."}
    ]
    assert fields["mitigations"] == [
        {"phases": ["Implementation", "Architecture and Design"], "strategy": "Bounds", "description": "Bound it."}
    ]
    assert fields["platforms"] == ["C++", "Web Based"] and fields["functional_areas"] == ["Memory Management", "Queues"]
    assert fields["capec"] == ["CAPEC-125"] and fields["parents_in_views"] == {"1003": ["CWE-902"]}


def test_the_second_table_says_who_is_in_the_view(tmp_path: Path) -> None:
    other = ROW | {"CWE-ID": "905", "Related Weaknesses": ""}
    records = read_table(tmp_path, table([ROW, other, ROW | {"CWE-ID": "906", "Related Weaknesses": ""}]), table([ROW, other]))
    inside = {one.id: one.fields["in_view_1003"] for one in records.entities if one.type == "weakness"}
    assert inside == {"cwe:CWE-901": True, "cwe:CWE-905": True, "cwe:CWE-906": False}
    members = {(link.subject, link.object) for link in records.links if link.relation == "member-of"}
    assert ("cwe:CWE-905", "cwe:CWE-1003") in members and ("cwe:CWE-901", "cwe:CWE-1003") not in members


def test_broken_rows_are_rejects(tmp_path: Path) -> None:
    content = table([ROW, ROW | {"CWE-ID": "x"}, ROW | {"CWE-ID": "77", "Name": "N\u00e9"}]).encode("latin-1") + b"5,short\n"
    records = read_table(
        tmp_path, content + table([ROW | {"CWE-ID": "906", "Description": "y" * 200_000}]).split("\n", 1)[1].encode()
    )
    assert [one.id for one in records.entities if one.type == "weakness"] == ["cwe:CWE-901"]
    assert Counter(reject.reason for reject in records.rejects) >= Counter({"broken-record": 3, "not-utf8": 1})


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"CWE-ID,Title\n1,x\n", b'"' * 1000])
def test_another_table_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="has the columns"):
        read_table(tmp_path, content)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    column=st.sampled_from(COLUMNS), value=st.text(alphabet='aA:\n",\x00é0', max_size=40) | st.sampled_from(sorted(ROW.values()))
)
def test_any_cell_leaves_the_other_rows(tmp_path: Path, column: str, value: str) -> None:
    records = read_table(tmp_path, table([ROW | {"CWE-ID": "77", column: value}, ROW]))
    assert "cwe:CWE-901" in {one.id for one in records.entities}


@given(st.sampled_from(sorted(KEYS)), st.lists(st.text(alphabet="ab ::", min_size=1, max_size=8), max_size=3))
def test_what_was_packed_is_unpacked(column: str, values: list[str]) -> None:
    key = KEYS[column][0]
    inner = [value.strip(" :") or "x" for value in values]
    packed = "::" + "".join(f"{key}:{value}::" for value in inner)
    assert [entry for found in entries(column, packed) for entry in found] == [(key, value) for value in inner]


@pytest.mark.mirror
def test_counts_of_the_views_of_cwe_4_14(mirror: Path) -> None:
    files = {"research": mirror / "sources/cwe/1000.csv.gz", "simplified": mirror / "sources/cwe/1003.csv.gz"}
    records = read_with("cwe_csv", dict(files), version="4.14")
    weaknesses = [one for one in records.entities if one.type == "weakness"]
    relations = Counter(link.relation for link in records.links)
    assert len(weaknesses) == 938 and sum(one.fields["in_view_1003"] for one in weaknesses) == 130
    assert {name: relations[name] for name in ("child-of", "exploits", "can-precede", "instance-of")} == {
        "child-of": 1076,
        "exploits": 1212,
        "can-precede": 137,
        "instance-of": 2958,
    }
