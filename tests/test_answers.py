import time

import pytest

from stages.answers import KINDS, MOST_CHARACTERS, MOST_KEYS, answered_keys, final_keys

VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("cwe", "Weakness: Cross-site Scripting\nFinal answer: CWE-79", ["CWE-79"]),
        ("cwe", "final ANSWER :  cwe-079.", ["CWE-79"]),
        ("cwe", "**Final answer:** CWE‑89, CWE-20", ["CWE-89", "CWE-20"]),
        ("cwe", "Final answer: CWE-1\nno, wait\nFinal answer: CWE-2", ["CWE-2"]),
        ("cwe", "It is CWE-20, rather CWE-79 I think", ["CWE-79"]),
        ("cwe", "It may be CWE-20.\nFinal answer: unknown", []),
        ("cwe", "Final answer:", []),
        ("cwe", "CWE-0", []),
        ("cwe", "CWE-123456789", []),
        ("cwe", "CVE-2021-44228", []),
        ("cwe", "", []),
        ("letter", "Final answer: B", ["B"]),
        ("letter", "Final answer: (c)", ["C"]),
        ("letter", "Final answer: A, C", ["A", "C"]),
        ("letter", "B.", ["B"]),
        ("letter", "I think that the answer is (D) because", ["D"]),
        ("letter", "A reader writes past a buffer.", []),
        ("letter", "Option Beta is right", []),
        ("letter", "Final answer: Don't know", []),
        ("technique", "Final answer: T1059.001", ["T1059.001"]),
        ("technique", "T1059, then t1003", ["T1003"]),
        ("technique", "AT1059 and T10599", []),
        ("yes-no", "Reasoning: no direct link.\nFinal answer: Yes", ["Yes"]),
        ("yes-no", "NO, it does not", ["No"]),
        ("yes-no", "Nothing known yesterday", []),
        ("yes-no", "Final answer: perhaps", []),
        ("letter", "**Final Answer**: b", ["B"]),
        ("letter", "**Final Answer: B**", ["B"]),
        ("id", "Final answer: SC-7(28).", ["SC-7(28)"]),
        ("id", "Final answer: **sc-7 (28)**, (D3-PSA), TA0002", ["SC-7(28)", "D3-PSA", "TA0002"]),
        ("id", "It is SC-7", []),
        ("vector", f"Final answer: {VECTOR}", [VECTOR]),
        ("vector", "Final answer: `av:n/ac:l/pr:n/ui:n/s:u/c:h/i:h/a:h`.", [VECTOR]),
        ("vector", "Final answer: CVSS:3.1/AC:L/AV:N/PR:N/UI:N/S:U/C:H/A:H/I:H", [VECTOR]),
        ("vector", f"First CVSS:3.0/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H, then {VECTOR}", [VECTOR]),
        ("vector", "Final answer: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", []),
        ("vector", "Final answer: CVSS:3.1/AV:N/AC:M/PR:N/UI:N/S:U/C:H/I:H/A:H", []),
        ("vector", "Final answer: CVSS:3.1/AV:N/AV:N/PR:N/UI:N/S:U/C:H/I:H/A:H", []),
    ],
)
def test_extractors_read_what_a_text_answers(kind: str, text: str, found: list[str]) -> None:
    assert answered_keys(kind, text) == found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "unit",
    [
        "Final answer: ",
        "final answer ",
        "CWE-",
        "CWE-0000",
        "answer is ((((",
        "T1059.",
        " \t",
        "\x00\ud7ff\u202e",
        "Final answer: CWE-1,A,T1000 \n",
    ],
)
def test_extractors_are_fast_and_bounded_on_hostile_text(kind: str, unit: str) -> None:
    started = time.perf_counter()
    found = answered_keys(kind, unit * 200_000)
    assert time.perf_counter() - started < 1.0
    assert len(found) <= MOST_KEYS


def test_a_very_long_text_is_read_from_its_end() -> None:
    assert answered_keys("cwe", "x" * 10 * MOST_CHARACTERS + "\nFinal answer: CWE-22") == ["CWE-22"]


def test_final_keys_come_from_a_final_line_alone() -> None:
    assert final_keys("letter", "The final answer is B") == []
    assert final_keys("cwe", "It is CWE-79.") == []
    assert final_keys("cwe", "Final answer: CWE-079, cwe-89") == ["CWE-79", "CWE-89"]


@pytest.mark.parametrize(
    ("kind", "text", "keys"),
    [
        ("letter", "Final answer:\nB", ["B"]),
        ("cwe", "The flaw is CWE-79.\nFinal answer:\nCWE-79", ["CWE-79"]),
        ("cwe", "Final answer: CWE-79\nFinal answer:", ["CWE-79"]),
        ("letter", "Final answer: B. A firewall", ["B"]),
        ("letter", "Final answer: A. B. C", ["A", "B", "C"]),
        ("cwe", "It looks like CWE-20.\nFinal answer: none of them", []),
    ],
)
def test_forms_that_models_write(kind: str, text: str, keys: list[str]) -> None:
    assert final_keys(kind, text) == keys
    assert answered_keys(kind, text) == keys
