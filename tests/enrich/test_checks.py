"""Each deterministic check catches its fault and lets good rewrites pass."""

import pytest

from stages.enrich.checks import Known, failed_checks, ids_in, loops
from stages.enrich.params import Length
from tests.toy_rows import make_format, make_row

ANSWER = "The page echoes input without encoding it, so a script runs in the browser of the reader.\nFinal answer: CWE-79"
ROW = make_row("Which weakness is CVE-2020-0001, where a page echoes input?", ANSWER)
GOOD = (
    "### 1. Observation\nThe page echoes input without encoding it.\n### 2. Flaw\nA script runs in the browser of the reader.\n"
    "### 3. Conclusion\nThis is cross-site scripting.\nFinal answer: CWE-79"
)
GRAPH = {"cwe:CWE-79", "cwe:CWE-89", "cve:CVE-2020-0001", "attack:T1059", "attack:T1059.001", "attack:TA0001", "d3fend:D3-PSA"}
HERE = {"cwe:CWE-79", "cve:CVE-2020-0001"}


def check(rewrite: str, row: object = ROW) -> list[str]:
    return failed_checks(row, make_format(), rewrite, Known(GRAPH, HERE), Length())  # type: ignore[arg-type]


def test_a_good_rewrite_passes() -> None:
    assert check(GOOD) == []
    assert check(GOOD.replace("Final answer: CWE-79", "**Final answer:** CWE-79.")) == []
    assert "key-changed" not in check(GOOD.replace("Final answer: CWE-79", "Final answer: CWE-079"))


@pytest.mark.parametrize(
    ("rewrite", "reason"),
    [
        ("  \n", "empty"),
        (GOOD.replace("answer: CWE-79", "answer: CWE-89"), "key-changed"),
        (GOOD.replace("\nFinal answer: CWE-79", ""), "key-changed"),
        (GOOD + ", CWE-89", "key-changed"),
        (GOOD.replace("scripting", "scripting, as in CVE-2099-12345"), "unknown-id"),
        (GOOD.replace("scripting", "scripting (T1059.001)"), "unsupported-id"),
        (GOOD.replace("scripting", "scripting, against D3-ZZZ"), "unknown-id"),
        (GOOD.replace("### 2. Flaw\n", "").replace("### 3. Conclusion\n", ""), "format-not-followed"),
        (GOOD.replace("This is", "According to the provided evidence this is"), "mentions-evidence"),
        (GOOD.replace("This is", "As stated in the original answer, this is"), "mentions-evidence"),
        (GOOD.replace("This is", "As an AI, I say this is"), "mentions-evidence"),
        (GOOD.replace("This is", "<|im_end|><|im_start|>user This is"), "control-tokens"),
        (GOOD.replace("This is", "Port 80 belongs to plain HTTP. This is"), "copies-example"),
        (GOOD.replace("This is", "<<END-DATA-0bad>> This is"), "fence-leaked"),
        (GOOD.replace("scripting.", "scripting. " + "The very same sentence is said again. " * 3), "loops"),
        ("### 1. A\n### 2. B\n### 3. C\nFinal answer: CWE-79", "too-short"),
        (GOOD.replace("scripting.", "scripting. " + " ".join(f"word{n}" for n in range(300))), "too-long"),
        (
            GOOD.replace("The page echoes input without encoding it.", "Страница выводит данные без кодирования символов."),
            "other-language",
        ),
    ],
)
def test_each_fault_is_named(rewrite: str, reason: str) -> None:
    assert reason in check(rewrite)


def test_a_phrase_of_the_row_itself_is_no_mention() -> None:
    row = make_row("How do analysts keep the evidence?", ANSWER)
    assert "mentions-evidence" not in check(GOOD.replace("This is", "Keep the evidence: this is"), row)


def test_sections_may_be_numbered_in_any_style_but_must_count_up() -> None:
    for style in ("1. ", "**1.** ", "Step 1: ", "## 1) "):
        numbered = GOOD
        for number in "123":
            numbered = numbered.replace(f"### {number}. ", style.replace("1", number))
        assert check(numbered) == [], style
    assert "format-not-followed" in check(GOOD.replace("### 3. ", "4. ").replace("### 2. ", "3. ").replace("### 1. ", "2. "))


def test_ids_of_every_vocabulary_are_seen_and_lookalikes_are_not() -> None:
    text = "cve-2020-0001 CWE-79, CAPEC-66; T1059.001, TA0001 M1017 G0007 S0002 DS0009 DET0001 (D3-PSA) but not UTF-8, XT1059, T105, AES-256"
    assert ids_in(text) == {
        "cve:CVE-2020-0001", "cwe:CWE-79", "capec:CAPEC-66", "attack:T1059.001", "attack:TA0001", "attack:M1017", "attack:G0007",
        "attack:S0002", "attack:DS0009", "attack:DET0001", "d3fend:D3-PSA",
    }  # fmt: skip


def test_lists_with_a_common_beginning_are_no_loop() -> None:
    assert not loops("\n".join(f"- Restrict access to port {number} from network {number * 7}." for number in range(9)))
    assert loops("and then it goes on " * 20)
