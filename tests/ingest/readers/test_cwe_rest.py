"""The REST repository: the same entities as from XML, and broken entries beside whole ones."""

import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.readers.cwe_rest.markup import code, text
from stages.ingest.records import Records
from tests.ingest.anything import ANYTHING
from tests.ingest.reading import read_with

WEAKNESS: dict[str, Any] = {
    "ID": "901",
    "Name": "Loose Queue",
    "Abstraction": "Base",
    "Structure": "Simple",
    "Status": "Draft",
    "Description": "A queue has\n  no bound.",
    "ExtendedDescription": "\n\nIt grows.\n\n\nUntil:\n\n\n  - memory ends\n\n  - time ends\n",
    "LikelihoodOfExploit": "High",
    "RelatedWeaknesses": [
        {"Nature": "ChildOf", "CweID": "900", "ViewID": "1000"},
        {"Nature": "ChildOf", "CweID": "902", "ViewID": "1003"},
        {"Nature": "CanPrecede", "CweID": "400", "ViewID": "1000"},
    ],
    "WeaknessOrdinalities": [{"Ordinality": "Primary"}],
    "ApplicablePlatforms": [{"Type": "Language", "Class": "Memory-Unsafe"}, {"Type": "Language", "Name": "C"}],
    "CommonConsequences": [{"Scope": ["Availability"], "Impact": ["DoS: Resource Consumption (Memory)"], "Note": "It ends."}],
    "DetectionMethods": [{"Method": "Fuzzing", "Description": "Push a lot.", "Effectiveness": "High"}],
    "PotentialMitigations": [{"Phase": ["Implementation", "Operation"], "Strategy": "Bounds", "Description": "Bound it."}],
    "DemonstrativeExamples": [
        {
            "Entries": [
                {"IntroText": "A queue."},
                {"Nature": "Bad", "Language": "C", "ExampleCode": "```\n\tpush(q);\n\t\tpush(q); **x**\n```\nend();"},
                {"BodyText": "It grows."},
            ]
        }
    ],
    "ObservedExamples": [
        {"Reference": "CVE-2031-90001", "Description": "Mail queue without bound."},
        {"Reference": "[REF-1]", "Description": "Unnumbered."},
    ],
    "TaxonomyMappings": [{"TaxonomyName": "PLOVER", "EntryName": "Queues"}],
    "RelatedAttackPatterns": ["125"],
    "MappingNotes": {"Usage": "Allowed", "Rationale": "Fine.", "Comments": "None.", "Reasons": ["Acceptable-Use"]},
    "Notes": [{"Type": "Terminology", "Note": "Also called pile."}],
}
VERSION = {"ContentVersion": "4.99"}
CATEGORY = {"ID": "910", "Name": "Queues", "Status": "Draft", "Summary": "About queues.", "Relationships": [{"CweID": "901"}]}
VIEW = {"ID": "1003", "Name": "Simplified", "Type": "Graph", "Objective": "For mapping.", "Members": [{"CweID": "910"}]}
WHOLE = {
    "cwev.json": VERSION,
    "W/901.json": WEAKNESS,
    "C/910.json": CATEGORY,
    "V/1003.json": VIEW,
    "C/categories.json": [CATEGORY],
}


def packed(folder: Path, entries: dict[str, Any]) -> Path:
    path = folder / "repo.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in entries.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            item = tarfile.TarInfo(name if name.startswith("../") else f"json_repo/{name}")
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
    return path


def read_repository(folder: Path, entries: dict[str, Any]) -> Records:
    return read_with("cwe_rest", {"repository": packed(folder, entries)}, version="4.99")


def test_a_weakness_has_the_fields_of_the_xml_reader(tmp_path: Path) -> None:
    records = read_repository(tmp_path, WHOLE)
    entity = next(one for one in records.entities if one.type == "weakness")
    assert entity.text == "A queue has no bound.\nIt grows.\nUntil:\nmemory ends\ntime ends"
    assert {key: entity.fields[key] for key in ("platforms", "consequences", "mitigations", "detection_methods")} == {
        "platforms": ["C", "Memory-Unsafe"],
        "consequences": [{"scopes": ["Availability"], "impacts": ["DoS: Resource Consumption (Memory)"], "note": "It ends."}],
        "mitigations": [{"phases": ["Implementation", "Operation"], "strategy": "Bounds", "description": "Bound it."}],
        "detection_methods": [{"method": "Fuzzing", "description": "Push a lot.", "effectiveness": "High"}],
    }
    assert entity.fields["examples"] == [
        {
            "intro": "A queue.",
            "codes": [{"nature": "Bad", "language": "C", "code": "    push(q);\n        push(q); x\nend();"}],
            "explanations": ["It grows."],
        }
    ]
    assert entity.fields["mapping"]["usage"] == "Allowed" and entity.fields["mapping"]["reasons"] == ["Acceptable-Use"]
    assert entity.fields["parents_in_views"] == {"1003": ["CWE-902"]} and entity.fields["in_view_1003"]
    assert entity.fields["capec"] == ["CAPEC-125"] and entity.fields["notes"] == [
        {"type": "Terminology", "note": "Also called pile."}
    ]


def test_links_groups_and_observed_examples(tmp_path: Path) -> None:
    records = read_repository(tmp_path, WHOLE)
    assert {(link.subject, link.relation, link.object) for link in records.links} == {
        ("cwe:CWE-901", "child-of", "cwe:CWE-900"),
        ("cwe:CWE-901", "can-precede", "cwe:CWE-400"),
        ("capec:CAPEC-125", "exploits", "cwe:CWE-901"),
        ("cve:CVE-2031-90001", "instance-of", "cwe:CWE-901"),
        ("cwe:CWE-901", "member-of", "cwe:CWE-910"),
        ("cwe:CWE-910", "member-of", "cwe:CWE-1003"),
    }
    assert [(reject.reason, reject.record) for reject in records.rejects] == [("no-cve-id", "cwe:CWE-901 [REF-1]")]


def test_the_order_of_the_archive_does_not_matter(tmp_path: Path) -> None:
    first = read_repository(tmp_path, WHOLE)
    second = read_repository(tmp_path, dict(reversed(WHOLE.items())))
    assert (first.entities, first.links, first.passages) == (second.entities, second.links, second.passages)


def test_broken_entries_are_one_reject_each(tmp_path: Path) -> None:
    nameless = {key: value for key, value in WEAKNESS.items() if key != "Name"}
    broken = {
        "W/1.json": b'{"ID": "1", "Na',
        "W/2.json": nameless,
        "W/3.json": b'{"ID": "3", "Name": "\xff"}',
        "W/4.json": WEAKNESS | {"ID": "four"},
        "W/5.json": b"[" * 100_000,
        "../W/6.json": WEAKNESS,
    }
    records = read_repository(tmp_path, WHOLE | broken)
    assert [one.id for one in records.entities if one.type == "weakness"] == ["cwe:CWE-901"]
    reasons = Counter(reject.reason for reject in records.rejects)
    assert reasons == {"broken-record": 4, "not-utf8": 1, "unsafe-path": 1, "no-cve-id": 1}
    assert any("W/2.json" in reject.record and "Name" in reject.detail for reject in records.rejects)


def test_a_truncated_archive_gives_what_came_before_its_end(tmp_path: Path) -> None:
    whole = packed(tmp_path, WHOLE | {f"W/{n}.json": WEAKNESS | {"ID": str(n), "Name": f"{n:x}" * 400} for n in range(1, 400)})
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    records = read_with("cwe_rest", {"repository": cut}, version="4.99")
    assert "cwe:CWE-901" in {one.id for one in records.entities}
    assert "broken-archive" in {reject.reason for reject in records.rejects}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"W/901.json": WEAKNESS}, r"version \(none\)"),
        ({"cwev.json": {"ContentVersion": "5.0"}, "W/901.json": WEAKNESS}, "version 5.0"),
        ({"cwev.json": VERSION, "C/910.json": CATEGORY}, "holds no weakness"),
        ({}, r"version \(none\)"),
    ],
)
def test_another_repository_is_refused(tmp_path: Path, entries: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_repository(tmp_path, entries)


@pytest.mark.parametrize(
    ("source", "prose"),
    [
        ("\n\nOne\nline.\n\n\nNext.\n", "One line.\nNext."),
        ("As:\n\n  - one\n\n  - two\ngoes on\n", "As:\none\ntwo goes on"),
        ("Table:\n\n| Name | Bits | \n| --- | --- |\n| KEY | 31:0 |\n", "Table:\nName Bits\nKEY 31:0"),
        ("Cases:\n\n```\n\t\tInbound: a\n\t\tOutbound: b\n```\nEnd.", "Cases:\nInbound: a\nOutbound: b\nEnd."),
        ("a <script> b | c", "a <script> b | c"),
        ("**Heat: ** very hot and 2 ** 3: ** 4", "Heat: very hot and 2 ** 3: ** 4"),
    ],
)
def test_markup_as_prose(source: str, prose: str) -> None:
    assert text(source) == prose


def test_code_keeps_its_shape() -> None:
    assert code("```\n\t my($f);\n\t\t if (1) {\n```\n# build command* \n\t\t int **p = 0;") == (
        "     my($f);\n         if (1) {\n# build command\n         int **p = 0;"
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(sorted(WEAKNESS)), value=ANYTHING, whole=st.booleans())
def test_any_json_in_an_entrys_place_leaves_the_others(tmp_path: Path, key: str, value: Any, whole: bool) -> None:
    changed = value if whole else WEAKNESS | {"ID": "77", key: value}
    records = read_repository(tmp_path, WHOLE | {"W/77.json": changed})
    assert "cwe:CWE-901" in {one.id for one in records.entities}


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="a `\n\t|-*#/<>1.", max_size=60))
def test_any_text_is_prose_and_code(source: str) -> None:
    assert "\n\n" not in text(source) and "```\n" not in code(source)


@pytest.mark.mirror
def test_counts_of_cwe_4_19(mirror: Path) -> None:
    path = mirror / "sources/cwe/cwe-rest-json_repo-4.19.1.tar.gz"
    records = read_with("cwe_rest", {"repository": path}, version="4.19.1")
    assert Counter(one.type for one in records.entities) == {
        "weakness": 969,
        "weakness-category": 420,
        "weakness-view": 58,
        "vulnerability": 2090,
        "attack-pattern": 450,
    }
    weaknesses = [one for one in records.entities if one.type == "weakness"]
    totals = {
        key: sum(len(one.fields.get(key, [])) for one in weaknesses) for key in ("mitigations", "detection_methods", "examples")
    }
    assert totals == {"mitigations": 1722, "detection_methods": 951, "examples": 1106}
    relations = Counter(link.relation for link in records.links)
    elsewhere = sum(len(parents) for one in weaknesses for parents in one.fields.get("parents_in_views", {}).values())
    assert relations["can-precede"] == 143 and relations["exploits"] == 1212
    assert (relations["child-of"], relations["child-of"] + elsewhere) == (1085, 1317)
    named = {link.subject for link in records.links if link.relation == "instance-of"}
    unnumbered = {reject.record.split()[1] for reject in records.rejects if reject.reason == "no-cve-id"}
    assert len(named) + len(unnumbered) == 2095 and len(records.rejects) == 9
    assert sum(one.fields["in_view_1003"] for one in weaknesses) == 130
    usages = Counter(one.fields["mapping"]["usage"] for one in weaknesses)
    assert usages == {"Allowed": 751, "Allowed-with-Review": 90, "Prohibited": 84, "Discouraged": 44}
