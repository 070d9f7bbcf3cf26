"""NVD 2.0: the same record in a page of the API, in a yearly feed and alone."""

import copy
import json
import lzma
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

RECORD: dict[str, Any] = {
    "id": "CVE-2031-1000",
    "sourceIdentifier": "security@toy.invalid",
    "published": "2031-03-04T05:06:07.890",
    "vulnStatus": "Analyzed",
    "cveTags": [{"sourceIdentifier": "security@toy.invalid", "tags": ["unsupported-when-assigned"]}],
    "cisaExploitAdd": "2031-04-05",
    "cisaActionDue": "2031-04-26",
    "cisaRequiredAction": "Apply updates.",
    "cisaVulnerabilityName": "Toy Widget Vulnerability",
    "descriptions": [{"lang": "es", "value": "Un fallo."}, {"lang": "en", "value": "Widget fails in `names`."}],
    "metrics": {
        "cvssMetricV31": [
            {"type": "Secondary", "cvssData": {"vectorString": "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}},
            {"type": "Primary", "cvssData": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "baseScore": 6.1}},
        ],
        "cvssMetricV2": [{"cvssData": {"vectorString": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}}],
    },
    "weaknesses": [
        {"type": "Primary", "description": [{"lang": "en", "value": "CWE-79"}]},
        {"type": "Secondary", "description": [{"lang": "en", "value": "NVD-CWE-noinfo"}, {"lang": "en", "value": "CWE-79"}]},
    ],
    "configurations": [
        {"nodes": [{"cpeMatch": [
            {"vulnerable": False, "criteria": "cpe:2.3:o:other:os:-:*:*:*:*:*:*:*"},
            {"vulnerable": True, "criteria": "cpe:2.3:a:toy_works:widget\\:box\\!:2.0:*:*:*:*:*:*:*"},
        ]}]}
    ],
}  # fmt: skip


def page(*records: Any) -> dict[str, Any]:
    return {"format": "NVD_CVE", "version": "2.0", "vulnerabilities": [{"cve": record} for record in records]}


def feed(*records: Any) -> dict[str, Any]:
    return {"feed_name": "CVE-2031", "cve_count": len(records), "cve_items": records}


def read_document(folder: Path, document: Any) -> Records:
    path = folder / "nvd.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return read_with("nvd", {"feed": path})


@pytest.mark.parametrize("form", [page, feed, lambda record: record])
def test_a_record_in_every_form(tmp_path: Path, form: Any) -> None:
    records = read_document(tmp_path, form(RECORD))
    (entity,) = records.entities
    assert (entity.id, entity.text, entity.published) == ("cve:CVE-2031-1000", "Widget fails in names.", "2031-03-04")
    assert entity.fields == {
        "year": 2031,
        "vendor": "toy works",
        "product": "widget:box!",
        "state": "PUBLISHED",
        "unsupported": True,
        "cvss_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
        "cvss_score": 6.1,
        "cvss_severity": "MEDIUM",
        "known_exploited": True,
        "kev_added": "2031-04-05",
        "kev_due": "2031-04-26",
        "kev_action": "Apply updates.",
        "kev_name": "Toy Widget Vulnerability",
    }
    assert [(link.relation, link.object) for link in records.links] == [("instance-of", "cwe:CWE-79")]


def test_records_that_are_not_used(tmp_path: Path) -> None:
    spanish = copy.deepcopy(RECORD)
    spanish["descriptions"].pop()
    records = read_document(
        tmp_path,
        feed(
            spanish, RECORD | {"vulnStatus": "Rejected"}, RECORD | {"id": "TOY-1"}, RECORD | {"descriptions": []}, {"id": "CVE-1"}
        ),
    )
    assert not records.entities
    reasons = [one.reason for one in records.rejects]
    assert sorted(reasons) == ["broken-record", "broken-record", "empty-text", "not-english", "rejected-id"]


def test_a_packed_feed_beside_a_broken_one(tmp_path: Path) -> None:
    whole, broken = tmp_path / "CVE-2031.json.xz", tmp_path / "CVE-2030.json.xz"
    whole.write_bytes(lzma.compress(json.dumps(feed(RECORD)).encode()))
    broken.write_bytes(whole.read_bytes()[:-40])
    records = read_with("nvd", {"2030": broken, "2031": whole})
    assert [entity.id for entity in records.entities] == ["cve:CVE-2031-1000"]
    assert [(one.record, one.reason) for one in records.rejects] == [("source `nvd`: CVE-2030.json.xz", "unreadable-file")]


@pytest.mark.parametrize("content", [*NO_DOCUMENTS, b'{"CVE_Items": []}'])
def test_a_single_file_that_is_no_feed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "nvd.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"nvd\.json"):
        read_with("nvd", {"feed": path})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=damaged(RECORD), form=st.sampled_from([page, feed]))
def test_any_damage_to_one_record_leaves_the_other(tmp_path: Path, record: Any, form: Any) -> None:
    records = read_document(tmp_path, form(record, RECORD | {"id": "CVE-2031-2000"}))
    assert records.entities[-1].id == "cve:CVE-2031-2000" and len(records.entities) + len(records.rejects) == 2
