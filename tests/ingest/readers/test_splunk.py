"""Splunk detections from an archive."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.ingest.records import Records
from tests.ingest.anything import ANYTHING, YAML_BOMB
from tests.ingest.reading import read_with
from tests.ingest.test_containers import tar

DETECTION: dict[str, Any] = {
    "name": "Queue Tool Started",
    "id": "00000000-0000-4000-8000-00000000000b",
    "date": "2031-02-03",
    "author": "A. Writer, Splunk",
    "status": "production",
    "type": "TTP",
    "data_source": ["Sysmon EventID 1"],
    "description": "The following analytic detects the queue tool.",
    "search": "| tstats count from datamodel=Queue | `filter`",
    "how_to_implement": "Send the logs of the queue to Splunk.",
    "known_false_positives": "Administrators use the tool.",
    "references": ["https://example.org"],
    "tags": {
        "analytic_story": ["Queues"],
        "asset_type": "Endpoint",
        "mitre_attack_id": ["T1059", "T1059.001", "other"],
        "cve": ["CVE-2031-90001"],
        "risk_score": 49,
        "security_domain": "endpoint",
        "product": ["Splunk Enterprise"],
    },
}


def detection(**changes: Any) -> bytes:
    return yaml.safe_dump({key: value for key, value in (DETECTION | changes).items() if value is not None}).encode()


def read(folder: Path, files: dict[str, bytes]) -> Records:
    return read_with("splunk", {"detections": tar(folder / "content.tar.gz", files)}, licence="Apache-2.0")


def test_a_detection_with_all_its_parts(tmp_path: Path) -> None:
    found = read(tmp_path, {"content-1/detections/endpoint/a.yml": detection(), "content-1/stories/b.yml": b"name: no detection"})
    entity = found.entities[0]
    assert (entity.id, entity.type, entity.published) == (f"splunk:{DETECTION['id']}", "splunk-detection", "2031-02-03")
    assert entity.uri == f"https://research.splunk.com/endpoint/{DETECTION['id']}/"
    assert (entity.fields["search"], entity.fields["risk_score"]) == (DETECTION["search"], 49)
    assert [(link.relation, link.object) for link in found.links] == [
        ("detects", "attack:T1059"), ("detects", "attack:T1059.001"), ("related-to", "cve:CVE-2031-90001")
    ]  # fmt: skip
    assert [passage.text for passage in found.passages][
        1
    ] == "Send the logs of the queue to Splunk.\nAdministrators use the tool."
    assert not found.rejects


@pytest.mark.parametrize(
    ("path", "status"), [("detections/deprecated/a.yml", "production"), ("detections/web/a.yml", "deprecated")]
)
def test_retired_detections_are_marked(tmp_path: Path, path: str, status: str) -> None:
    assert read(tmp_path, {path: detection(status=status)}).entities[0].deprecated


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (detection(search=None), "broken-record", "search"),
        (detection(tags="none"), "broken-record", "$.tags"),
        (detection(description=" "), "empty-text", ""),
        (detection(id=""), "no-id", ""),
        (detection(), "duplicate-id", ""),
        (b"name: [", "broken-yaml", ""),
        (YAML_BOMB.encode(), "broken-yaml", "nodes"),
        (b"name: \xff", "not-utf8", ""),
    ],
)
def test_a_broken_detection_is_a_reject_and_the_rest_is_read(tmp_path: Path, content: bytes, reason: str, detail: str) -> None:
    found = read(tmp_path, {"detections/a.yml": detection(), "detections/bad.yml": content})
    assert len(found.entities) == 1
    assert [(one.reason, "bad.yml" in one.record) for one in found.rejects] == [(reason, True)]
    assert detail in found.rejects[0].detail


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(ANYTHING, st.sampled_from(sorted(DETECTION)), st.binary(max_size=60))
def test_whatever_a_detection_holds_the_rest_is_read(tmp_path: Path, value: Any, key: str, noise: bytes) -> None:
    hostile = yaml.safe_dump(DETECTION | {"id": "x"} | {key: value}).encode()
    found = read(tmp_path, {"detections/a.yml": detection(), "detections/b.yml": hostile, "detections/c.yml": noise})
    assert found.entities[0].id == f"splunk:{DETECTION['id']}"


@pytest.mark.mirror
def test_counts_of_security_content(mirror: Path) -> None:
    found = read_with("splunk", {"detections": mirror / "sources/splunk-security-content/security_content-detections.tar.gz"})
    assert (len(found.entities), found.rejects) == (1711, [])
    assert Counter(link.relation for link in found.links) == {"detects": 2873, "related-to": 129}
    assert sum(entity.deprecated for entity in found.entities) == 98
