"""ASVS requirements of two editions, and weaknesses under the numbers of the drafts."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from stages.errors import InputError
from stages.ingest.records import Records
from tests.ingest.anything import ANYTHING, NO_DOCUMENTS
from tests.ingest.reading import read_with

NEW = {"chapter_id": "V1", "chapter_name": "Queues", "section_id": "V1.2", "section_name": "Bounds", "req_id": "V1.2.3",
       "req_description": "Verify that **queues** have a bound.", "L": "2"}  # fmt: skip
OLD = {key: value for key, value in NEW.items() if key != "L"} | {
    "req_description": "Verify the bound. ([C5](https://example.org/#x), [C6](https://example.org))",
    "level1": "", "level2": "30 days", "level3": "✓", "cwe": "770", "nist": "5.1.1 / 5.1.2"}  # fmt: skip


def read(folder: Path, requirements: list[Any], **files: Any) -> Records:
    paths = {}
    for role, content in ({"requirements": {"requirements": requirements}} | files).items():
        paths[role] = folder / f"{role}.json"
        paths[role].write_text(content if isinstance(content, str) else json.dumps(content))
    return read_with("owasp_asvs", paths, version="5.0.0")


def test_a_requirement_of_the_new_layout(tmp_path: Path) -> None:
    entity = read(tmp_path, [NEW]).entities[0]
    assert (entity.id, entity.type, entity.name) == ("asvs:5.0.0/V1.2.3", "verification-requirement", "V1.2.3 Bounds")
    assert entity.text == "Verify that queues have a bound."
    assert (entity.fields["levels"], entity.fields["chapter"]) == ([2, 3], "Queues")


def test_a_requirement_of_the_old_layout_names_its_weakness(tmp_path: Path) -> None:
    found = read(tmp_path, [OLD])
    assert found.entities[0].text == "Verify the bound."
    assert (found.entities[0].fields["levels"], found.entities[0].fields["nist"]) == ([2, 3], ["5.1.1", "5.1.2"])
    assert [(link.relation, link.object) for link in found.links] == [("verifies", "cwe:CWE-770")]


def test_draft_numbers_are_followed_or_not_used(tmp_path: Path) -> None:
    drafts = {"v5.0.be-1.2.3": "79", "v5.0.be-9.9.9": "770"}
    assert [one.reason for one in read(tmp_path, [NEW], cwe_map=drafts).rejects] == ["draft-number"] * 2
    found = read(tmp_path, [NEW], cwe_map=drafts, numbers="---\nv5.0.be-9.9.9: v5.0.0-1.2.3\nv5.0.be-1.2.3: v5.0.0-8.8.8\n")
    assert [(link.subject, link.object) for link in found.links] == [("asvs:5.0.0/V1.2.3", "cwe:CWE-770")]
    assert [(one.record, one.detail) for one in found.rejects] == [("v5.0.be-1.2.3 -> CWE-79", "V8.8.8")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"req_description": "[DELETED, DUPLICATE OF 4.1.3]"}, "deleted-requirement"),
        ({"req_description": " "}, "empty-text"),
        ({"req_id": "V1"}, "no-number"),
        ({"req_id": 7}, "broken-record"),
        ({}, "duplicate-id"),
    ],
)
def test_a_broken_requirement_is_a_reject_and_the_rest_is_read(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    found = read(tmp_path, [NEW, NEW | change])
    assert len(found.entities) == 1 and [one.reason for one in found.rejects] == [reason]


@pytest.mark.parametrize("content", NO_DOCUMENTS)
def test_a_file_that_is_none_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "asvs.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"asvs\.json"):
        read_with("owasp_asvs", {"requirements": path})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(ANYTHING, ANYTHING)
def test_whatever_stands_in_a_requirement_the_rest_is_read(tmp_path: Path, value: Any, other: Any) -> None:
    broken = [value, *({**NEW, "req_id": f"V9.9.{n}", key: other} for n, key in enumerate(NEW))]
    found = read(tmp_path, [NEW, *broken])
    assert found.entities[0].id == "asvs:5.0.0/V1.2.3"
    assert len(found.entities) + len(found.rejects) == len(broken) + 1


@pytest.mark.mirror
def test_counts_of_both_editions(mirror: Path) -> None:
    folder = mirror / "sources/owasp-asvs"
    new = next(folder.glob("*5.0.0*.flat.json"))
    found = read_with("owasp_asvs", {"requirements": new, "cwe_map": folder / "v5.0.be_cwe_mapping.json"}, version="5.0.0")
    assert len(found.entities) == 345
    assert Counter(one.reason for one in found.rejects) == {"draft-number": 212}
    assert Counter(entity.fields["levels"][0] for entity in found.entities) == {1: 70, 2: 183, 3: 92}
    found = read_with("owasp_asvs", {"requirements": next(folder.glob("*4.0.3*.flat.json"))}, version="4.0.3")
    assert (len(found.entities), len(found.links)) == (278, 268)
    assert Counter(one.reason for one in found.rejects) == {"deleted-requirement": 8}


def test_a_number_that_no_weakness_can_have(tmp_path: Path) -> None:
    found = read(tmp_path, [OLD | {"cwe": "9" * 5000}], cwe_map={"v5.0.be-1.2.3": "9" * 5000})
    assert len(found.entities) == 1 and not found.links and [one.reason for one in found.rejects] == ["draft-number"]


def test_endless_spaces_take_no_endless_time(tmp_path: Path) -> None:
    start = time.perf_counter()
    assert len(read(tmp_path, [OLD | {"req_description": f"Verify{' ' * 150_000}it."}]).entities) == 1
    assert time.perf_counter() - start < 5
