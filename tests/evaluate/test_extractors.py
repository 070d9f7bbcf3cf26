import time

import pytest

from stages.errors import InputError
from stages.evaluate.extractors import MOST_CHARACTERS, MOST_KEYS, extract, is_correct


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
    ],
)
def test_extractors_read_what_a_text_answers(kind: str, text: str, found: list[str]) -> None:
    assert extract(kind, text) == found


@pytest.mark.parametrize("kind", ["letter", "cwe", "technique", "yes-no"])
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
    found = extract(kind, unit * 200_000)
    assert time.perf_counter() - started < 1.0
    assert len(found) <= MOST_KEYS


def test_a_very_long_text_is_read_from_its_end() -> None:
    assert extract("cwe", "x" * 10 * MOST_CHARACTERS + "\nFinal answer: CWE-22") == ["CWE-22"]


def test_an_unknown_key_kind_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="cvss-vector[\\s\\S]*letter"):
        extract("cvss-vector", "text")


def test_naming_many_keys_is_not_right() -> None:
    assert is_correct(["CWE-79"], ["CWE-79", "CWE-80"])
    assert is_correct(["CWE-80", "CWE-79"], ["CWE-79", "CWE-80"])
    assert not is_correct(["CWE-79", "CWE-89"], ["CWE-79"])
    assert not is_correct([], ["CWE-79"])
