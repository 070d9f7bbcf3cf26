"""Threat actors: their names, which group of ATT&CK they are, and what a hostile archive may not do."""

import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.ingest.records import Records
from tests.ingest.anything import ANYTHING, NO_DOCUMENTS, SLOW
from tests.ingest.reading import read_with

ACTOR = {
    "uuid": "a-1",
    "value": "Dancing Bear",
    "description": "A troupe of [bears](https://bears.example) that dances in towns.",
    "meta": {
        "synonyms": ["Ursa", "G9001", "Dancing Bear"],
        "country": "XX",
        "name-attribution": ["BROWN DANCER:11", "Ursa: Minor:22"],
        "origin:BROWN DANCER": "Forest Watch",
        "cfr-suspected-state-sponsor": "Bearland",
        "cfr-suspected-victims": ["Hive"],
        "cfr-target-category": "Private sector",
        "targeted-sector": ["Honey"],
        "cfr-type-of-incident": "Theft",
        "motive": "Honey",
    },
}
GROUPS = [
    {"value": "Ursa - G9001", "meta": {"external_id": "G9001", "synonyms": ["Ursa", "URSA MAJOR"]}},
    {"value": "Lynx - G9002", "meta": {"external_id": "G9002", "synonyms": ["Cat"]}},
    {"value": "Puma - G9003", "meta": {"external_id": "G9003", "synonyms": ["Cat", "G-three"]}},
]


def read_clusters(folder: Path, actors: Any, groups: Any = GROUPS, **more: bytes) -> Records:
    path = folder / "galaxy.tar.gz"
    clusters = {"threat-actor": actors, "mitre-intrusion-set": groups, "tool": [7]}
    whole = {name: json.dumps({"type": name, "version": 1, "values": rows}).encode() for name, rows in clusters.items()}
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (more | whole).items():
            info = tarfile.TarInfo(f"clusters/{name}.json")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return read_with("misp_actors", {"actors": path, "groups": path})


def actor(value: str, *synonyms: str) -> dict[str, Any]:
    return {"uuid": f"u-{value}", "value": value, "meta": {"synonyms": list(synonyms)}}


def test_an_actor_with_the_names_that_vendors_use(tmp_path: Path) -> None:
    (entity,) = read_clusters(tmp_path, [ACTOR]).entities
    assert (entity.id, entity.type, entity.name) == ("misp-actor:a-1", "threat-actor", "Dancing Bear")
    assert entity.text == "A troupe of bears that dances in towns."
    assert entity.fields == {
        "synonyms": ["BROWN DANCER", "Ursa", "Ursa: Minor"], "vendors": {"BROWN DANCER": "Forest Watch"}, "country": "XX",
        "sponsor": "Bearland", "motive": "Honey", "incident_types": ["Theft"], "targets": ["Honey", "Private sector"],
        "victims": ["Hive"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "group"),
    [
        (ACTOR, "G9001"),
        (actor("ursa major"), "G9001"),
        (actor("Lion", "LYNX"), "G9002"),
        (actor("Lynx", "Cat"), "G9002"),  # the main name decides
        (actor("Lion", "Cat", "G9003"), "G9003"),  # the id among the names decides
        (actor("Lion", "Cat"), ""),
        (actor("Lion", "Urs"), ""),
    ],
)
def test_the_same_group_only_where_a_name_is_equal_and_clear(tmp_path: Path, one: dict[str, Any], group: str) -> None:
    records = read_clusters(tmp_path, [one])
    assert [link.object for link in records.links] == ([f"attack:{group}"] if group else [])
    assert [reject.reason for reject in records.rejects] == (["ambiguous-alias"] if one == actor("Lion", "Cat") else [])


def test_broken_records_and_files_are_named_and_the_rest_read(tmp_path: Path) -> None:
    records = read_clusters(
        tmp_path,
        [{"uuid": "x"}, 7, ACTOR | {"meta": {"synonyms": 7}}, ACTOR | {"value": " "}, ACTOR],
        [*GROUPS, {"value": "Nameless"}],
        **{"old/clusters/threat-actor": NO_DOCUMENTS[1], "../clusters/mitre-intrusion-set": b"{}"},
    )
    assert [entity.id for entity in records.entities] == ["misp-actor:a-1"]
    assert Counter(reject.reason for reject in records.rejects) == {"broken-record": 5, "no-name": 1, "unsafe-path": 1}


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(key=st.sampled_from([*ACTOR, *ACTOR["meta"]]), value=ANYTHING, whole=st.booleans())
def test_any_json_in_a_records_place_leaves_the_others(tmp_path: Path, key: str, value: Any, whole: bool) -> None:
    inside = ACTOR | {"uuid": "other", "meta": ACTOR["meta"] | {key: value}} if key in ACTOR["meta"] else ACTOR | {key: value}
    records = read_clusters(tmp_path, [value if whole else inside, ACTOR | {"uuid": "whole"}], [value, *GROUPS])
    assert records.entities[-1].id == "misp-actor:whole" and records.links[-1].object == "attack:G9001"


@pytest.mark.mirror
def test_counts_of_the_galaxy(mirror: Path) -> None:
    path = mirror / "sources/misp-galaxy/misp-galaxy-clusters.tar.gz"
    records = read_with("misp_actors", {"actors": path, "groups": path})
    assert len(records.entities) == 1041 and len(records.links) > 180
    assert sum(bool(entity.fields.get("synonyms")) for entity in records.entities) > 380
    assert {reject.reason for reject in records.rejects} == {"ambiguous-alias"}
