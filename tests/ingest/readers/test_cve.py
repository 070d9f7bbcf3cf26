"""CVE 5 records: what each container adds, what is not used, and what a hostile archive may not do."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.ingest.records import Records
from tests.ingest.anything import NO_DOCUMENTS
from tests.ingest.damaged import damaged
from tests.ingest.reading import read_with
from tests.ingest.test_containers import tar

VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
RECORD: dict[str, Any] = {
    "dataType": "CVE_RECORD",
    "dataVersion": "5.1",
    "cveMetadata": {
        "cveId": "CVE-2031-1000",
        "state": "PUBLISHED",
        "assignerShortName": "toyorg",
        "datePublished": "2031-03-04T05:06:07.890Z",
    },
    "containers": {
        "cna": {
            "title": "Script in `Widget` names",
            "descriptions": [
                {"lang": "de", "value": "Ein Fehler in Widget."},
                {"lang": "en", "value": "Widget shows <script> in names\nas it is."},
            ],
            "affected": [
                {"vendor": "n/a", "product": "n/a", "versions": [{"version": "n/a", "status": "affected"}]},
                {
                    "vendor": "Toy Works",
                    "product": "Widget",
                    "versions": [
                        {"version": "0", "lessThan": "2.4", "status": "affected", "versionType": "semver"},
                        {"version": "3.0", "lessThanOrEqual": "3.1", "status": "affected"},
                        {"version": "3.2", "status": "unaffected"},
                    ],
                },
            ],
            "problemTypes": [{"descriptions": [{"lang": "en", "cweId": "CWE-79", "description": "XSS"}, {"description": "n/a"}]}],
            "metrics": [
                {"format": "CVSS", "cvssV4_0": {"vectorString": "CVSS:4.0/AV:N"}},
                {"cvssV3_1": {"vectorString": VECTOR + "/E:P", "baseScore": 5.8, "baseSeverity": "MEDIUM"}},
                {"other": {"type": "Toy severity", "content": {"value": "bad"}}},
            ],
            "impacts": [{"capecId": "CAPEC-63", "descriptions": [{"lang": "en", "value": "CAPEC-63 XSS"}]}],
            "solutions": [{"lang": "en", "value": "Update to 2.4."}, {"lang": "fr", "value": "Mettre à jour."}],
            "workarounds": [{"lang": "en", "value": "Turn names off."}],
            "tags": ["disputed"],
        },
        "adp": [
            {
                "title": "Toy ADP",
                "problemTypes": [{"descriptions": [{"cweId": "CWE-80"}, {"cweId": "CWE-79"}]}],
                "metrics": [
                    {"cvssV3_1": {"vectorString": "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}},
                    {"other": {"type": "ssvc", "content": {"options": [{"Exploitation": "poc"}, {"Automatable": "No"},
                                                                       {"Technical Impact": "total"}]}}},
                    {"other": {"type": "kev", "content": {"dateAdded": "2031-04-05"}}},
                ],
            },
        ],
    },
}  # fmt: skip


def changed(id: str = "CVE-2031-1000", **metadata: Any) -> dict[str, Any]:
    record = copy.deepcopy(RECORD)
    record["cveMetadata"] |= {"cveId": id} | metadata
    return record


def read_records(folder: Path, *records: Any) -> Records:
    named = {f"2031/1xxx/CVE-2031-{number}.json": json.dumps(record).encode() for number, record in enumerate(records)}
    return read_with("cve", {"2031": tar(folder / "cves.tar", named, "w")})


def test_a_record_with_what_cisa_adds(tmp_path: Path) -> None:
    records = read_records(tmp_path, RECORD)
    (entity,) = records.entities
    assert (entity.id, entity.name, entity.type) == ("cve:CVE-2031-1000", "CVE-2031-1000", "vulnerability")
    assert entity.text == "Widget shows <script> in names\nas it is." and entity.published == "2031-03-04"
    assert entity.fields == {
        "year": 2031,
        "title": "Script in Widget names",
        "vendor": "Toy Works",
        "product": "Widget",
        "affected": "Widget before 2.4, 3.0 through 3.1",
        "cna": "toyorg",
        "state": "PUBLISHED",
        "disputed": True,
        "solutions": ["Update to 2.4."],
        "workarounds": ["Turn names off."],
        "cvss_vector": VECTOR,
        "cvss_score": 6.1,
        "cvss_severity": "MEDIUM",
        "ssvc_exploitation": "poc",
        "ssvc_automatable": "no",
        "ssvc_impact": "total",
        "known_exploited": True,
        "kev_added": "2031-04-05",
    }
    assert [(link.subject, link.relation, link.object) for link in records.links] == [
        (entity.id, "instance-of", "cwe:CWE-79"),
        (entity.id, "instance-of", "cwe:CWE-80"),
        ("capec:CAPEC-63", "related-to", entity.id),
    ]
    assert [(one.id, one.title) for one in records.passages] == [
        ("cve:CVE-2031-1000#record", "CVE-2031-1000 Script in Widget names")
    ]


def test_the_publisher_of_additions_completes_what_the_authority_leaves_out(tmp_path: Path) -> None:
    record = changed()
    for key in ("metrics", "affected", "problemTypes", "title"):
        del record["containers"]["cna"][key]
    record["containers"]["adp"][0]["affected"] = [{"vendor": "toy_works", "product": "widget"}]
    records = read_records(tmp_path, record)
    assert records.entities[0].fields["cvss_score"] == 1.6 and records.entities[0].fields["vendor"] == "toy_works"
    assert "affected" not in records.entities[0].fields and records.passages[0].title == "CVE-2031-1000"


def test_records_that_are_not_used(tmp_path: Path) -> None:
    german, old, empty = changed("CVE-2031-1001"), changed("CVE-2031-1002"), changed("CVE-2031-1003")
    german["containers"]["cna"]["descriptions"].pop()
    old["dataVersion"] = "4.0"
    empty["containers"]["cna"]["descriptions"] = []
    rejected = changed("CVE-2031-1004", state="REJECTED")
    rejected["containers"] = {"cna": {"rejectedReasons": [{"lang": "en", "value": "Not a fault."}]}}
    reserved = changed("CVE-2031-1005", state="RESERVED")
    reserved["containers"] = {}
    odd = changed("CVE-31-1; drop")
    records = read_records(tmp_path, german, old, empty, rejected, reserved, odd, RECORD)
    assert [entity.id for entity in records.entities] == ["cve:CVE-2031-1000"]
    assert [(one.reason, one.detail) for one in records.rejects] == [
        ("not-english", "de"),
        ("unsupported-version", "4.0; the reader knows 5.x"),
        ("empty-text", ""),
        ("rejected-id", "Not a fault."),
        ("reserved-id", ""),
        ("broken-record", "no CVE id"),
    ]
    assert records.rejects[0].record == "2031/1xxx/CVE-2031-0.json CVE-2031-1001"


def test_a_hostile_archive_costs_only_its_hostile_members(tmp_path: Path) -> None:
    whole = json.dumps(RECORD).encode()
    files = {f"2031/CVE-2031-{number}.json": content for number, content in enumerate(NO_DOCUMENTS)}
    files |= {
        "../CVE-2031-7.json": whole,
        "2031/CVE-2031-8.json": whole.replace(b"Toy ADP", b"Toy \xff ADP"),
        "2031/CVE-2031-9.json": whole,
    }
    records = read_with("cve", {"2031": tar(tmp_path / "cves.tar.gz", files, links=("2031/CVE-2031-10.json",))})
    assert [entity.id for entity in records.entities] == ["cve:CVE-2031-1000"]
    reasons = {one.record: one.reason for one in records.rejects}
    assert reasons["cves.tar.gz > ../CVE-2031-7.json"] == "unsafe-path"
    assert reasons["cves.tar.gz > 2031/CVE-2031-10.json"] == "not-a-file"
    assert len(reasons) == len(NO_DOCUMENTS) + 3
    assert all(reason in ("broken-record", "not-utf8", "unsafe-path", "not-a-file") for reason in reasons.values())


def test_a_truncated_archive_gives_the_records_before_its_end(tmp_path: Path) -> None:
    files = {f"CVE-2031-{n}.json": json.dumps(changed(f"CVE-2031-{n}")).encode() for n in range(1000, 1004)}
    path = tar(tmp_path / "cves.tar", files, "w")
    path.write_bytes(path.read_bytes()[:7000])
    records = read_with("cve", {"2031": path})
    assert records.entities and records.rejects[-1].reason == "broken-archive"


def test_several_years_are_read_in_the_order_of_their_roles(tmp_path: Path) -> None:
    years = {
        year: tar(tmp_path / f"{year}.tar", {f"CVE-{year}-1000.json": json.dumps(changed(f"CVE-{year}-1000")).encode()}, "w")
        for year in ("2032", "2031")
    }
    assert [entity.id for entity in read_with("cve", years).entities] == ["cve:CVE-2031-1000", "cve:CVE-2032-1000"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=damaged(RECORD))
def test_any_damage_to_one_record_leaves_the_others(tmp_path: Path, record: Any) -> None:
    records = read_records(tmp_path, record, changed("CVE-2031-2000"))
    assert "cve:CVE-2031-2000" in {entity.id for entity in records.entities}
    assert len(records.entities) + len(records.rejects) == 2
    assert all(entity.text and entity.id.startswith("cve:CVE-") for entity in records.entities)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes_in_a_records_place_are_one_reject(tmp_path: Path, content: bytes) -> None:
    files = {"CVE-2031-1.json": content, "CVE-2031-2.json": json.dumps(RECORD).encode()}
    records = read_with("cve", {"2031": tar(tmp_path / "cves.tar", files, "w")})
    assert len(records.entities) == len(records.rejects) == 1


@pytest.mark.mirror
def test_the_counts_of_the_mirror(mirror: Path) -> None:
    years = sorted((mirror / "sources" / "cve-vulnrichment").glob("*.tar.gz"))
    records = read_with("cve", {path.stem: path for path in years}, version="2024-10-24")
    caused = [link for link in records.links if link.relation == "instance-of"]
    assert len(records.entities) + len(records.rejects) == 44_130
    assert {one.reason for one in records.rejects} == {"rejected-id"} and len(records.rejects) == 104
    assert (len(caused), len({link.subject for link in caused}), len({link.object for link in caused})) == (28_110, 27_267, 558)
    assert sum("cvss_vector" in entity.fields for entity in records.entities) == 30_113
    assert all("ssvc_exploitation" in entity.fields for entity in records.entities)
