"""Security tests and chapters of the testing guide."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.ingest.records import Records
from tests.ingest.reading import read_with
from tests.ingest.test_containers import tar

FOLDER = "guide/document/4-Web_Application_Security_Testing/07-Queue_Testing"
TEST = (
    b"# Testing for Open Queues\n\n|ID          |\n|------------|\n|WSTG-QUEU-05|\n\n## Summary\n\nA queue without a bound stops the "
    b"application when a client fills it, and other clients wait.\n\n## Test Objectives\n\n- Find the queues.\n- Assess the bounds.\n\n"
    b"## How to Test\n\n### Black-Box Testing\n\nSend requests and watch the length. Such as:\n\n```\nGET /\n```\n\n"
    b"## Remediation\n\nBound the queue and answer that it is full.\n\n## References\n\n- A long list of books that nobody reads.\n"
)
PART = TEST.replace(b"|ID          |\n|------------|\n|WSTG-QUEU-05|\n", b"")
CONTENTS = b"# 4.7 Queue Testing\n\n4.7.5 [Testing for Open Queues](05-Testing_for_Open_Queues.md)\n"


def read(folder: Path, files: dict[str, bytes]) -> Records:
    return read_with("owasp_wstg", {"pages": tar(folder / "pages.tar.gz", files)})


def test_a_test_with_all_its_parts_and_its_continuation(tmp_path: Path) -> None:
    files = {f"{FOLDER}/05.1-Testing_for_Rings.md": PART, f"{FOLDER}/05-Testing_for_Open_Queues.md": TEST}
    found = read(tmp_path, files)
    entity = found.entities[0]
    assert (entity.id, entity.type, entity.name) == ("wstg:WSTG-QUEU-05", "security-test", "Testing for Open Queues")
    assert entity.text == entity.fields["summary"] and entity.text.startswith("A queue without a bound")
    assert entity.fields["objectives"] == ["Find the queues.", "Assess the bounds."]
    assert entity.fields["how_to"] == "Black-Box Testing: Send requests and watch the length."
    assert entity.fields["remediation"] == "Bound the queue and answer that it is full."
    assert entity.fields["chapter"] == "Queue Testing"
    assert entity.uri.endswith("/4-Web_Application_Security_Testing/07-Queue_Testing/05-Testing_for_Open_Queues")
    assert [(link.subject, link.relation, link.object) for link in found.links] == [
        ("wstg:testing-for-rings", "child-of", "wstg:WSTG-QUEU-05")
    ]
    assert not [passage for passage in found.passages if "WSTG-QUEU-05|" in passage.text or "books" in passage.text]


def test_other_chapters_are_guides_and_lists_of_pages_are_none(tmp_path: Path) -> None:
    chapter = b"# Framework\n\n## Overview\n\n" + b"Testing belongs into every phase of development. " * 6
    files = {
        "document/3-Framework/1-Phases.md": chapter,
        f"{FOLDER}/README.md": CONTENTS,
        f"{FOLDER}/08-Gone.md": b"# Gone\n\nThis content has been removed.\n",
        f"{FOLDER}/05-A.md": TEST,
        f"{FOLDER}/06-B.md": TEST,
        f"{FOLDER}/07-Bytes.md": b"\xff",
        "../document/x.md": TEST,
    }
    found = read(tmp_path, files)
    assert [(entity.id, entity.type) for entity in found.entities] == [
        ("wstg:phases", "guide"), ("wstg:WSTG-QUEU-05", "security-test")
    ]  # fmt: skip
    assert Counter(one.reason for one in found.rejects) == {"no-prose": 2, "duplicate-id": 1, "not-utf8": 1, "unsafe-path": 1}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.binary(max_size=200), st.text(max_size=200))
def test_whatever_a_page_holds_the_rest_is_read(tmp_path: Path, noise: bytes, text: str) -> None:
    files = {"document/a.md": noise, f"{FOLDER}/04-B.md": text.encode(), f"{FOLDER}/05-Test.md": TEST}
    assert "wstg:WSTG-QUEU-05" in {entity.id for entity in read(tmp_path, files).entities}


@pytest.mark.mirror
def test_counts_of_the_guide(mirror: Path) -> None:
    found = read_with("owasp_wstg", {"pages": mirror / "sources/owasp-wstg/owasp-wstg-md.tar.gz"})
    assert len(found.entities) + len(found.rejects) == 161
    assert Counter(entity.type for entity in found.entities) == {"security-test": 120, "guide": 16}
    assert Counter(one.reason for one in found.rejects) == {"no-prose": 25}
    tests = [entity for entity in found.entities if entity.id.startswith("wstg:WSTG-")]
    assert len(tests) == 109 and sum("objectives" in entity.fields for entity in tests) >= 107
