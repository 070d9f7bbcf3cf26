import time

import pytest

from stages.public_benchmarks.text import MOST_CHARACTERS
from stages.public_benchmarks.vectors import base_score, base_vector, lenient_vector, strict_vector

METRICS = "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
WHOLE = f"CVSS:3.1/{METRICS}"
LISTED = """- **Attack Vector (AV)**: Network (N)
- **Attack Complexity (AC)**: Low (L)
- **Privileges Required (PR)**: None (N)
- **User Interaction (UI)**: None
- **Scope (S)**: Unchanged
- **Confidentiality (C)**: High
- Integrity Impact: High
- Availability: High"""


@pytest.mark.parametrize(
    ("text", "strict", "lenient"),
    [
        (WHOLE, True, True),
        (f"Reasons.\nCVSS:3.0/{METRICS}", True, True),
        (f"cvss:3.1/{METRICS.lower()}", True, True),
        ("CVSS:3.1/AC:L/AV:N/PR:N/UI:N/S:U/A:H/C:H/I:H", True, True),
        (f"{WHOLE}/E:F/RL:O", True, True),
        (METRICS, False, True),
        (f"({METRICS})", False, True),
        (f"`{WHOLE}`", False, True),
        (f"The vector is {WHOLE}.", False, True),
        (f"**Vector:** {WHOLE} (9.8, critical)", False, True),
        (f"CVSS v3.1: {METRICS}", False, True),
        (f"CVSS3.1/{METRICS}", False, True),
        (METRICS.replace("/", " / "), False, True),
        (METRICS.replace("/", ", "), False, True),
        (f"First CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H, then {WHOLE}", False, True),
        (rf"\boxed{{{WHOLE}}}", False, True),
        (f"{WHOLE}\n\nIf the scope changed, it were CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H.", False, True),
        (f"**{METRICS}**\n\nNot CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H, which is local.", False, True),
        (f"Answer: {WHOLE}\nWith a user: CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", False, True),
        (f"<answer>{METRICS}</answer> rather than AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", False, True),
        (LISTED, False, True),
        (LISTED.replace("**", ""), False, True),
        (f"{WHOLE.replace('AV:N', 'AV:X')}", False, False),
        (f"{WHOLE}/A:L", False, False),
        (WHOLE.rpartition("/")[0], False, False),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", False, False),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", False, False),
        ("The base score is 9.8.", False, False),
        ("", False, False),
    ],
)
def test_forms_of_a_vector(text: str, strict: bool, lenient: bool) -> None:
    assert strict_vector(text) == ([WHOLE] if strict else [])
    assert lenient_vector(text) == ([WHOLE] if lenient else [])


@pytest.mark.parametrize(
    ("metrics", "score"),
    [  # scores of the calculator at https://www.first.org/cvss/calculator/3.1
        ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", 0.0),
        ("AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
    ],
)
def test_base_scores(metrics: str, score: float) -> None:
    assert base_score(base_vector(f"CVSS:3.0/{metrics}")) == score


@pytest.mark.parametrize("unit", ["AV:N/", "CVSS:3.1/AV:N", "A:N,", "Attack Vector", "AV : N / ", "Scope (S)"])
def test_hostile_text_is_read_in_a_moment(unit: str) -> None:
    text = (unit * MOST_CHARACTERS)[:MOST_CHARACTERS]
    started = time.perf_counter()
    assert strict_vector(text) == [] == lenient_vector(text)
    assert time.perf_counter() - started < 2.0
