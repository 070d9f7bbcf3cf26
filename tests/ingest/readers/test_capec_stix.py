"""The CAPEC bundle: patterns, their flows and links, and what a hostile bundle may not do."""

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.readers.capec_stix.markup import FLOW_LIMIT, prose, steps
from stages.ingest.records import Records
from tests.ingest.anything import ANYTHING
from tests.ingest.reading import read_with

FLOW = (
    "<h2> Execution Flow </h2><div><h3>Explore</h3><ol><li> <p> <b>Find the queue: </b>The adversary looks for queues.</p></li>"
    "<table><tbody><tr><th>Techniques</th></tr><tr><td>Ask around</td></tr><tr><td>\n <xhtml:p>Send <script>x</script></xhtml:p>"
    "\n <xhtml:ul><xhtml:li>one</xhtml:li><xhtml:li>two</xhtml:li></xhtml:ul></td></tr></tbody></table></ol></div>"
    "<div><h3>Exploit</h3><ol><li> <p>It fills the queue & waits if 1 < 2.</p></li></ol></div>"
)
PATTERN = {
    "type": "attack-pattern",
    "id": "attack-pattern--1",
    "name": "Queue Stuffing",
    "description": "An adversary fills a queue.",
    "x_capec_extended_description": "\n  <xhtml:p>First line\n    goes on.</xhtml:p>\n  <xhtml:p>Second.</xhtml:p>\n",
    "x_capec_status": "Draft",
    "x_capec_version": "3.9",
    "x_capec_abstraction": "Standard",
    "x_capec_prerequisites": ["A queue", "A bound that is not checked."],
    "x_capec_skills_required": {"Low": "Patience.", "High": ""},
    "x_capec_consequences": {"Availability": ["Resource Consumption (Denial of Service)"], "Access_Control": ["Gain Privileges"],
                             "Integrity": ["Gain Privileges"]},
    "x_capec_example_instances": ["A queue was filled. See also: CVE-2031-90001"],
    "x_capec_execution_flow": FLOW,
    "x_capec_can_follow_refs": ["attack-pattern--2"],
    "x_capec_peer_of_refs": ["attack-pattern--9"],
    "external_references": [
        {"source_name": "capec", "external_id": "CAPEC-9001"},
        {"source_name": "cwe", "external_id": "CWE-9002"},
        {"source_name": "cwe", "external_id": "CWE-901"},
        {"source_name": "ATTACK", "external_id": "T9001.001", "description": "Queues"},
        {"source_name": "cwe", "external_id": "none"},
    ],
}  # fmt: skip
OTHER = {
    "type": "attack-pattern",
    "id": "attack-pattern--2",
    "name": "DEPRECATED: Old",
    "description": "Replaced.",
    "x_capec_status": "Deprecated",
    "x_capec_version": "3.9",
    "x_capec_can_precede_refs": ["attack-pattern--1"],
    "external_references": [{"source_name": "capec", "external_id": "CAPEC-9002"}],
}
MEASURES = [
    {"type": "course-of-action", "id": "course-of-action--a", "name": "coa-9001-10", "description": "Bound it."},
    {"type": "course-of-action", "id": "course-of-action--b", "name": "coa-9001-2", "description": "Watch the length"},
    {"type": "relationship", "relationship_type": "mitigates", "source_ref": "course-of-action--a", "target_ref": "attack-pattern--1"},
    {"type": "relationship", "relationship_type": "mitigates", "source_ref": "course-of-action--b", "target_ref": "attack-pattern--1"},
    {"type": "relationship", "relationship_type": "mitigates", "source_ref": "course-of-action--c", "target_ref": "attack-pattern--1"},
]  # fmt: skip


def read_bundle(folder: Path, objects: list[Any]) -> Records:
    path = folder / "bundle.json"
    path.write_text(json.dumps({"type": "bundle", "objects": objects}))
    return read_with("capec_stix", {"bundle": path}, version="3.9")


def test_a_pattern_with_all_its_parts(tmp_path: Path) -> None:
    entity = read_bundle(tmp_path, [PATTERN, OTHER, *MEASURES]).entities[0]
    assert (entity.id, entity.type, entity.text) == (
        "capec:CAPEC-9001",
        "attack-pattern",
        "An adversary fills a queue.\nFirst line goes on.\nSecond.",
    )
    assert entity.fields["prerequisites"] == "A queue.\nA bound that is not checked."
    assert entity.fields["mitigations"] == "Watch the length.\nBound it."
    assert entity.fields["cwe"] == ["CWE-901", "CWE-9002"]
    assert entity.fields["skills"] == [{"level": "Low", "description": "Patience."}, {"level": "High"}]
    assert entity.fields["consequences"] == [
        {"scopes": ["Availability"], "impacts": ["Resource Consumption"], "note": "Denial of Service"},
        {"scopes": ["Access Control", "Integrity"], "impacts": ["Gain Privileges"]},
    ]
    assert entity.fields["taxonomies"] == [{"taxonomy": "ATT&CK", "id": "T9001.001", "name": "Queues"}]


def test_links_once_each_and_what_is_broken_named(tmp_path: Path) -> None:
    records = read_bundle(tmp_path, [PATTERN, OTHER, *MEASURES])
    assert {(link.subject, link.relation, link.object) for link in records.links} == {
        ("capec:CAPEC-9001", "exploits", "cwe:CWE-9002"),
        ("capec:CAPEC-9001", "exploits", "cwe:CWE-901"),
        ("attack:T9001.001", "corresponds-to", "capec:CAPEC-9001"),
        ("capec:CAPEC-9001", "related-to", "cve:CVE-2031-90001"),
        ("capec:CAPEC-9002", "can-precede", "capec:CAPEC-9001"),
    }
    assert len(records.links) == 5
    assert {(reject.reason, reject.record) for reject in records.rejects} == {
        ("broken-reference", "capec:CAPEC-9001 cwe none"),
        ("unresolved-id", "CAPEC-9001 related-to attack-pattern--9"),
        ("unresolved-id", "course-of-action--c mitigates attack-pattern--1"),
    }


def test_deprecated_patterns_are_marked_and_give_no_passages(tmp_path: Path) -> None:
    records = read_bundle(tmp_path, [PATTERN, OTHER])
    assert [entity.deprecated for entity in records.entities] == [False, True]
    assert {passage.entity_id for passage in records.passages} == {"capec:CAPEC-9001"}


def test_the_flow_is_steps_and_brackets_of_its_text_stay() -> None:
    assert steps(FLOW) == [
        {
            "step": 1,
            "phase": "Explore",
            "name": "Find the queue",
            "description": "The adversary looks for queues.",
            "techniques": ["Ask around", "Send <script>x</script>\none\ntwo"],
        },
        {"step": 2, "phase": "Exploit", "description": "It fills the queue & waits if 1 < 2."},
    ]


@pytest.mark.parametrize("flow", ["", "   ", "no markup", "<h3>Explore</h3>", "<td>no step before</td>", "<ol>" * 40_000, "<li>"])
def test_a_flow_without_steps_is_no_step(flow: str) -> None:
    assert steps(flow) == []


def test_a_flow_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    long = PATTERN | {"x_capec_execution_flow": "<li>x</li>" * (FLOW_LIMIT // 10 + 1)}
    records = read_bundle(tmp_path, [long, OTHER])
    assert [entity.id for entity in records.entities] == ["capec:CAPEC-9002"]
    assert ("broken-record", "CAPEC-9001 Queue Stuffing") in {(reject.reason, reject.record) for reject in records.rejects}


def test_only_marked_markup_is_removed() -> None:
    text = "  <xhtml:p>Put <b>x</b>\n   and <xhtml:i>y</xhtml:i> here.</xhtml:p><xhtml:div style='a'>z</xhtml:div>"
    assert prose(text) == "Put <b>x</b> and y here.\nz"


def test_another_version_names_file_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"bundle\.json.*version 4\.0.*declares 3\.9"):
        read_bundle(tmp_path, [PATTERN | {"x_capec_version": "4.0"}])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"type": "bundle", "objects": [{"type": "attack-pa',
        b'{"type": "bundle"}',
        b'{"type": "bundle", "objects": [{"type": "identity"}]}',
        b'{"type": "bundle", "objects": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'\xff\xfe{"type": "bundle"}',
    ],
)
def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bundle.json").write_bytes(content)
    with pytest.raises(InputError, match="bundle"):
        read_with("capec_stix", {"bundle": tmp_path / "bundle.json"}, version="3.9")


def test_records_without_fields_are_one_reject_each(tmp_path: Path) -> None:
    nameless = {key: value for key, value in PATTERN.items() if key != "name"}
    records = read_bundle(tmp_path, [OTHER, nameless, {"id": "x"}, 7, PATTERN | {"external_references": []}])
    assert [entity.id for entity in records.entities] == ["capec:CAPEC-9002"]
    assert Counter(reject.reason for reject in records.rejects)["broken-record"] == 3
    assert any(reject.reason == "no-capec-id" and "Queue Stuffing" in reject.record for reject in records.rejects)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(sorted(PATTERN)), value=ANYTHING, whole=st.booleans())
def test_any_json_in_a_patterns_place_leaves_the_others(tmp_path: Path, key: str, value: Any, whole: bool) -> None:
    changed = value if whole else PATTERN | {"id": "attack-pattern--3", key: value}
    records = read_bundle(tmp_path, [copy.deepcopy(OTHER), changed])
    assert records.entities[0].id == "capec:CAPEC-9002" and len(records.entities) + len(records.rejects) >= 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<li>", "</li>", "<b>", "</b>", "<h3>", "<td>", "<script>", "&lt;", "<", "é", "a b", "<!--", "<![CDATA["]
        )
    )
)
def test_any_markup_is_a_flow_or_none(pieces: list[str]) -> None:
    found = steps("".join(pieces))
    assert [step["step"] for step in found] == list(range(1, len(found) + 1))


@pytest.mark.mirror
def test_counts_of_capec_3_9(mirror: Path) -> None:
    path = mirror / "sources/capec/derived/stix-capec-3.9.assembled.json.gz"
    records = read_with("capec_stix", {"bundle": path}, version="3.9")
    relations = Counter(link.relation for link in records.links)
    assert len(records.entities) == 615 and sum(not entity.deprecated for entity in records.entities) == 559
    assert relations["exploits"] == 1214 and relations["corresponds-to"] == 272 and not records.rejects
    assert all(link.subject.startswith("attack:") for link in records.links if link.relation == "corresponds-to")
    flows = [entity.fields["execution_flow"] for entity in records.entities if "execution_flow" in entity.fields]
    assert (len(flows), sum(map(len, flows))) == (239, 815)
    assert sum(len(step.get("techniques", [])) for flow in flows for step in flow) == 1148
    assert not any("xhtml" in json.dumps(entity.fields) for entity in records.entities)
