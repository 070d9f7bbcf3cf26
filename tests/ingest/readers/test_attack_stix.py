"""ATT&CK bundles: both versions of STIX, both layouts of detection, three domains, and what a hostile bundle may not do."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.records import Records
from stages.ingest.schema import Entity
from tests.ingest.anything import ANYTHING, NO_DOCUMENTS, SLOW
from tests.ingest.reading import read_with


def thing(type: str, id: str, external_id: str, name: str, **more: Any) -> dict[str, Any]:
    references = [{"source_name": "mitre-attack", "external_id": external_id, "url": f"https://attack.example/{external_id}"}]
    return {
        "type": type,
        "id": f"{type}--{id}",
        "name": name,
        "external_references": references,
        "created": "2031-02-03T04:05",
    } | more


def related(subject: str, relation: str, object: str, text: str = "", **more: Any) -> dict[str, Any]:
    ends = {"relationship_type": relation, "source_ref": subject, "target_ref": object, "description": text}
    return {"type": "relationship", "id": f"relationship--{subject}-{relation}-{object}"} | ends | more


def phases(*names: str, chain: str = "mitre-attack") -> list[dict[str, str]]:
    return [{"kill_chain_name": chain, "phase_name": name} for name in names]


TACTIC = thing("x-mitre-tactic", "1", "TA9001", "Juggling", x_mitre_shortname="juggling", x_mitre_domains=["enterprise-attack"])
TECHNIQUE = thing(
    "attack-pattern",
    "1",
    "T9001",
    "Toss",
    description="Adversaries may toss a [Ball](https://attack.mitre.org/software/S9001).(Citation: Circus)",
    kill_chain_phases=phases("juggling"),
    x_mitre_platforms=["Windows", "Linux"],
    x_mitre_is_subtechnique=False,
    x_mitre_domains=["enterprise-attack"],
)
SUB = thing(
    "attack-pattern", "2", "T9001.001", "High Toss", description="Higher.", kill_chain_phases=phases("juggling"),
    x_mitre_is_subtechnique=True,
)  # fmt: skip
REVOKED = thing("attack-pattern", "3", "T9002", "Throw", description="Old.", kill_chain_phases=phases("juggling"), revoked=True)
OLDER = thing("attack-pattern", "4", "T9003", "Hurl", description="Older.", revoked=True)
GROUP = thing(
    "intrusion-set", "1", "G9001", "Jesters", description="A troupe that performs in towns.", aliases=["Jesters", "Fools"],
    x_mitre_domains=["mobile-attack", "enterprise-attack"],
)  # fmt: skip
MALWARE = thing("malware", "1", "S9001", "Ball", description="Round.", x_mitre_aliases=["Ball", "Orb"], is_family=True)
MITIGATION = thing("course-of-action", "1", "M9001", "Net", description="Catch what falls before it lands.")
OLD_MITIGATION = thing("course-of-action", "2", "T9001", "Toss Mitigation", description="Old.", x_mitre_deprecated=True)
BUNDLE = [
    TACTIC, TECHNIQUE, SUB, REVOKED, OLDER, GROUP, MALWARE, MITIGATION, OLD_MITIGATION,
    related("attack-pattern--2", "subtechnique-of", "attack-pattern--1"),
    related("attack-pattern--3", "revoked-by", "attack-pattern--1"),
    related("attack-pattern--4", "revoked-by", "attack-pattern--3"),
    related("intrusion-set--1", "uses", "attack-pattern--1", "[Jesters](https://x/G9001) toss.(Citation: Circus)"),
    related("intrusion-set--1", "uses", "malware--1"),
    related("course-of-action--1", "mitigates", "attack-pattern--1", "Hang a net below."),
    related("course-of-action--1", "mitigates", "attack-pattern--2", "It cannot be easily mitigated with preventive controls."),
    related("course-of-action--2", "mitigates", "attack-pattern--1"),
    related("intrusion-set--1", "uses", "tool--9"),
    related("malware--1", "uses", "attack-pattern--1", "Gone.", x_mitre_deprecated=True),
    related("malware--1", "admires", "attack-pattern--1"),
    {"type": "identity", "id": "identity--1", "name": "Circus"},
    {"type": "x-clown", "id": "x-clown--1"},
]  # fmt: skip
ANALYTIC = thing(
    "x-mitre-analytic", "1", "AN9001", "Analytic 9001", description="Balls that rise.", x_mitre_platforms=["Windows"],
    x_mitre_log_source_references=[
        {"x_mitre_data_component_ref": "x-mitre-data-component--1", "name": "tent:log", "channel": "rise"},
        {"x_mitre_data_component_ref": "x-mitre-data-component--9", "name": "tent:other", "channel": None},
    ],
    x_mitre_mutable_elements=[{"field": "Height", "description": "How high"}],
)  # fmt: skip
STRATEGY = thing("x-mitre-detection-strategy", "1", "DET9001", "See balls", x_mitre_analytic_refs=["x-mitre-analytic--1", "gone"])
COMPONENT = thing(
    "x-mitre-data-component", "1", "DC9001", "Ball Flight", description="A ball is in the air.",
    x_mitre_log_sources=[{"name": "tent:log", "channel": "rise"}], x_mitre_data_source_ref="x-mitre-data-source--1",
)  # fmt: skip
SINCE_18 = [ANALYTIC, STRATEGY, COMPONENT, related("x-mitre-detection-strategy--1", "detects", "attack-pattern--1")]
BEFORE_18 = [
    COMPONENT | {"external_references": []},
    {"type": "x-mitre-data-source", "id": "x-mitre-data-source--1", "name": "Tent"},
    related("x-mitre-data-component--1", "detects", "attack-pattern--1", "Watch the roof."),
]


def read_objects(folder: Path, objects: list[Any], version: str = "18.1") -> Records:
    path = folder / "bundle.json"
    path.write_text(json.dumps({"type": "bundle", "spec_version": "2.0", "objects": objects}))
    return read_with("attack_stix", {"bundle": path}, version=version)


def by_id(records: Records) -> dict[str, Entity]:
    return {entity.id: entity for entity in records.entities}


def linked(records: Records) -> set[tuple[str, str, str]]:
    return {(link.subject.split(":")[1], link.relation, link.object.split(":")[1]) for link in records.links}


def test_entities_have_clean_texts_and_their_fields(tmp_path: Path) -> None:
    found = by_id(read_objects(tmp_path, BUNDLE))
    toss = found["attack:T9001"]
    assert (toss.type, toss.name, toss.text) == ("technique", "Toss", "Adversaries may toss a Ball.")
    assert (toss.uri, toss.published) == ("https://attack.example/T9001", "2031-02-03")
    assert toss.fields == {
        "domain": "enterprise", "platforms": ["Windows", "Linux"], "tactics": ["juggling"], "is_subtechnique": False,
    }  # fmt: skip
    assert found["attack:TA9001"].fields == {"domain": "enterprise", "shortname": "juggling"}
    assert found["attack:G9001"].fields["aliases"] == ["Fools"] and found["attack:S9001"].fields["aliases"] == ["Orb"]
    assert found["attack:G9001"].fields["domains"] == ["enterprise", "mobile"]


def test_links_with_texts_and_what_is_not_used_named(tmp_path: Path) -> None:
    records = read_objects(tmp_path, BUNDLE)
    assert linked(records) == {
        ("T9001.001", "subtechnique-of", "T9001"),
        ("T9001", "achieves", "TA9001"),
        ("T9001.001", "achieves", "TA9001"),
        ("G9001", "uses", "T9001"),
        ("G9001", "uses", "S9001"),
        ("M9001", "mitigates", "T9001"),
        ("M9001", "not-preventable", "T9001.001"),
    }
    assert {link.text for link in records.links if link.relation == "uses"} == {"Jesters toss.", ""}
    assert Counter(reject.reason for reject in records.rejects) == {
        "legacy-id": 1, "unresolved-id": 2, "withdrawn": 1, "unknown-relation": 1, "unknown-type": 1,
    }  # fmt: skip


def test_none_is_no_platform_and_no_channel(tmp_path: Path) -> None:
    analytic = ANALYTIC | {"x_mitre_platforms": ["None"], "x_mitre_log_source_references": [
        {"x_mitre_data_component_ref": "x-mitre-data-component--1", "name": "tent:log", "channel": "None"}]}  # fmt: skip
    records = read_objects(tmp_path, [*BUNDLE, analytic, *SINCE_18[1:]])
    found = by_id(records)
    assert found["attack:DET9001"].text == "Balls that rise." and "platforms" not in found["attack:AN9001"].fields
    assert found["attack:AN9001"].fields["log_sources"] == [{"component": "Ball Flight", "name": "tent:log", "channel": ""}]
    assert "Balls that rise.\nLog sources: tent:log." in [passage.text for passage in records.passages]


def test_revoked_techniques_name_their_successors(tmp_path: Path) -> None:
    found = by_id(read_objects(tmp_path, BUNDLE))
    assert found["attack:T9002"].deprecated and found["attack:T9002"].revoked_by == "attack:T9001"
    assert found["attack:T9003"].revoked_by == "attack:T9002"


def test_detection_since_v18(tmp_path: Path) -> None:
    records = read_objects(tmp_path, BUNDLE + SINCE_18)
    found = by_id(records)
    logs = [
        {"component": "Ball Flight", "name": "tent:log", "channel": "rise"},
        {"component": "", "name": "tent:other", "channel": ""},
    ]
    assert found["attack:DET9001"].fields["analytics"] == [
        {"id": "AN9001", "platforms": ["Windows"], "text": "Balls that rise.", "log_sources": logs}
    ]
    assert found["attack:DET9001"].text == "Windows: Balls that rise."
    assert found["attack:AN9001"].fields["log_sources"] == logs
    assert found["attack:AN9001"].fields["tunables"] == [{"name": "Height", "text": "How high"}]
    assert linked(records) >= {
        ("DET9001", "detects", "T9001"),
        ("DET9001", "observes", "DC9001"),
        ("AN9001", "observes", "DC9001"),
        ("AN9001", "part-of", "DET9001"),
        ("DC9001", "detects", "T9001"),
    }


def test_detection_before_v18(tmp_path: Path) -> None:
    records = read_objects(tmp_path, BUNDLE + BEFORE_18, version="17.1")
    link = next(link for link in records.links if link.relation == "detects")
    assert (link.subject, link.object, link.text) == ("attack:x-mitre-data-component--1", "attack:T9001", "Watch the roof.")
    assert by_id(records)["attack:T9001"].fields["data_sources"] == ["Tent: Ball Flight"]


def test_the_kill_chains_tell_the_domain(tmp_path: Path) -> None:
    chain = {"kill_chain_phases": phases("juggling", chain="mitre-ics-attack"), "x_mitre_domains": []}
    asset = thing("x-mitre-asset", "1", "A9001", "Cannon", description="Fires people.", x_mitre_sectors=["Shows"],
                  x_mitre_related_assets=[{"name": "Mortar", "related_asset_sectors": ["Shows"], "description": "Short."}])  # fmt: skip
    none = thing("course-of-action", "816", "M0816", "Limited", description="None.")
    links = [
        related("attack-pattern--1", "targets", "x-mitre-asset--1"),
        related("course-of-action--816", "mitigates", "attack-pattern--1", "Watch out."),
    ]
    records = read_objects(tmp_path, [TACTIC, TECHNIQUE | chain, asset, none, *links])
    found = by_id(records)
    assert found["attack:T9001"].fields["domain"] == "ics" and found["attack:TA9001"].fields["domain"] == "enterprise"
    assert found["attack:A9001"].fields["related_assets"] == [{"name": "Mortar", "sectors": ["Shows"], "text": "Short."}]
    assert linked(records) >= {("T9001", "targets", "A9001"), ("M0816", "not-preventable", "T9001")}


def test_what_domains_share_gives_passages_in_one_of_them(tmp_path: Path) -> None:
    mobile = {"kill_chain_phases": phases("juggling", chain="mitre-mobile-attack"), "x_mitre_domains": ["mobile-attack"]}
    enterprise, other = read_objects(tmp_path, BUNDLE), read_objects(tmp_path, [TECHNIQUE | mobile, GROUP])
    assert by_id(enterprise)["attack:G9001"].fields == by_id(other)["attack:G9001"].fields
    assert "attack:G9001#description" in {passage.id for passage in enterprise.passages}
    assert not [passage for passage in other.passages if passage.entity_id == "attack:G9001"]


def test_stix_2_1_states_its_release(tmp_path: Path) -> None:
    collection = {"type": "x-mitre-collection", "id": "x-mitre-collection--1", "x_mitre_version": "17.1"}
    objects = [{"spec_version": "2.1"} | item for item in [*BUNDLE, collection]]
    assert len(read_objects(tmp_path, objects, version="17.1").entities) == 8
    with pytest.raises(InputError, match=r"bundle\.json.*version 17\.1.*declares 18\.1"):
        read_objects(tmp_path, objects, version="18.1")


def test_the_same_bundle_gives_the_same_rows_in_any_order(tmp_path: Path) -> None:
    forth, back = read_objects(tmp_path, BUNDLE + SINCE_18), read_objects(tmp_path, (BUNDLE + SINCE_18)[::-1])
    assert sorted(map(repr, forth.entities)) == sorted(map(repr, back.entities))
    assert sorted(map(repr, forth.links)) == sorted(map(repr, back.links))


@pytest.mark.parametrize("content", [*NO_DOCUMENTS, b'{"type": "bundle", "objects": [{"type": "identity", "id": "1"}]}'])
def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bundle.json").write_bytes(content)
    with pytest.raises(InputError, match=r"bundle\.json"):
        read_with("attack_stix", {"bundle": tmp_path / "bundle.json"}, version="18.1")


def test_broken_records_are_one_reject_each(tmp_path: Path) -> None:
    text = json.dumps(
        {"type": "bundle", "objects": [*BUNDLE, {"id": "x"}, 7, TECHNIQUE | {"name": None}, TECHNIQUE, GROUP | {"id": "g"}]}
    )
    extra = b', {"type": "tool", "id": "tool--1", "name": "\xff"}]}'
    (tmp_path / "bundle.json").write_bytes(text.encode().removesuffix(b"]}") + extra)
    records = read_with("attack_stix", {"bundle": tmp_path / "bundle.json"}, version="18.1")
    reasons = Counter(reject.reason for reject in records.rejects)
    assert len(records.entities) == 8 and reasons["broken-record"] == 4 and reasons["duplicate-id"] == 2


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(
    target=st.sampled_from([TECHNIQUE, GROUP, ANALYTIC, STRATEGY, COMPONENT, SINCE_18[-1]]),
    data=st.data(),
    value=ANYTHING,
    whole=st.booleans(),
)
def test_any_json_in_a_records_place_leaves_the_others(
    tmp_path: Path, target: dict[str, Any], data: st.DataObject, value: Any, whole: bool
) -> None:
    changed = value if whole else target | {"id": "other--1", data.draw(st.sampled_from(sorted(target))): value}
    records = read_objects(tmp_path, [changed, *BUNDLE, *SINCE_18])
    assert {"attack:T9001", "attack:DET9001", "attack:M9001"} <= by_id(records).keys()
    assert ("M9001", "mitigates", "T9001") in linked(records)


def counted(records: Records) -> Counter[tuple[str, str, str]]:
    types = {entity.id: entity.type for entity in records.entities}
    gone = {entity.id for entity in records.entities if entity.deprecated}
    kept = [link for link in records.links if not {link.subject, link.object} & gone]
    return Counter((types[link.subject], link.relation, types.get(link.object, "")) for link in kept)


@pytest.mark.mirror
def test_counts_of_enterprise_18_1(mirror: Path) -> None:
    path = mirror / "sources/attack/derived/enterprise-attack-18.1.assembled.json.gz"
    records = read_with("attack_stix", {"bundle": path}, version="18.1")
    links = counted(records)
    assert Counter(entity.type for entity in records.entities if not entity.deprecated) == {
        "technique": 691, "tactic": 14, "group": 172, "malware": 693, "tool": 91, "campaign": 52, "mitigation": 44,
        "detection-strategy": 691, "analytic": 1739, "data-component": 106,
    }  # fmt: skip
    assert sum(entity.type == "technique" for entity in records.entities) == 835
    assert links["mitigation", "mitigates", "technique"] + links["mitigation", "not-preventable", "technique"] == 1445
    assert links["group", "uses", "technique"] == 4362 and links["malware", "uses", "technique"] == 9836
    assert links["tool", "uses", "technique"] == 800 and links["campaign", "uses", "technique"] == 1019
    assert links["detection-strategy", "detects", "technique"] == 691
    assert links["technique", "subtechnique-of", "technique"] == 475
    assert links["analytic", "part-of", "detection-strategy"] == 1739
    assert Counter(reject.reason for reject in records.rejects) == {"legacy-id": 224}
    assert not any("Citation:" in entity.text or "](http" in entity.text for entity in records.entities)


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("file", "version", "domain", "techniques"),
    [
        ("derived/mobile-attack-18.1.assembled.json.gz", "18.1", "mobile", 124),
        ("mobile-attack-17.1.json", "17.1", "mobile", 121),
        ("ics-attack-18.1.json", "18.1", "ics", 83),
        ("ics-attack.json", "18.1", "ics", 83),
    ],
)
def test_counts_of_the_other_domains(mirror: Path, file: str, version: str, domain: str, techniques: int) -> None:
    records = read_with("attack_stix", {"bundle": mirror / "sources/attack" / file}, version=version)
    current = [entity for entity in records.entities if entity.type == "technique" and not entity.deprecated]
    links = counted(records)
    assert len(current) == techniques and {entity.fields["domain"] for entity in current} == {domain}
    assert not records.rejects
    if version == "17.1":
        assert links["data-component", "detects", "technique"] == 168
    else:
        assert links["detection-strategy", "detects", "technique"] == techniques
    if domain == "ics":
        assert sum(entity.type == "asset" for entity in records.entities) == 18 and links["technique", "targets", "asset"] > 600
