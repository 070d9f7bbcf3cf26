"""Sigma rules from an archive: checked by pySigma, one reject per rule that is none, the rest read."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.ingest.records import Records
from stages.ingest.sigma_rule import RULE_LIMIT
from stages.ingest.sigma_tags import cves, tactics, techniques
from tests.ingest.anything import ANYTHING, YAML_BOMB
from tests.ingest.reading import read_with
from tests.ingest.test_containers import tar

RULE: dict[str, Any] = {
    "title": "Queue Tool Started From Mail",
    "id": "00000000-0000-4000-8000-000000000001",
    "status": "test",
    "description": "Detects the `queue` tool when a mail program starts it",
    "author": "A. Writer, B. Writer",
    "date": "2031/02/03",
    "references": ["https://example.org/queue"],
    "tags": ["attack.execution", "attack.t1059.001", "attack.T1059.001", "attack.g0001", "cve.2031-90001", "detection.threat-hunting"],
    "logsource": {"category": "process_creation", "product": "windows"},
    "detection": {"tool": {"Image|endswith": "\\queue.exe"}, "mail": {"ParentImage": ["a.exe", "b.exe"]}, "condition": "tool and mail"},
    "falsepositives": ["An administrator at work.", "Unknown"],
    "level": "high",
}  # fmt: skip


def rule(**changes: Any) -> bytes:
    return yaml.safe_dump({key: value for key, value in (RULE | changes).items() if value is not None}).encode()


def read(folder: Path, files: dict[str, bytes], **more: Any) -> Records:
    return read_with("sigma_rules", {"rules": tar(folder / "rules.tar.gz", files, **more)}, licence="DRL-1.1")


def test_a_rule_with_all_its_parts(tmp_path: Path) -> None:
    found = read(tmp_path, {"sigma-1/rules/windows/a.yml": rule()})
    entity = found.entities[0]
    assert (entity.id, entity.type, entity.name) == (f"sigma:{RULE['id']}", "sigma-rule", RULE["title"])
    assert entity.text == "Detects the queue tool when a mail program starts it"
    assert entity.uri.endswith("/rules/windows/a.yml") and entity.published == "2031-02-03" and entity.licence == "DRL-1.1"
    assert entity.fields["author"] == "A. Writer, B. Writer"
    assert entity.fields["condition"] == "tool and mail"
    assert yaml.safe_load(entity.fields["detection"]) == {key: RULE["detection"][key] for key in ("tool", "mail")}
    assert (entity.fields["techniques"], entity.fields["cves"]) == (["T1059.001"], ["CVE-2031-90001"])
    assert [(link.relation, link.object) for link in found.links] == [
        ("detects", "attack:T1059.001"), ("related-to", "cve:CVE-2031-90001")
    ]  # fmt: skip
    assert found.passages[0].text.endswith("Known false positives: An administrator at work; Unknown.")


@pytest.mark.parametrize(
    ("path", "status", "retired"),
    [
        ("rules/a.yml", "stable", False),
        ("rules/a.yml", "deprecated", True),
        ("rules/a.yml", "unsupported", True),
        ("sigma-1/deprecated/windows/a.yml", "test", True),
        ("sigma-1/unsupported/a.yml", "test", True),
        ("odd/a.yml", "test", False),
    ],
)
def test_retired_rules_are_kept_and_marked(tmp_path: Path, path: str, status: str, retired: bool) -> None:
    assert read(tmp_path, {path: rule(status=status)}).entities[0].deprecated is retired


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (rule(detection={"a": {"b": 1}, "condition": "a and other"}), "invalid-rule", "other"),
        (rule(detection={"a": {"b": 1}, "condition": "a and"}), "invalid-rule", "SigmaConditionError"),
        (rule(detection={"a": {"b": 1}}), "invalid-rule", "condition"),
        (rule(detection={"a": {"b|nothing": 1}, "condition": "a"}), "invalid-rule", "nothing"),
        (rule(detection={"a": {"b": 1}, "condition": "(" * 500 + "a" + ")" * 500}), "invalid-rule", "nested deeper"),
        (rule(detection=None), "broken-record", "detection"),
        (rule(title=None), "broken-record", "title"),
        (rule(level="worst"), "invalid-rule", "worst"),
        (rule(id="7"), "invalid-rule", "UUID"),
        (rule(id=None), "no-id", ""),
        (rule(description=None), "empty-text", "without a description"),
        (rule(correlation={"type": "event_count"}), "not-a-detection-rule", "correlation"),
        (b"title: [unclosed", "broken-yaml", ""),
        (b"a: !!python/object/apply:os.system [id]", "broken-yaml", "python"),
        (YAML_BOMB.encode(), "broken-yaml", "nodes"),
        (b"title: \xff\xfe", "not-utf8", ""),
        (b"- a list", "broken-record", "object"),
        (b"", "broken-record", "empty"),
        (b"x: " + b"a" * RULE_LIMIT, "oversized", "at most"),
    ],
)
def test_a_rule_that_is_none_is_a_reject_and_the_rest_is_read(tmp_path: Path, content: bytes, reason: str, detail: str) -> None:
    found = read(tmp_path, {"rules/bad.yml": content, "rules/good.yml": rule()})
    assert [entity.id for entity in found.entities] == [f"sigma:{RULE['id']}"]
    assert [(one.reason, "bad.yml" in one.record) for one in found.rejects] == [(reason, True)]
    assert detail in found.rejects[0].detail


def test_members_outside_and_links_are_refused(tmp_path: Path) -> None:
    found = read(tmp_path, {"../rules/x.yml": rule(), "rules/a.yml": rule(), "rules/b.yml": rule()}, links=("rules/link.yml",))
    assert Counter(one.reason for one in found.rejects) == {"unsafe-path": 1, "duplicate-id": 1, "not-a-file": 1}
    assert len(found.entities) == 1


def test_an_archive_that_ends_early_keeps_what_came_before(tmp_path: Path) -> None:
    path = tar(
        tmp_path / "whole.tar", {f"rules/{n}.yml": rule(id=f"00000000-0000-4000-8000-00000000000{n}") for n in range(4)}, "w"
    )
    (tmp_path / "cut.tar").write_bytes(path.read_bytes()[:2700])
    found = read_with("sigma_rules", {"rules": tmp_path / "cut.tar"})
    assert 0 < len(found.entities) < 4 and [one.reason for one in found.rejects] == ["broken-archive"]


def test_several_rules_in_one_file_are_told_apart(tmp_path: Path) -> None:
    second = rule(id="00000000-0000-4000-8000-000000000002", status="wrong")
    found = read(tmp_path, {"rules/a.yml": rule() + b"---\n" + second})
    assert len(found.entities) == 1 and found.rejects[0].record.startswith("rules/a.yml rule 2")


def test_tags_in_every_spelling() -> None:
    tags = [
        " Attack.T1003 ",
        "attack.privilege_escalation",
        "attack.command-and-control",
        "attack.s0002",
        "cve.2031.90001",
        "car.2031-01-001",
    ]
    assert (techniques(tags), cves(tags)) == (["T1003"], ["CVE-2031-90001"])
    assert tactics(tags) == ["command-and-control", "privilege-escalation"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(ANYTHING, st.sampled_from(sorted(RULE)), st.binary(max_size=60))
def test_whatever_a_rule_holds_the_rest_is_read(tmp_path: Path, value: Any, key: str, noise: bytes) -> None:
    hostile = yaml.safe_dump(
        RULE | {key: value} | ({} if key == "id" else {"id": "00000000-0000-4000-8000-00000000000a"})
    ).encode()
    found = read(tmp_path, {"rules/a.yml": hostile, "rules/b.yml": noise, "rules/z.yml": rule()})
    assert f"sigma:{RULE['id']}" in {entity.id for entity in found.entities}
    assert all(one.record and one.reason for one in found.rejects)


@pytest.mark.mirror
def test_counts_of_release_2026_04(mirror: Path) -> None:
    start = time.process_time()
    found = read_with("sigma_rules", {"rules": mirror / "sources/sigma/sigma-rules-r2026-04-01.tar.gz"}, licence="DRL-1.1")
    assert time.process_time() - start < 20  # pySigma included; 3 s on a free core
    assert (len(found.entities), found.rejects) == (3731, [])
    assert Counter(link.relation for link in found.links) == {"detects": 4427, "related-to": 215}
    assert all(entity.fields["author"] and entity.fields["condition"] for entity in found.entities)


@pytest.mark.mirror
@pytest.mark.parametrize(("archive", "tags", "known"), [("sigma-rules-r2026-04-01", 4427, 4427), ("sigma-rules", 4472, 4228)])
def test_tags_that_attack_18_1_knows(mirror: Path, archive: str, tags: int, known: int) -> None:
    bundle = mirror / "sources/attack/derived/enterprise-attack-18.1.assembled.json.gz"
    ids = {entity.id for entity in read_with("attack_stix", {"bundle": bundle}, version="18.1").entities}
    found = read_with("sigma_rules", {"rules": mirror / f"sources/sigma/{archive}.tar.gz"})
    assert not found.rejects  # the later release is read whole: skew is for the graph to report
    named = [link.object for link in found.links if link.relation == "detects"]
    assert (len(named), sum(id in ids for id in named)) == (tags, known)
