"""ATLAS: matrix, case studies, and what a hostile file may not do."""

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.core import _refuse_empty
from stages.ingest.records import Records
from tests.ingest.anything import ANYTHING, SLOW, YAML_BOMB
from tests.ingest.reading import read_with

TACTIC = {"id": "AML.TA9001", "name": "Confusing", "description": "The adversary confuses.", "created_date": "2031-01-02",
          "ATT&CK-reference": {"id": "TA9001", "url": "https://attack.example/TA9001"}}  # fmt: skip
TECHNIQUE = {"id": "AML.T9001", "name": "Riddles", "description": "Ask [Riddles](/techniques/AML.T9001).", "tactics": ["AML.TA9001"],
             "maturity": "realized", "ATT&CK-reference": {"id": "T9001"}}  # fmt: skip
SUB = {"id": "AML.T9001.000", "name": "Old Riddles", "description": "Older.", "subtechnique-of": "AML.T9001"}
MITIGATION = {"id": "AML.M9001", "name": "Answers", "description": "Know them.", "category": ["Policy"],
              "ml-lifecycle": ["Deployment", {"id": "AML.T9001", "use": "misplaced"}],
              "techniques": [{"id": "AML.T9001", "use": "Answer at once.\n"}]}  # fmt: skip
STUDY = {"id": "AML.CS9001", "name": "The Sphinx", "summary": "A sphinx was asked many riddles by a traveller.", "target": "Sphinx",
         "incident-date": "2031-01-02", "case-study-type": "exercise", "actor": "Traveller",
         "procedure": [{"tactic": "AML.TA9001", "technique": "AML.T9001", "description": "We asked."},
                       {"technique": "AML.T9001.000"}]}  # fmt: skip
DOCUMENT = {
    "version": "5.1.0",
    "matrices": [{"tactics": [TACTIC], "techniques": [TECHNIQUE, SUB], "mitigations": [MITIGATION]}],
    "case-studies": [STUDY],
}


def read_bytes(folder: Path, content: bytes) -> Records:
    (folder / "ATLAS.yaml").write_bytes(content)
    return read_with("atlas", {"atlas": folder / "ATLAS.yaml"}, version="5.1.0")


def read_document(folder: Path, document: Any) -> Records:
    return read_bytes(folder, yaml.safe_dump(document).encode())


def test_objects_and_links(tmp_path: Path) -> None:
    records = read_document(tmp_path, DOCUMENT)
    found = {entity.id: entity for entity in records.entities}
    assert {id: entity.type for id, entity in found.items()} == {
        "atlas:AML.TA9001": "ai-tactic", "atlas:AML.T9001": "ai-technique", "atlas:AML.T9001.000": "ai-technique",
        "atlas:AML.M9001": "ai-mitigation", "atlas:AML.CS9001": "case-study",
    }  # fmt: skip
    assert found["atlas:AML.T9001"].text == "Ask Riddles."
    assert found["atlas:AML.M9001"].fields == {"category": ["Policy"], "lifecycle": ["Deployment"]}
    assert found["atlas:AML.CS9001"].published == "2031-01-02"
    assert found["atlas:AML.CS9001"].fields["steps"][0] == {"technique": "AML.T9001", "tactic": "AML.TA9001", "text": "We asked."}
    assert {(link.subject[6:], link.relation, link.object, link.text) for link in records.links} == {
        ("AML.TA9001", "corresponds-to", "attack:TA9001", ""),
        ("AML.T9001", "corresponds-to", "attack:T9001", ""),
        ("AML.T9001", "achieves", "atlas:AML.TA9001", ""),
        ("AML.T9001.000", "achieves", "atlas:AML.TA9001", ""),
        ("AML.T9001.000", "subtechnique-of", "atlas:AML.T9001", ""),
        ("AML.M9001", "mitigates", "atlas:AML.T9001", "Answer at once."),
        ("AML.CS9001", "uses", "atlas:AML.T9001", "We asked."),
        ("AML.CS9001", "uses", "atlas:AML.T9001.000", ""),
    }
    assert [reject.reason for reject in records.rejects] == ["misplaced-record"]


def test_footnotes_are_no_prose(tmp_path: Path) -> None:
    text = 'Riddles <sup>[\\[1\\]][1]</sup> are [old][myth] and[<sup>\\[2\\]</sup>][2] [[3]](https://w/a) [good]( https://x.example).\n\n[1]: https://y.example "A\nB"\n[myth]: https://z'
    document = copy.deepcopy(DOCUMENT)
    document["matrices"][0]["tactics"][0]["description"] = text
    assert read_document(tmp_path, document).entities[0].text == "Riddles are old and good."


def test_a_broken_record_is_named_and_the_rest_read(tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["matrices"][0]["techniques"] += [{"id": "AML.T9009"}, None, TECHNIQUE | {"created_date": "soon"}]
    records = read_document(tmp_path, document)
    rejects = [reject for reject in records.rejects if reject.reason == "broken-record"]
    assert len(records.entities) == 5 and [reject.record for reject in rejects] == [
        "Technique AML.T9009", "Technique 3", "Technique AML.T9001",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "broken-record"),
        (b"version: [", "broken-yaml"),
        (YAML_BOMB.encode(), "broken-yaml"),
        (b"version: !!python/object/apply:os.system [true]", "broken-yaml"),
        (b"version: \xff\xfe", "not-utf8"),
        (b"[" * 5_000, "broken-yaml"),
    ],
)
def test_a_file_that_is_no_matrix_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    records = read_bytes(tmp_path, content)
    assert [reject.reason for reject in records.rejects] == [reason] and "ATLAS.yaml" in records.rejects[0].record
    with pytest.raises(InputError, match="yields no entity"):
        _refuse_empty(records)


def test_another_major_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="version 6"):
        read_document(tmp_path, DOCUMENT | {"version": "6.0.0"})


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(kind=st.sampled_from([TECHNIQUE, STUDY]), data=st.data(), value=ANYTHING, whole=st.booleans())
def test_anything_in_a_records_place_leaves_the_others(
    tmp_path: Path, kind: dict[str, Any], data: st.DataObject, value: Any, whole: bool
) -> None:
    changed = value if whole else kind | {"id": "other", data.draw(st.sampled_from(sorted(kind))): value}
    document = copy.deepcopy(DOCUMENT)
    document["matrices"][0]["techniques"].append(changed)
    document["case-studies"].append(changed)
    (tmp_path / "ATLAS.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8", errors="replace")
    records = read_with("atlas", {"atlas": tmp_path / "ATLAS.yaml"}, version="5.1.0")
    if not any(reject.reason in ("broken-yaml", "not-utf8") for reject in records.rejects):  # control characters are no YAML
        assert {"atlas:AML.T9001", "atlas:AML.CS9001"} <= {entity.id for entity in records.entities}


@pytest.mark.mirror
def test_counts_of_atlas(mirror: Path) -> None:
    records = read_with("atlas", {"atlas": mirror / "sources/atlas/ATLAS.yaml"}, version="5.6.0")
    assert Counter(entity.type for entity in records.entities) == {
        "ai-technique": 170, "ai-tactic": 16, "ai-mitigation": 35, "case-study": 57,
    }  # fmt: skip
    ids = {entity.id for entity in records.entities}
    assert all(link.object in ids for link in records.links if link.relation != "corresponds-to")
    assert Counter(reject.reason for reject in records.rejects) == {"misplaced-record": 2}
