"""Mappings Explorer: relations by framework, the newest edition only, and damage that stays where it is."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from stages.errors import InputError
from stages.ingest.records import Records
from tests.ingest.anything import NO_DOCUMENTS
from tests.ingest.damaged import damaged
from tests.ingest.reading import read_with
from tests.ingest.test_containers import tar


def mapping(
    framework: str, *objects: dict[str, Any], version: str = "1.0", attack: str = "16.1", domain: str = "enterprise"
) -> Any:
    return {
        "metadata": {
            "mapping_framework": framework,
            "mapping_framework_version": version,
            "attack_version": attack,
            "technology_domain": domain,
            "capability_groups": {"g": "Toy Group"},
        },
        "mapping_objects": [MAPPED | one for one in objects],
    }


MAPPED = {
    "capability_id": "toy_guard",
    "capability_description": "Toy Guard",
    "capability_group": "g",
    "mapping_type": "technique_scores",
    "attack_object_id": "T9001",
    "attack_object_name": "Toy Technique",
    "comments": "It watches\r\n toys.",
    "status": "complete",
}
SCORED = mapping(
    "aws",
    {"score_category": "protect", "score_value": "partial"},
    {"score_category": "detect", "score_value": "minimal", "attack_object_id": "T9001.002"},
    {"score_category": "respond", "score_value": "significant"},
)


def read_files(folder: Path, *documents: Any) -> Records:
    named = {f"mappings/{number}.json": json.dumps(document).encode() for number, document in enumerate(documents)}
    return read_with("mappings", {"all": tar(folder / "mappings.tar", named, "w")})


def links(records: Records) -> list[tuple[str, str, str]]:
    return [(link.subject, link.relation, link.object) for link in records.links]


def test_scores_say_what_a_capability_does(tmp_path: Path) -> None:
    records = read_files(tmp_path, SCORED)
    assert links(records) == [
        ("ctid:aws/toy_guard", "mitigates", "attack:T9001"),
        ("ctid:aws/toy_guard", "detects", "attack:T9001.002"),
        ("ctid:aws/toy_guard", "responds-to", "attack:T9001"),
    ]
    assert records.links[0].text == "It watches\ntoys."
    (entity,) = records.entities
    assert (entity.type, entity.name) == ("security-capability", "Toy Guard")
    assert entity.fields == {
        "framework": "Amazon Web Services",
        "framework_version": "1.0",
        "attack_version": "16.1",
        "domains": ["enterprise"],
        "key": "toy_guard",
        "group": "Toy Group",
        "scores": [
            {"technique": "T9001", "function": "protect", "score": "partial"},
            {"technique": "T9001.002", "function": "detect", "score": "minimal"},
            {"technique": "T9001", "function": "respond", "score": "significant"},
        ],
    }


def test_controls_and_vulnerabilities_are_described_elsewhere(tmp_path: Path) -> None:
    records = read_files(
        tmp_path,
        mapping("nist_800_53", {"capability_id": "AC-02", "mapping_type": "mitigates"},
                {"capability_id": "AC-02(01)", "mapping_type": "protects"}, version="rev5"),
        mapping("kev", {"capability_id": "CVE-2031-1000", "mapping_type": "primary_impact"},
                {"capability_id": "CVE-2031-1000", "mapping_type": "uncategorized"}),
    )  # fmt: skip
    assert not records.entities
    assert links(records) == [
        ("cve:CVE-2031-1000", "primary-impact", "attack:T9001"),
        ("cve:CVE-2031-1000", "related-to", "attack:T9001"),
        ("nist:AC-2", "mitigates", "attack:T9001"),
        ("nist:AC-2(1)", "mitigates", "attack:T9001"),
    ]
    fourth = read_files(tmp_path, mapping("nist_800_53", {"capability_id": "AC-2", "mapping_type": "protects"}, version="rev4"))
    assert links(fourth) == [("nist-r4:AC-2", "mitigates", "attack:T9001")]


def test_kinds_of_incidents_of_several_domains_are_one_entity(tmp_path: Path) -> None:
    kind = {
        "capability_id": "action.hacking.variety.Toy theft",
        "capability_description": "Toys are taken",
        "mapping_type": "related_to",
    }
    other = kind | {"capability_id": "Action.Hacking.variety.Toy theft"}
    records = read_files(tmp_path, mapping("veris", kind), mapping("veris", other, domain="ics"))
    (entity,) = records.entities
    assert (entity.id, entity.type) == ("ctid:veris/action.hacking.variety.Toy_theft", "incident-classification")
    assert (entity.name, entity.text, entity.fields["domains"]) == (
        "Toy theft (hacking)",
        "Toys are taken",
        ["enterprise", "ics"],
    )


def test_only_the_newest_edition_of_a_framework_and_domain_is_read(tmp_path: Path) -> None:
    records = read_files(
        tmp_path,
        mapping("aws", {"mapping_type": "mitigates", "capability_id": "old"}, attack="9.0", version="12/31/2030"),
        mapping("aws", {"mapping_type": "mitigates", "capability_id": "new"}, attack="16.1", version="02/01/2031"),
        mapping("aws", {"mapping_type": "mitigates", "capability_id": "late"}, attack="16.1", version="12/01/2030"),
        mapping("aws", {"mapping_type": "mitigates", "capability_id": "mobile"}, attack="9.0", domain="mobile"),
    )
    assert {link.subject for link in records.links} == {"ctid:aws/new", "ctid:aws/mobile"}
    assert [(one.record, one.reason) for one in records.rejects] == [
        ("mappings/0.json", "superseded"), ("mappings/2.json", "superseded"),
    ]  # fmt: skip


def test_objects_that_are_not_used(tmp_path: Path) -> None:
    records = read_files(
        tmp_path,
        mapping("aws", {"status": "non_mappable", "attack_object_id": None}, {"attack_object_id": "TA0001", "score_category": "detect"},
                {"mapping_type": "rhymes_with"}, {"capability_id": None, "mapping_type": "mitigates"}, {"capability_id": 7}),
    )  # fmt: skip
    assert sorted(one.reason for one in records.rejects) == [
        "broken-record", "no-capability-id", "no-technique-id", "non-mappable", "unknown-relation",
    ]  # fmt: skip
    assert not records.links and not records.entities


def test_a_hostile_archive_costs_only_its_hostile_members(tmp_path: Path) -> None:
    whole = json.dumps(SCORED).encode()
    files = {f"{number}.json": content for number, content in enumerate(NO_DOCUMENTS)}
    files |= {"../x.json": whole, "y.json": whole.replace(b"aws", b"a\xffs"), "z.json": whole}
    records = read_with("mappings", {"all": tar(tmp_path / "mappings.tar.gz", files)})
    assert len(records.links) == 3 and len(records.rejects) == len(NO_DOCUMENTS) + 2


def test_no_mapping_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no mapping file"):
        read_files(tmp_path, {"mapping": []})


def test_an_empty_edition_does_not_supersede_one_that_maps(tmp_path: Path) -> None:
    newer = SCORED | {"mapping_objects": [], "metadata": SCORED["metadata"] | {"attack_version": "99.1"}}
    records = read_files(tmp_path, SCORED, newer)
    assert records.links and [reject.reason for reject in records.rejects] == ["no-mappings"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=damaged(SCORED))
def test_any_damage_to_one_file_leaves_the_other(tmp_path: Path, document: Any) -> None:
    records = read_files(tmp_path, document, mapping("gcp", {"score_category": "detect", "score_value": "partial"}))
    assert ("ctid:gcp/toy_guard", "detects", "attack:T9001") in links(records)
    assert len(records.links) + len(records.rejects) in (2, 3, 4)


@pytest.mark.mirror
def test_the_counts_of_the_mirror(mirror: Path) -> None:
    folder = mirror / "sources" / "ctid-mappings-explorer"
    controls = read_with("mappings", {"nist": folder / "nist_800_53-rev5_attack-16.1-enterprise.json"})
    assert (len(controls.links), len(controls.rejects)) == (5_314, 96) and 5_314 + 96 == 5_410
    exploited = read_with("mappings", {"kev": folder / "kev-07.28.2025_attack-16.1-enterprise.json"})
    assert (len(exploited.links), len(exploited.rejects), len({link.subject for link in exploited.links})) == (1_183, 0, 419)
    records = read_with("mappings", {"all": folder / "mappings-explorer-mappings.tar.gz"})
    assert Counter(one.reason for one in records.rejects) == {"superseded": 20, "non-mappable": 584, "no-technique-id": 1}
    assert len(records.links) == 14_184 and 14_184 + 585 == 14_769  # the objects of the 13 newest of 33 files
    assert Counter(entity.type for entity in records.entities) == {"security-capability": 259, "incident-classification": 169}
