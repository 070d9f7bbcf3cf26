import pytest

from stages.validate.personal import find_personal


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Write to jane.doe@corp.co.uk today", ["jane.doe@corp.co.uk"]),
        ("(j.smith@mail.corp.com)", ["j.smith@mail.corp.com"]),
        ("Call +1 775-215-1818 now", ["+1 775-215-1818"]),
        ("Call +49 (30) 1234 5678.", ["+49 (30) 1234 5678"]),
        ("+49 30 12345678, +14158675309, or +33612345678", ["+49 30 12345678", "+14158675309", "+33612345678"]),
        ("anna.support@corp.co.uk, maria.root@corp.co.uk", ["anna.support@corp.co.uk", "maria.root@corp.co.uk"]),
        ("card=4539578309123740, 4539 5783 0912 3740", ["4539578309123740", "4539 5783 0912 3740"]),
        ("Amex 378291045561239; test 4111-1111-1111-1111.", ["378291045561239", "4111-1111-1111-1111"]),
        (
            "IBAN DE44500105175407324931 or GB85 LOYD 3094 5512 3456 78.",
            ["DE44500105175407324931", "GB85 LOYD 3094 5512 3456 78"],
        ),
        ("SSN: 536-22-8741, social security number is 123456789", ["536-22-8741", "123456789"]),
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
        "+15550100200, +12025550123, +12345678901 and john.doe@example.com",
        "id 4539578309123741, 1700000000000000, 4539578309123740aa, 0000-0000-0000-0000, DE44500105175407324932",
        "ssn 000-12-3456, SSN field, 536-22-8741 alone, test.user@vendor.com, support.emea@vendor.com",
        "@property def x; npm i @scope/package@1.2.3",
    ],
)
def test_functions_reserved_names_and_versions_are_not_personal(text: str) -> None:
    assert find_personal(text) == []
