"""Every reader on the toy corpus: what it makes, what it drops, and how it fails on a file of another form."""

import json
from collections import Counter
from typing import Any

import pytest

from stages.errors import InputError
from stages.ingest.records import Records
from tests.ingest.conftest import Toy


def entity(records: Records, id: str) -> Any:
    return next(entity for entity in records.entities if entity.id == id)


def test_every_row_names_source_version_licence_and_address(records: dict[str, Records]) -> None:
    for name, read in records.items():
        for row in read.entities:
            assert row.source == name and row.version and row.licence and row.uri.startswith("https://"), row.id
        assert all(
            passage.licence and passage.uri and passage.entity_id + "#" == passage.id[: len(passage.entity_id) + 1]
            for passage in read.passages
        )
        assert len({passage.id for passage in read.passages}) == len(read.passages)


def test_no_markup_is_left(records: dict[str, Records]) -> None:
    for read in records.values():
        for text in (*(e.text for e in read.entities), *(link.text for link in read.links), *(p.text for p in read.passages)):
            assert not any(mark in text for mark in ("(Citation", "](http", "<code>", "xhtml:", "[REF-", "  ", "…")), text


def test_attack_takes_long_texts_of_one_file_and_the_status_of_the_other(records: dict[str, Records]) -> None:
    attack = records["attack"]
    technique = entity(attack, "attack:T9001")
    assert technique.text.endswith("it is often seen together with Container Hook Abuse.")
    assert technique.fields["tactics"] == ["gaining-entry"] and not technique.deprecated
    assert entity(attack, "attack:T9099").revoked_by == "attack:T9001"
    assert entity(attack, "attack:T9098").fields["domain"] == "mobile"
    sub = [link for link in attack.links if link.relation == "subtechnique-of"]
    assert {link.object for link in sub} >= {"attack:T9006", "attack:T9013"} and len(sub) == 6


def test_attack_analytics_are_part_of_their_strategy(records: dict[str, Records]) -> None:
    strategy = entity(records["attack"], "attack:DET9001")
    assert strategy.fields["analytics"][0]["log_sources"][0]["component"] == "Job Creation"
    assert any(
        passage.id == "attack:DET9001#AN9001" and "EventCode=4000" in passage.text for passage in records["attack"].passages
    )


def test_attack_of_another_release_is_refused(toy: Toy) -> None:
    section = toy.section["sources"] | {"attack": toy.section["sources"]["attack"] | {"version": "99.0"}}
    with pytest.raises(InputError) as caught:
        toy.read(sources=section)
    message = str(caught.value)
    assert "toy_attack.whl" in message and "v18.1" in message and "99.0" in message and "Remedy" in message


def test_attack_without_an_expected_list_is_refused(toy: Toy) -> None:
    with pytest.raises(InputError, match="no list `attack_patterns`"):
        toy.read_changed("attack", "attack", "attack-patterns-lookup-v18.1.json", lambda d: {"patterns": d["attack_patterns"]})


def test_one_broken_record_is_one_reject(toy: Toy) -> None:
    def change(document: dict[str, Any]) -> dict[str, Any]:
        document["attack_patterns"][3]["name"] = None
        return document

    read = toy.read_changed("attack", "attack", "attack-patterns-lookup-v18.1.json", change)
    assert Counter(reject.reason for reject in read.rejects)["broken-record"] == 1
    assert sum(row.type == "technique" for row in read.entities) == 32  # the galaxy still knows the fourth


def test_cwe_fields_membership_and_links(records: dict[str, Records]) -> None:
    cwe = records["cwe"]
    weakness = entity(cwe, "cwe:CWE-9005")
    assert (
        weakness.fields["in_view_1003"]
        and weakness.fields["top25"] == ["2023"]
        and weakness.fields["owasp"] == ["A03:2021 Injection"]
    )
    assert weakness.fields["consequences"][0]["scopes"] == ["Confidentiality"]
    assert weakness.fields["mitigations"][0]["phases"] == ["Implementation"] and weakness.fields["mapping"]["usage"] == "Allowed"
    assert weakness.fields["detection_methods"][0]["method"] and weakness.fields["background"] and weakness.fields["capec"]
    assert ("cwe:CWE-9005", "child-of", "cwe:CWE-9001") in {(x.subject, x.relation, x.object) for x in cwe.links}
    sections = {passage.id.split("#")[1] for passage in cwe.passages if passage.entity_id == weakness.id}
    assert sections == {"description", "background", "consequences", "mitigations", "detection"}


def test_a_cve_under_several_weaknesses_is_one_entity_with_several_links(records: dict[str, Records]) -> None:
    keys = Counter(link.subject for link in records["cwe"].links if link.relation == "instance-of")
    ids = [row.id for row in records["cwe"].entities if row.type == "vulnerability"]
    assert max(keys.values()) == 2 and len(ids) == len(set(ids)) == 120
    assert all(link.text for link in records["cwe"].links if link.relation == "instance-of")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('Version="4.14"', 'Version="5.0"', "says it is version 5.0"),
        ('Version="4.14"', "", r"version \(none\)"),
        ("http://cwe.mitre.org/cwe-7", "http://cwe.mitre.org/cwe-8", "has the root"),
        ("</Weaknesses>", "", "not well-formed XML"),
        ('encoding="UTF-8"?>', 'encoding="UTF-8"?><!DOCTYPE x [<!ENTITY a "b">]>', "document type"),
    ],
)
def test_cwe_of_another_form_is_refused(toy: Toy, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        toy.read_changed("cwe", "cwe", ".xml", lambda text: text.replace(old, new, 1))


def test_capec_ids_come_from_references(records: dict[str, Records], toy: Toy) -> None:
    pattern = entity(records["capec"], "capec:CAPEC-9001")
    assert pattern.fields["cwe"] == ["CWE-9001", "CWE-9016"] and pattern.fields["prerequisites"].count(". ") == 1
    read = toy.read_changed("capec", "capec", "threats.json", lambda rows: [rows[0] | {"references": "none"}, *rows[1:]])
    assert [(reject.reason, reject.record) for reject in read.rejects] == [("no-capec-id", "TOY00 Queue Stuffing")]
    endless = f"capec.mitre.org/data/definitions/{'9' * 5000} cwe.mitre.org/data/definitions/{'9' * 5000}"
    read = toy.read_changed("capec", "capec", "threats.json", lambda rows: [rows[0] | {"references": endless}, *rows[1:]])
    assert [reject.reason for reject in read.rejects] == ["no-capec-id"]


def test_incidents_keep_their_own_licence_and_only_sure_texts(records: dict[str, Records]) -> None:
    read = records["incidents"]
    assert Counter(row.licence for row in read.entities) == {"CC-BY-4.0": 18, "CVE-TOU": 1}
    assert {reject.reason for reject in read.rejects} == {"no-cve-id", "retracted", "several-cves", "cut-before-the-fault"}
    cut = [row for row in read.entities if row.fields.get("text_cut")]
    assert len(cut) == 3 and all(row.text.endswith(".") for row in cut)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("TeaHouse Chat is a friendly place where gardeners meet every day. An unauthenti…", "cut-before-the-fault"),
        ("_Short summary of the problem._ Make it as clear as you can, please.", "unfilled-template"),
        ("It repeats the mistake of CVE-2031-90001 in another parser of the product.", "text-names-other-cves"),
        ("A remote attacker sends a very long…", "cut-before-first-sentence"),
    ],
)
def test_incident_texts_that_say_nothing_certain(toy: Toy, text: str, reason: str) -> None:
    def change(document: dict[str, Any]) -> dict[str, Any]:
        document["incidents"][0]["description"] = text
        return document

    read = toy.read_changed("incidents", "incidents", "incidents.min.json", change)
    assert [reject.reason for reject in read.rejects if reject.record.startswith("INC-00000")] == [reason]


def test_sigma_keeps_the_author(records: dict[str, Records]) -> None:
    rules = records["sigma"].entities
    assert len(rules) == 30 and all(rule.fields["author"] for rule in rules)
    assert rules[0].fields["techniques"] == ["T9001"] and "category" not in rules[0].fields


def test_sigma_lists_that_are_one_string(toy: Toy) -> None:
    def change(cluster: dict[str, Any]) -> dict[str, Any]:
        cluster["values"][0]["meta"] |= {"falsepositive": "Unknown", "tags": "attack.t9002"}
        return cluster

    rule = toy.read_changed("sigma", "galaxy", "sigma-rules.json", change).entities[0]
    assert rule.fields["falsepositives"] == ["Unknown"] and rule.fields["techniques"] == ["T9002"]


def test_d3fend_links_by_uuid(records: dict[str, Records]) -> None:
    links = [link for link in records["d3fend"].links if link.subject == "d3fend:D3-JRL0"]
    assert {link.object for link in links} == {"attack:T9001", "attack:T9010"} and len(links) == 3


def test_nist_parameters_are_written_out(records: dict[str, Records]) -> None:
    text = entity(records["nist"], "nist:ZZ-90").text
    assert text == "Disable accounts within an organization-defined time period when they are no longer needed."
    assert "by signature or manual comparison" in entity(records["nist"], "nist:ZZ-92").text


def test_checks_cover_and_satisfy(records: dict[str, Records]) -> None:
    links = {(link.subject, link.relation, link.object) for link in records["checks"].links}
    name = "check:toycloud/store_bucket_owner_verified"
    assert {(name, "covers", "attack:T9001"), (name, "satisfies", "nist:ZZ-90")} <= links


@pytest.mark.parametrize(
    ("source", "pin", "member"), [("sigma", "galaxy", "sigma-rules.json"), ("d3fend", "galaxy", "mitre-d3fend.json")]
)
def test_an_empty_cluster_is_refused(toy: Toy, source: str, pin: str, member: str) -> None:
    with pytest.raises(InputError, match="0 values"):
        toy.read_changed(source, pin, member, lambda cluster: cluster | {"values": []})


@pytest.mark.parametrize(
    ("source", "pin", "member", "change"),
    [
        ("capec", "capec", "threats.json", lambda _: []),
        ("incidents", "incidents", "incidents.min.json", lambda document: document | {"incidents": []}),
        ("incidents", "incidents", "incidents.min.json", lambda document: document | {"version": "3.0.0"}),
        ("incidents", "incidents", "incidents.min.json", lambda document: {"rows": document["incidents"]}),
        ("nist", "nist", "nist-800-53-rev5.json", lambda document: json.loads(json.dumps(document).replace("5.2.0", "6.0.0"))),
        ("nist", "nist", "nist-800-53-rev5.json", lambda document: {"profile": document}),
        ("sigma", "galaxy", "sigma-rules.json", lambda cluster: cluster | {"type": "other"}),
    ],
)
def test_another_form_names_source_file_and_remedy(toy: Toy, source: str, pin: str, member: str, change: Any) -> None:
    with pytest.raises(InputError) as caught:
        toy.read_changed(source, pin, member, change)
    message = str(caught.value)
    assert f"`{source}`" in message and ("Remedy" in message), message


def test_bottomless_json_is_refused_without_a_traceback(toy: Toy) -> None:
    bomb = "[" * 200_000 + "]" * 200_000
    with pytest.raises(InputError, match="threat"):
        toy.read_changed("capec", "capec", "threats.json", lambda _: bomb)
    with pytest.raises(InputError, match="expected layout"):
        toy.read_changed(
            "incidents", "incidents", "incidents.min.json", lambda _: '{"version": "2.13.0", "incidents": [' + bomb + "]}"
        )
