"""Known exploited vulnerabilities: both forms of the catalogue say the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.records import Records
from tests.ingest.anything import NO_DOCUMENTS
from tests.ingest.damaged import damaged
from tests.ingest.reading import read_with

ENTRY: dict[str, Any] = {
    "cveID": "CVE-2031-1000",
    "vendorProject": "Toy Works",
    "product": "Widget",
    "vulnerabilityName": "Toy Works Widget Scripting Vulnerability",
    "dateAdded": "2031-04-05",
    "shortDescription": "Widget contains a scripting vulnerability, \u201cnames\u201d.",
    "requiredAction": "Apply updates.",
    "dueDate": "2031-04-26",
    "knownRansomwareCampaignUse": "Known",
    "notes": "",
    "cwes": ["CWE-79", "CWE-80"],
}
FIELDS = {
    "year": 2031,
    "title": "Toy Works Widget Scripting Vulnerability",
    "vendor": "Toy Works",
    "product": "Widget",
    "known_exploited": True,
    "kev_added": "2031-04-05",
    "kev_due": "2031-04-26",
    "kev_action": "Apply updates.",
    "kev_ransomware": "Known",
    "kev_name": "Toy Works Widget Scripting Vulnerability",
}


def read_catalogue(folder: Path, content: bytes) -> Records:
    path = folder / "catalogue"
    path.write_bytes(content)
    return read_with("kev", {"catalogue": path})


def as_json(*entries: Any) -> bytes:
    return json.dumps({"title": "Toy", "count": len(entries), "vulnerabilities": entries}).encode()


def as_csv(*entries: dict[str, Any]) -> bytes:
    rows = ["\ufeff" + ",".join(ENTRY)]
    for entry in entries:
        rows.append(",".join(f'"{", ".join(value) if isinstance(value, list) else value}"' for value in entry.values()))
    return "\r\n".join(rows).encode()


@pytest.mark.parametrize("form", [as_json, as_csv])
def test_an_entry_in_both_forms(tmp_path: Path, form: Any) -> None:
    records = read_catalogue(tmp_path, form(ENTRY))
    (entity,) = records.entities
    assert (entity.id, entity.text) == ("cve:CVE-2031-1000", "Widget contains a scripting vulnerability, “names”.")
    assert entity.fields == FIELDS
    assert [link.object for link in records.links] == ["cwe:CWE-79", "cwe:CWE-80"]
    assert records.passages[0].text.endswith("Required action: Apply updates.")


@pytest.mark.parametrize("form", [as_json, as_csv])
def test_entries_that_are_not_used(tmp_path: Path, form: Any) -> None:
    records = read_catalogue(tmp_path, form(ENTRY | {"cveID": "TOY-1"}, ENTRY | {"shortDescription": " "}, ENTRY | {"cwes": []}))
    assert [one.reason for one in records.rejects] == ["no-cve-id", "empty-text"]
    assert len(records.entities) == 1 and not records.links


@pytest.mark.parametrize("content", [*NO_DOCUMENTS, as_json(), b"cveID,notes\n"])
def test_files_that_are_no_catalogue(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="source `kev`: catalogue"):
        read_catalogue(tmp_path, content)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entry=damaged(ENTRY))
def test_any_damage_to_one_entry_leaves_the_other(tmp_path: Path, entry: Any) -> None:
    records = read_catalogue(tmp_path, as_json(entry, ENTRY))
    assert len(records.entities) + len(records.rejects) == 2 and records.entities[-1].fields == FIELDS


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=100))
def test_any_bytes_for_a_catalogue(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError):
        read_catalogue(tmp_path, content)


@pytest.mark.mirror
@pytest.mark.parametrize("form", ["json", "csv"])
def test_the_counts_of_the_mirror(mirror: Path, form: str) -> None:
    records = read_with("kev", {"catalogue": mirror / "sources" / "kev" / f"known_exploited_vulnerabilities.{form}"})
    assert (len(records.entities), len(records.links), len(records.rejects)) == (1_404, 1_338, 0)
    assert sum(entity.fields["kev_ransomware"] == "Known" for entity in records.entities) == 293
