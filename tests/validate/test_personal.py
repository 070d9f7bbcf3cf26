import pytest

from stages.validate.personal import find_personal


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Write to jane.doe@corp.co.uk today", ["jane.doe@corp.co.uk"]),
        ("(j.smith@mail.corp.com)", ["j.smith@mail.corp.com"]),
        ("Call +1 775-215-1818 now", ["+1 775-215-1818"]),
        ("Call +49 (30) 1234 5678.", ["+49 (30) 1234 5678"]),
        ("or (800) 225-6480, or 503-629-0887", ["(800) 225-6480", "503-629-0887"]),
    ],
)
def test_addresses_and_numbers_of_people_are_found(text: str, found: list[str]) -> None:
    assert [text[span.start : span.end] for span in find_personal(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "Report to psirt@vendor.com, product.security@vendor.com or support.energy@vendor.com.",
        "user jsmith@example.com, a@b.test, root@localhost",
        "git@github.com:org/repo.git",
        "before 2.14.3-1046, from 10.0.0.1 to 10.20.30.40, on 2024-05-17, CVE-2021-44228, RFC 5280-4-2-1-10",
        "555-0100 and 555-010-1234 are fiction; +5 100 is a number",
        "jsmith@email.com, a.jones@contoso.com, 415-555-6103, +1 (800) 555-1212, (123) 456-7890, +44 20 7946 0958",
        "@property def x; npm i @scope/package@1.2.3",
    ],
)
def test_functions_reserved_names_and_versions_are_not_personal(text: str) -> None:
    assert find_personal(text) == []
