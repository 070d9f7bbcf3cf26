"""Advisories: what they report, who may read them, and what a hostile archive may not do."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from stages.ingest.records import Records
from tests.ingest.anything import NO_DOCUMENTS
from tests.ingest.damaged import damaged
from tests.ingest.reading import read_with
from tests.ingest.test_containers import tar

ADVISORY: dict[str, Any] = {
    "document": {
        "category": "csaf_security_advisory",
        "csaf_version": "2.0",
        "lang": "en-US",
        "title": "Toy Works Widget",
        "distribution": {"tlp": {"label": "WHITE"}},
        "notes": [
            {"category": "legal_disclaimer", "text": "Terms.", "title": "Legal Notice"},
            {"category": "summary", "text": "ATTENTION: Low skill level\nAn attacker could stop the widget.", "title": "Risk evaluation"},
            {"category": "other", "text": "Energy, and Water and Wastewater Systems", "title": "Critical infrastructure sectors"},
        ],
        "references": [
            {"category": "self", "url": "https://toy.invalid/white/2031/tsa-31-001.json"},
            {"category": "self", "url": "https://toy.invalid/advisories/tsa-31-001"},
        ],
        "tracking": {
            "id": "TSA-31-001",
            "status": "final",
            "initial_release_date": "2031-03-04T05:06:07Z",
            "current_release_date": "2031-05-06T07:08:09Z",
        },
    },
    "product_tree": {
        "branches": [
            {"category": "vendor", "name": "Toy Works", "branches": [
                {"category": "product_name", "name": "Widget", "branches": [{"category": "product_version", "name": "2.0"}]},
                {"category": "product_name", "name": "Gadget"},
            ]}
        ]
    },
    "vulnerabilities": [
        {
            "cve": "CVE-2031-1000",
            "title": "CVE-2031-1000 - Names are scripts",
            "cwe": {"id": "CWE-79", "name": "XSS"},
            "notes": [{"category": "summary", "text": "Names are shown as they are. CVE-2031-1000 has been assigned to this vulnerability. "
                       "A CVSS v3 base score of 6.1 has been calculated; the CVSS vector string is (AV:N/AC:L)."}],
            "scores": [{"cvss_v3": {"baseScore": 6.1, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}}],
            "remediations": [{"category": "vendor_fix", "details": "Update to 2.4."}, {"category": "mitigation", "details": "Unplug."}],
        },
        {
            "cve": "CVE-2031-1001",
            "cwe": {"id": "CWE-20"},
            "notes": [{"category": "summary", "text": "Any length is taken."}],
            "scores": [{"cvss_v3": {"baseScore": 7.5, "vectorString": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}}],
            "remediations": [{"category": "mitigation", "details": "Unplug."}],
        },
    ],
}  # fmt: skip
OTHER: dict[str, Any] = {
    "document": {
        "csaf_version": "2.0",
        "title": "Other",
        "distribution": {"tlp": {"label": "CLEAR"}},
        "tracking": {"id": "TSA-31-002"},
        "notes": [{"category": "summary", "text": "Another fault."}],
    },
    "vulnerabilities": [
        {
            "cve": "CVE-2031-1000",
            "cwe": {"id": "CWE-80"},
            "notes": [{"category": "summary", "text": "Names are shown as they are, and run."}],
        }
    ],
}


def changed(advisory: dict[str, Any] = OTHER, **document: Any) -> dict[str, Any]:
    copied = copy.deepcopy(advisory)
    copied["document"] |= document
    return copied


def read_advisories(folder: Path, *advisories: Any) -> Records:
    named = {f"csaf/white/2031/tsa-{number}.json": json.dumps(one).encode() for number, one in enumerate(advisories)}
    named["csaf/white/feed-tlp-white.json"] = b'{"feed": {}}'  # beside the folders of the years: no advisory
    return read_with("csaf", {"advisories": tar(folder / "csaf.tar", named, "w")})


def test_an_advisory_in_full(tmp_path: Path) -> None:
    records = read_advisories(tmp_path, ADVISORY)
    advisory = records.entities[0]
    assert (advisory.id, advisory.type, advisory.name) == ("csaf:TSA-31-001", "advisory", "Toy Works Widget")
    assert advisory.text == "An attacker could stop the widget.\nNames are shown as they are.\nAny length is taken."
    assert (advisory.uri, advisory.published) == ("https://toy.invalid/advisories/tsa-31-001", "2031-03-04")
    faults = advisory.fields.pop("vulnerabilities")
    assert advisory.fields == {
        "title": "Toy Works Widget",
        "cves": ["CVE-2031-1000", "CVE-2031-1001"],
        "vendor": "Toy Works",
        "products": ["Widget", "Gadget"],
        "sectors": ["Energy", "Water and Wastewater Systems"],
        "remediations": ["Update to 2.4.", "Unplug."],
        "cvss": 7.5,
        "updated": "2031-05-06",
        "summary": "An attacker could stop the widget.",
    }
    assert [(fault["cve"], fault["cwe"], fault["title"], fault["text"]) for fault in faults] == [
        ("CVE-2031-1000", "CWE-79", "Names are scripts", "Names are shown as they are."),
        ("CVE-2031-1001", "CWE-20", "", "Any length is taken."),
    ]
    assert faults[0]["cvss_score"] == 6.1 and "cvss_score" not in faults[1]
    assert {(link.relation, link.object) for link in records.links if link.subject == advisory.id} == {
        ("reports", "cve:CVE-2031-1000"), ("reports", "cve:CVE-2031-1001"), ("shows", "cwe:CWE-79"), ("shows", "cwe:CWE-20"),
    }  # fmt: skip
    assert [one.id for one in records.passages] == ["csaf:TSA-31-001#summary"]  # two short remedies are no passage


def test_one_vulnerability_of_many_advisories(tmp_path: Path) -> None:
    records = read_advisories(tmp_path, ADVISORY, OTHER)
    first, second = (entity for entity in records.entities if entity.type == "vulnerability")
    assert (first.id, first.text) == ("cve:CVE-2031-1000", "Names are shown as they are, and run.")
    assert (second.id, second.fields) == ("cve:CVE-2031-1001", {"year": 2031})
    causes = [(link.subject, link.object) for link in records.links if link.relation == "instance-of"]
    assert causes == [(first.id, "cwe:CWE-79"), (first.id, "cwe:CWE-80"), (second.id, "cwe:CWE-20")]


def test_advisories_that_are_not_used(tmp_path: Path) -> None:
    silent = changed(notes=[])
    silent["vulnerabilities"] = []
    records = read_advisories(
        tmp_path,
        changed(distribution={"tlp": {"label": "AMBER+STRICT"}}),
        changed(distribution={}),
        changed(csaf_version="1.2"),
        changed(tracking={"id": "../../x"}),
        changed(lang="de"),
        OTHER,
        OTHER,
        silent | {"document": silent["document"] | {"tracking": {"id": "TSA-31-003"}}},
    )
    assert [(one.reason, one.detail) for one in records.rejects] == [
        ("tlp-restricted", "TLP:AMBER+STRICT"),
        ("tlp-restricted", "no TLP label"),
        ("unsupported-version", "1.2"),
        ("broken-record", "its id is no id"),
        ("not-english", "de"),
        ("duplicate-id", "TSA-31-002"),
        ("empty-text", "Other"),
    ]
    assert [entity.id for entity in records.entities] == ["csaf:TSA-31-002", "cve:CVE-2031-1000"]


def test_a_hostile_archive_costs_only_its_hostile_members(tmp_path: Path) -> None:
    deep = b'{"product_tree": {"branches": [' + b'{"branches": [' * 50_000
    files = {f"csaf/2031/{number}.json": content for number, content in enumerate([*NO_DOCUMENTS, deep])}
    whole = json.dumps(OTHER).encode()
    files |= {
        "csaf/../2031/x.json": whole,
        "csaf/2031/y.json": whole.replace(b"Another", b"An\xffther"),
        "csaf/2031/z.json": whole,
    }
    records = read_with("csaf", {"advisories": tar(tmp_path / "csaf.tar.gz", files)})
    assert [entity.id for entity in records.entities] == ["csaf:TSA-31-002", "cve:CVE-2031-1000"]
    assert len(records.rejects) == len(NO_DOCUMENTS) + 3


def test_a_tree_without_end_is_cut(tmp_path: Path) -> None:
    wide = changed(ADVISORY)
    wide["product_tree"]["branches"] = [{"category": "product_name", "name": f"Widget {n}"} for n in range(30_000)]
    assert len(read_advisories(tmp_path, wide).entities[0].fields["products"]) == 20_000


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(advisory=damaged(ADVISORY))
def test_any_damage_to_one_advisory_leaves_the_other(tmp_path: Path, advisory: Any) -> None:
    records = read_advisories(tmp_path, advisory, OTHER)
    found = [entity for entity in records.entities if entity.type == "advisory"]
    assert found[-1].id == "csaf:TSA-31-002" and len(found) + len(records.rejects) == 2


@pytest.mark.mirror
def test_the_counts_of_the_mirror(mirror: Path) -> None:
    records = read_with("csaf", {"advisories": mirror / "sources" / "cisa-csaf-ics" / "cisa-csaf-advisories.tar.gz"})
    types = [entity.type for entity in records.entities]
    relations = [link.relation for link in records.links]
    assert (types.count("advisory"), types.count("vulnerability"), len(records.rejects)) == (2_383, 6_986, 0)
    assert (relations.count("reports"), relations.count("instance-of"), relations.count("shows")) == (7_916, 7_077, 5_477)
