"""Risk categories with their weaknesses, and the chapters around them."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.ingest.records import Records
from tests.ingest.reading import read_with
from tests.ingest.test_containers import tar

CATEGORY = (
    '# A03:2031 – Open Queues    ![icon](a.png){: style="height:80px"}\n\n## Factors\n\n| CWEs Mapped |\n|:--:|\n| 2 |\n\n'
    "## Overview\n\nNotable is *CWE-999: Not Mapped* here.\n\n## Description \n\nA queue has no bound.\n\n"
    "## How to Prevent\n\n-   Bound it.\n\n## Example Attack Scenarios\n\n**Scenario #1:** A client fills it:\n\n```\nx\n```\n\n"
    "## References\n\n- A book\n\n## List of Mapped CWEs\n\n[CWE-770 Limits](https://cwe.mitre.org/data/definitions/770.html)\n\n"
    "* [CWE-20 Input](https://cwe.mitre.org/data/definitions/20.html)\n"
).encode()


def read(folder: Path, files: dict[str, bytes]) -> Records:
    return read_with("owasp_top10", {"pages": tar(folder / "pages.tar.gz", files)})


def test_a_category_includes_its_weaknesses(tmp_path: Path) -> None:
    found = read(tmp_path, {"2031/docs/en/A03_2031-Open_Queues.md": CATEGORY})
    entity = found.entities[0]
    assert (entity.id, entity.type, entity.name) == ("owasp-top10:A03-2031", "risk-category", "Open Queues")
    assert entity.text == "Notable is CWE-999: Not Mapped here."
    assert {key: entity.fields[key] for key in ("description", "prevention", "cwe", "rank", "edition")} == {
        "description": "A queue has no bound.",
        "prevention": "- Bound it.",
        "cwe": ["CWE-20", "CWE-770"],
        "rank": "A03",
        "edition": "2031",
    }
    assert [(link.relation, link.object) for link in found.links] == [("includes", "cwe:CWE-20"), ("includes", "cwe:CWE-770")]


def test_headings_of_the_later_edition_with_full_stops(tmp_path: Path) -> None:
    page = CATEGORY.replace(b"## Overview", b"## Background. ").replace(b"## How to Prevent", b"## How to prevent. ")
    fields = read(tmp_path, {"a.md": page.replace("2031 – Open".encode(), b"2031 Open")}).entities[0].fields
    assert fields["prevention"] == "- Bound it."


def test_chapters_are_guides_and_what_says_nothing_is_a_reject(tmp_path: Path) -> None:
    long = b"# Starting\n\n" + b"A programme of security starts with a list of what is there. " * 10 + b"\n\n## Then\n\nGo on.\n"
    files = {
        "2031/docs/en/0x01_2031-Starting.md": long,
        "2031/docs/en/0x00_2031-notice.md": long,
        "2031/docs/en/short.md": b"# Short\n\nNothing.\n",
        "2031/docs/en/bytes.md": b"\xff\xfe",
        "2031/docs/en/A03_2031-One.md": CATEGORY,
        "2031/docs/en/A03_2031-Two.md": CATEGORY,
    }
    found = read(tmp_path, files)
    assert [entity.id for entity in found.entities] == ["owasp-top10:0x01-starting-2031", "owasp-top10:A03-2031"]
    assert Counter(one.reason for one in found.rejects) == {
        "about-the-project": 1,
        "no-prose": 1,
        "not-utf8": 1,
        "duplicate-id": 1,
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.binary(max_size=200), st.text(max_size=200))
def test_whatever_a_page_holds_the_rest_is_read(tmp_path: Path, noise: bytes, text: str) -> None:
    files = {
        "a.md": noise,
        "b.md": b"# A09:2031 - " + text.encode() + b"\n## List of Mapped CWEs\nCWE-1\n",
        "2031/c.md": CATEGORY,
    }
    assert "owasp-top10:A03-2031" in {entity.id for entity in read(tmp_path, files).entities}


@pytest.mark.mirror
def test_counts_of_two_editions(mirror: Path) -> None:
    found = read_with("owasp_top10", {"pages": mirror / "sources/owasp-top10/owasp-top10-en-md.tar.gz"})
    assert len(found.entities) + len(found.rejects) == 34
    categories = [entity for entity in found.entities if entity.type == "risk-category"]
    assert len(categories) == 20 and all(len(entity.fields) == 6 for entity in categories)
    assert Counter(link.relation for link in found.links) == {"includes": 446}
    factors = {"A01-2021": 34, "A10-2021": 1, "A01-2025": 40, "A09-2025": 5}  # as the pages' own tables of factors say
    assert {key: len(e.fields["cwe"]) for e in categories if (key := e.id.split(":")[1]) in factors} == factors
