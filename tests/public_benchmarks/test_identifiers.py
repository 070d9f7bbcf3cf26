import time

import pytest

from stages.public_benchmarks.identifiers import lenient_techniques, lenient_weakness, strict_techniques, strict_weakness
from stages.public_benchmarks.text import MOST_CHARACTERS

WEAKNESSES = [
    ("CWE-79", "79", "79"),
    ("User input reaches a page.\nCWE-79", "79", "79"),
    ("Reasons.\ncwe-079", "79", "79"),
    ("**CWE-89**", "", "89"),
    ("CWE-89: SQL Injection", "", "89"),
    ("The CWE is CWE-89.", "", "89"),
    ("Final answer: CWE-79", "", "79"),
    ("Answer:\nCWE-22", "22", "22"),
    (r"\boxed{CWE-416}", "", "416"),
    ("CWE 79", "", "79"),
    ("CWE79", "", "79"),
    ("CWE‑787", "", "787"),  # a non-breaking hyphen
    ("CWE ID: CWE-119", "", "119"),
    ("Reasons.\n79", "", "79"),
    ("see https://cwe.mitre.org/data/definitions/22.html", "", "22"),
    ("It looks like CWE-20, but it maps to CWE-22, unlike CWE-23.\nThank you.", "", "22"),
    ("The most appropriate CWE is CWE-787 (out-of-bounds write), a child of CWE-119.", "", "787"),
    ("Answer: CWE-787 (child of CWE-119)", "", "787"),
    ("Both CWE-20 and CWE-79 were weighed; **CWE-79** it is, I believe.\nRegards", "", "79"),
    ("CWE-79 or CWE-80", "", "79 80"),
    ("Answer: CWE-79, CWE-80", "", "79 80"),
    ("CVE-2021-44228", "", ""),
    ("NVD-CWE-noinfo", "", ""),
    ("CWE-0", "", ""),
    ("I cannot determine the weakness.", "", ""),
    ("", "", ""),
]

TECHNIQUES = [
    ("T1059, T1003", "T1003 T1059", "T1003 T1059"),
    ("Reasons for T1071.\nT1059, T1003", "T1003 T1059", "T1003 T1059"),
    ("T1059.001, T1059.003, t1003", "T1003 T1059", "T1003 T1059"),
    ("**T1059, T1003**", "", "T1003 T1059"),
    ("Final answer: T1566.001; T1204", "", "T1204 T1566"),
    ("It uses T1071.\nThe ids are: T1059, T1003.", "", "T1003 T1059"),
    ("Ids:\n- T1059\n- T1003.001", "", "T1003 T1059"),
    ("T1059 - Command Interpreter\nT1003 - Credential Dumping", "", "T1003 T1059"),
    ("It calls T1059 and later T1003, as seen.\nThat is all.", "", "T1003 T1059"),
    ("AT1059 and T10599", "", ""),
    ("none", "", ""),
]


@pytest.mark.parametrize(("text", "strict", "lenient"), WEAKNESSES)
def test_a_weakness(text: str, strict: str, lenient: str) -> None:
    assert strict_weakness(text) == [f"CWE-{number}" for number in strict.split()]
    assert lenient_weakness(text) == [f"CWE-{number}" for number in lenient.split()]


@pytest.mark.parametrize(("text", "strict", "lenient"), TECHNIQUES)
def test_techniques_are_folded_sets(text: str, strict: str, lenient: str) -> None:
    assert strict_techniques(text) == strict.split()
    assert lenient_techniques(text) == lenient.split()


@pytest.mark.parametrize("unit", ["CWE-", "CWE-1, ", "maps to ", "answer ", "T1059.", "T1059, ", "**CWE-1", "definitions/1"])
def test_hostile_text_is_read_in_a_moment(unit: str) -> None:
    text = (unit * MOST_CHARACTERS)[:MOST_CHARACTERS]
    started = time.perf_counter()
    for read in (strict_weakness, lenient_weakness, strict_techniques, lenient_techniques):
        read(text)
    assert time.perf_counter() - started < 2.0
