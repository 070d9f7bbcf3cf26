import time

import pytest

from stages.public_benchmarks.techniques import lenient_techniques, strict_techniques
from stages.public_benchmarks.text import MOST_CHARACTERS

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
    ("T1059\nT1003", "T1003", "T1003 T1059"),
    ("1. T1059\n2. T1003", "", "T1003 T1059"),
    ("| T1059 | Command |\n| T1003 | Dumping |", "", "T1003 T1059"),
    ("**T1059** and **T1003**", "", "T1003 T1059"),
    ("- T1059: shell\n- T1071: web\n\nT1059, T1003", "T1003 T1059", "T1003 T1059"),
    ("- Shell (T1059): seen\n- Dumping (T1003): seen", "", "T1003 T1059"),
    ("Shell (T1059)\nDumping (T1003)", "", "T1003 T1059"),
    # a remark after the answer
    ("T1059, T1071\n\nNote: T1003 was considered but not observed.", "", "T1059 T1071"),
    ("T1059, T1071\n\nT1003 may be used too.", "", "T1059 T1071"),
    ("T1059, T1071\n\nThe malware does not use T1003.", "", "T1059 T1071"),
    ("T1059\n\nNote: T1003 was considered but not observed.", "", "T1059"),
    ("- T1059: Command\n- T1071: App\n\nThese are all; T1003 is unlikely.", "", "T1059 T1071"),
    ("- T1059: it does not use PowerShell\n- T1071: App\n- T1003: not observed\n\nThat is all.", "", "T1059 T1071"),
    ("Techniques: T1059, T1071\nNote: T1003 may be added.", "", "T1059 T1071"),
    ("It calls T1059 and T1071. There is no evidence of T1003.", "", "T1059 T1071"),
    ("Execution:\n- T1059 Shell\nPersistence:\n- T1547 Autostart\nIn all, a plain tool.", "", "T1059 T1547"),
    ("<answer>T1059, T1003</answer>", "", "T1003 T1059"),
    ("There is no evidence of T1003.", "", ""),
]


@pytest.mark.parametrize(("text", "strict", "lenient"), TECHNIQUES)
def test_techniques_are_folded_sets(text: str, strict: str, lenient: str) -> None:
    assert strict_techniques(text) == strict.split()
    assert lenient_techniques(text) == lenient.split()


@pytest.mark.parametrize("unit", ["T1059.", "T1059, ", "T1059 and ", "T1059\n", "- T1059: ", "not ", "T1059 not ", ": "])
def test_hostile_text_is_read_in_a_moment(unit: str) -> None:
    text = (unit * MOST_CHARACTERS)[:MOST_CHARACTERS]
    started = time.perf_counter()
    strict_techniques(text), lenient_techniques(text)
    assert time.perf_counter() - started < 2.0
