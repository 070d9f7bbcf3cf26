import time

import pytest

from stages.public_benchmarks.text import MOST_CHARACTERS
from stages.public_benchmarks.weaknesses import lenient_weakness, strict_weakness

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
    # a remark after the answer
    ("CWE-79\n\nThis is a child of CWE-664.", "", "79"),
    ("CWE-79\n\nCWE-664 is its parent.", "", "79"),
    ("CWE-79\n\nRelated:\nCWE-664: Improper Control", "", "79"),
    ("**CWE-79**.\n\nExplanation: it is often confused with CWE-664", "", "79"),
    ("**CWE-79**; related are CWE-80 and CWE-116", "", "79"),
    ("The flaw is XSS, therefore **CWE-79**; related are CWE-80 and CWE-116.", "", "79"),
    ("CWE-79: Cross-site Scripting\n\nIt is broader than CWE-80, a variant.", "", "79"),
    ("**CWE-79**\n\n- CWE-80: too narrow\n- CWE-20: too wide", "", "79"),
    ("CWE-787 vs CWE-119: the first is better.\n\n**CWE-787**\n\nReason: CWE-119 is a parent", "", "787"),
    ("The weakness is **CWE-79**.\n\nIt is often confused with CWE-664.", "", "79"),
    ("This is CWE-79, a child of CWE-74 and CWE-707.", "", "79"),
    ("The CWE is CWE-79 (child of CWE-74).", "", "79"),
    ("It maps to CWE-89.\nIt does not map to CWE-79.", "", "89"),
    ("It is not CWE-79 but CWE-89", "", "89"),
    ("Answer: not CWE-79 but CWE-89", "", "89"),
    ("The weakness described is CWE-79. CWE-74 would be less specific.", "", "79"),
    ("CWE-79 is the best fit. CWE-74 is its parent.", "", "79"),
    ("CWE-79 is the most appropriate CWE here, since CWE-74 is too general.", "", "79"),
    ("CWE-74 is not the best fit, CWE-79 is.", "", "79"),
    ("Best match: CWE-79\nAlternative: CWE-80", "", "79"),
    ("**Primary:** CWE-79\n**Secondary:** CWE-80", "", "79"),
    ("The text points to CWE-79 (CWE-74 is broader).", "", "79"),
    ("This is an instance of CWE-79; CWE-80 may also apply.", "", "79"),
    ("It is a case of CWE-79.\nIts weakness is related to CWE-664.", "", "79"),
    # a remark before it
    ("CWE-20 and CWE-664 were weighed.\n\nCWE-79: Cross-site Scripting", "", "79"),
    ("Too wide: CWE-20.\n\n## CWE-79\n\nThank you.", "", "79"),
    ("<answer>CWE-79</answer> and not CWE-80", "", "79"),
    ('{"cwe": "CWE-79", "parent": "CWE-74"}', "", "79"),
    ("[CWE-79](https://cwe.mitre.org/data/definitions/79.html)", "", "79"),
    ("- CWE-79", "", "79"),
    ("Weakness: CWE-79\nParent: CWE-74", "", "79"),
    ("This is a child of CWE-664.", "", "664"),  # nothing else is named
    ("1. CWE-79\n2. CWE-80", "", "79 80"),
]


@pytest.mark.parametrize(("text", "strict", "lenient"), WEAKNESSES)
def test_a_weakness(text: str, strict: str, lenient: str) -> None:
    assert strict_weakness(text) == [f"CWE-{number}" for number in strict.split()]
    assert lenient_weakness(text) == [f"CWE-{number}" for number in lenient.split()]


@pytest.mark.parametrize(
    "unit", ["CWE-", "CWE-1, ", "maps to ", "answer ", "**CWE-1", "definitions/1", "CWE-1 is ", "- CWE-1\n", "CWE-1(", "not "]
)
def test_hostile_text_is_read_in_a_moment(unit: str) -> None:
    text = (unit * MOST_CHARACTERS)[:MOST_CHARACTERS]
    started = time.perf_counter()
    assert strict_weakness(text) == [] and len(lenient_weakness(text)) < 2
    assert time.perf_counter() - started < 2.0
