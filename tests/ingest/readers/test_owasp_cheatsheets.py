"""Cheat sheets as guides, and the indexes that say what each helps with."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.ingest.records import Records
from tests.ingest.reading import read_with
from tests.ingest.test_containers import tar

SHEET = (
    b"# Queue Security Cheat Sheet\n\n## Introduction\n\nHow to bound a queue, in short.\n\n"
    b"### Limits\n\nSet a limit for each client.\n\n## References\n\nA book.\n"
)
TOP10 = b"# Index\n\n## [A01:2021 \xe2\x80\x93 Queues](https://example.org)\n\n- [Queue Security](cheatsheets/Queue_Security_Cheat_Sheet.md)\n"
ASVS = (
    b"# Index\n\n## V1: Queues\n\n### V1.2 Bounds\n\n[Queue](cheatsheets/Queue_Security_Cheat_Sheet.md)\n\n"
    b"### V1.3: Other\n\n- [Lost](cheatsheets/Lost_Cheat_Sheet.md)\n"
)
REQUIREMENTS = {"requirements": [{"section_id": "V1.2", "req_id": "V1.2.1"}, {"section_id": "V1.3", "req_id": "V1.3.1"}]}


def read(folder: Path, files: dict[str, bytes]) -> Records:
    (folder / "asvs.json").write_text(json.dumps(REQUIREMENTS))
    return read_with("owasp_cheatsheets", {"pages": tar(folder / "pages.tar.gz", files), "asvs": folder / "asvs.json"})


def test_a_sheet_is_a_guide_with_sections(tmp_path: Path) -> None:
    found = read(tmp_path, {"x/cheatsheets/Queue_Security_Cheat_Sheet.md": SHEET, "x/README.md": b"# No sheet"})
    entity = found.entities[0]
    assert (entity.id, entity.type, entity.name) == ("owasp-cheatsheet:queue-security", "guide", "Queue Security")
    assert entity.text == "How to bound a queue, in short."
    assert entity.fields["sections"] == [
        {"heading": "Introduction", "under": "", "text": "How to bound a queue, in short."},
        {"heading": "Limits", "under": "Introduction", "text": "Set a limit for each client."},
    ]
    assert [passage.title for passage in found.passages] == ["Queue Security: Introduction"]  # the other is too short


def test_indexes_link_guides_to_risks_and_requirements(tmp_path: Path) -> None:
    files = {"IndexTopTen.md": TOP10, "IndexASVS.md": ASVS, "cheatsheets/Queue_Security_Cheat_Sheet.md": SHEET}
    found = read(tmp_path, files)
    assert [(link.subject, link.relation, link.object) for link in found.links] == [
        ("owasp-cheatsheet:queue-security", "covers", "owasp-top10:A01-2021"),
        ("owasp-cheatsheet:queue-security", "related-to", "asvs:5.0.0/V1.2.1"),
    ]
    assert [(one.record, one.reason) for one in found.rejects] == [("IndexASVS.md owasp-cheatsheet:lost", "no-such-guide")]


def test_a_sheet_out_of_use_is_marked(tmp_path: Path) -> None:
    found = read(tmp_path, {"cheatsheets/A_Cheat_Sheet.md": b"# DEPRECATED: A Cheat Sheet\n\nSee the other sheet for this.\n"})
    assert found.entities[0].deprecated


def test_what_is_no_guide_is_a_reject_and_the_rest_is_read(tmp_path: Path) -> None:
    files = {
        "cheatsheets/Empty.md": b"# Empty\n\n- [a](b.md)\n",
        "cheatsheets/Bytes.md": b"# \xff\xfe",
        "cheatsheets/XSS_Filter_Evasion_Cheat_Sheet.md": b"# Strings\n\nMany of them.\n",
        "../cheatsheets/Out.md": SHEET,
        "cheatsheets/Queue_Security_Cheat_Sheet.md": SHEET,
    }
    found = read(tmp_path, files)
    assert len(found.entities) == 1
    assert Counter(one.reason for one in found.rejects) == {"no-prose": 1, "not-utf8": 1, "attack-strings": 1, "unsafe-path": 1}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.binary(max_size=200), st.text(max_size=200))
def test_whatever_a_sheet_holds_the_rest_is_read(tmp_path: Path, noise: bytes, text: str) -> None:
    files = {"cheatsheets/A.md": noise, "IndexASVS.md": noise, "IndexTopTen.md": text.encode(), "cheatsheets/B.md": text.encode()}
    found = read(tmp_path, files | {"cheatsheets/Queue_Security_Cheat_Sheet.md": SHEET})
    assert "owasp-cheatsheet:queue-security" in {entity.id for entity in found.entities}


@pytest.mark.mirror
def test_counts_of_the_series(mirror: Path) -> None:
    pages = mirror / "sources/owasp-cheatsheets/owasp-cheatsheets-md.tar.gz"
    asvs = next((mirror / "sources/owasp-asvs").glob("*5.0.0*.flat.json"))
    found = read_with("owasp_cheatsheets", {"pages": pages, "asvs": asvs})
    assert len(found.entities) == 119  # of 125 pages: four indexes, the licence, a list of attack strings
    assert Counter(one.reason for one in found.rejects) == {"no-such-guide": 2, "attack-strings": 1}
    assert Counter(link.relation for link in found.links) == {"related-to": 922, "covers": 44}
