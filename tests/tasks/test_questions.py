"""What gives an answer away, and what is too little to ask about."""

import pytest

from stages.tasks.cve import cve_to_cwe, vulnerability_text
from stages.tasks.questions import gives_away, says_enough
from tests.tasks.drafted import known, skips
from tests.tasks.small_graph import entity, link


@pytest.mark.parametrize(
    ("text", "name", "given"),
    [
        ("A improper privilege management in the shop lets users in.", "Improper Privilege Management", True),
        ("Resources were allocated without any limit.", "Allocation of Resources Without Limits", True),
        ("An SQL injection in the till.", "SQL Injection", True),
        ("The till trusts what the customer types.", "Improper Privilege Management", False),
        ("An injection of cash saved the shop.", "Code Injection", False),
    ],
)
def test_a_text_that_says_the_name_in_other_forms_gives_it_away(text: str, name: str, given: bool) -> None:
    assert gives_away(text, name) is given


def test_a_procedure_whose_only_content_is_hidden_says_too_little() -> None:
    assert not says_enough("Team A has the ability to [...].")
    assert says_enough("Team A has the ability to open a door.")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "The till opens by itself.This issue affects tills: up to 2.",
            "The till opens by itself. This issue affects tills: up to 2.",
        ),
        (
            "The till opens by itself. --------- Begin Update A Part 1 of 2 --------- Nobody knows why.",
            "The till opens by itself. Nobody knows why.",
        ),
        (
            "The till of the shop opens. CVE-2020-1000 has been assigned to this vulnerability. A CVSS v3 base score of 7.3 has been "
            "assigned; the CVSS vector string is (AV:L/AC:L).",
            "The till of the shop opens.",
        ),
        ("** DISPUTED ** The till of the shop opens.. Nobody knows why.", "The till of the shop opens. Nobody knows why."),
        ("The till of the shop opens. The identifier VDB-1 was assigned to this vulnerability.", "The till of the shop opens."),
    ],
)
def test_marks_and_numbers_of_a_record_are_left_out(text: str, shown: str) -> None:
    one = entity("cve:CVE-2020-1000", "vulnerability", "CVE-2020-1000", text)
    assert vulnerability_text(known([one]), one, 60) == shown


@pytest.mark.parametrize(
    "text", ["Shop Till Remote Code Execution Vulnerability", "The till of the shop has an unspecified vulnerability."]
)
def test_a_bare_title_has_no_root_cause_to_find(text: str) -> None:
    entities = [
        entity("cve:CVE-2020-1000", "vulnerability", "CVE-2020-1000", text),
        entity("cwe:CWE-1", "weakness", "Careless Till"),
    ]
    assert skips(cve_to_cwe, known(entities, [link("cve:CVE-2020-1000", "instance-of", "cwe:CWE-1")])) == {
        "cve:CVE-2020-1000": "no-text"
    }
