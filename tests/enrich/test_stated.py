"""Numbers and quoted names: invented ones are found, and a faithful text in other words is left alone."""

import time

import pytest

from stages.enrich.calibration import load_pairs
from stages.enrich.stated import unsupported_numbers, unsupported_quotes

SOURCE = (
    "Versions before 2.4.49 of the server on port 8443 let 1,024 clients in (CVE-2021-44228, seven of twenty hosts, 85%). "
    'The file "Web.Config" sets `debugMode=true`. CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'
)


@pytest.mark.parametrize(
    "text",
    [
        "Servers before 2.4.49 are hit, so 2.4 is old; the year was 2021.",
        "v2.4.49 listens on 8443.",
        "1024 clients and 1,024 clients are the same 85 %.",
        "7 of 20 hosts.",
        "### 14. A heading\n- 15. An entry\n**Step 16:** more",
        "As step 3 says, option 14 is out.",
        "There are 3 reasons and 12 files.",
        "CVE-2021-44228, T1059.001, SC-7(28), SHA-256, IPv6 and Log4Shell are no numbers.",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H and AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "",
    ],
)
def test_what_the_sources_hold_in_any_form_is_supported(text: str) -> None:
    assert unsupported_numbers(text, [SOURCE]) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It was fixed in 2.4.50.", ["2.4.50"]),
        ("Versions before v2.5 are hit.", ["v2.5"]),
        ("The score is 9.8.", ["9.8"]),
        ("It came out on 10 December 2022.", ["2022"]),
        ("About 5% fall.", ["5%"]),
        ("Some 65,000 hosts.", ["65,000"]),
        ("The address is 10.0.4.7.", ["10.0.4.7"]),
        ("It is AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H.", ["AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"]),
        ("Port 443 and port 443 again.", ["443", "443"]),
    ],
)
def test_an_invented_number_version_date_or_vector_is_found(text: str, found: list[str]) -> None:
    assert unsupported_numbers(text, ["Nothing.", SOURCE]) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('The file "web.config" and `debugMode = true`.', []),
        ('It is a so-called "silent" failure.', []),
        ('The tool "MegaScan" finds it.', ["MegaScan"]),
        ("Run `chmod 600 key` first.", ["chmod 600 key"]),
        ("“Acme Gateway” is hit.", ["Acme Gateway"]),
        ("It's the vendor's and not the users' fault.", []),
    ],
)
def test_a_quoted_name_has_words_of_a_source(text: str, found: list[str]) -> None:
    assert unsupported_quotes(text, [SOURCE]) == found


def test_no_good_text_of_the_judges_examination_is_refused_and_some_changed_numbers_are() -> None:
    pairs = [(pair, [pair.instruction, pair.reference]) for pair in load_pairs(0)]
    refused = [
        pair.good for pair, known in pairs if unsupported_numbers(pair.good, known) or unsupported_quotes(pair.good, known)
    ]
    assert len(pairs) >= 200 and refused == []
    assert any(unsupported_numbers(pair.spoilt, known) for pair, known in pairs)


@pytest.mark.parametrize(
    "hostile", ["9" * 60_000, "1," * 30_000, '"' * 60_000, "`a" * 30_000, "A:B/" * 15_000, "1." * 30_000, "A1-" * 20_000]
)
def test_hostile_text_takes_no_time(hostile: str) -> None:
    started = time.perf_counter()
    unsupported_numbers(hostile, [hostile[:100]])
    unsupported_quotes(hostile, [SOURCE])
    assert time.perf_counter() - started < 2
