"""Each deterministic check catches its fault and lets good rewrites pass."""

import pytest

from stages.control_tokens import has_control_tokens
from stages.enrich.checks import (
    CHECK_MEANINGS,
    LONGEST_WORD,
    MOST_WORDS,
    Known,
    loops,
    run_checks,
    steps_found,
)
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


def failed(rewrite: str, known: Known, row: object = ROW) -> list[str]:
    """Sorted names of the checks that `rewrite` fails."""
    results = run_checks(row, make_format(), rewrite, known, Length())  # type: ignore[arg-type]
    return sorted(result.name for result in results if not result.passed)


def check(rewrite: str, row: object = ROW) -> list[str]:
    return failed(rewrite, Known(GRAPH, HERE), row)


def words_of(reason: str, rewrite: str, row: object = ROW) -> list[str]:
    """The words that failed one check; a check that passed has none."""
    results = run_checks(row, make_format(), rewrite, Known(GRAPH, HERE), Length())  # type: ignore[arg-type]
    assert all(result.passed != bool(result.words) for result in results)
    return next(result.words for result in results if result.name == reason)


def test_a_good_rewrite_passes() -> None:
    assert check(GOOD) == []
    assert check(GOOD.replace("Final answer: CWE-79", "**Final answer:** CWE-79.")) == []
    assert "key-changed" not in check(GOOD.replace("Final answer: CWE-79", "Final answer: CWE-079"))
    assert "key-changed" not in check(GOOD.replace("Final answer: CWE-79", "**Final answer:**\n**CWE-79**\n\n---"))
    assert "key-changed" not in check(GOOD.replace("### 2.", "Final answer: CWE-79\n### 2."))
    assert "unknown-id" not in check(GOOD.replace("This is", "This is _CWE-79_ (CWE: 79, CWE79), i.e."))


@pytest.mark.parametrize(
    ("rewrite", "reason"),
    [
        ("  \n", "empty"),
        (GOOD.replace("answer: CWE-79", "answer: CWE-89"), "key-changed"),
        (GOOD.replace("\nFinal answer: CWE-79", ""), "key-changed"),
        (GOOD + ", CWE-89", "key-changed"),
        (GOOD + "\nOn reflection it is another one.", "text-below-answer"),
        (GOOD.replace("### 2.", "Final answer: CWE-89\n### 2."), "key-changed"),
        (GOOD + "\nA flaw like CWE99999 is older.", "unknown-id"),
        (GOOD.replace("### 3.", "See _T9999_ and CWE_99999.\n### 3."), "unknown-id"),
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


SENTENCE = "The very same sentence is said again"
NUMBERED = "1. A\n2. B\n3. C\n"


@pytest.mark.parametrize(
    ("reason", "rewrite", "words"),
    [
        ("empty", " \n", ["no word was written"]),
        ("unknown-id", f"{GOOD} cve-2099-1 CVE-2099-12345, cwe-4711, CVE-2099-12345", ["CVE-2099-12345", "cwe-4711"]),
        ("unsupported-id", GOOD.replace("scripting", "scripting (t1059.001 and TA0001)"), ["t1059.001", "TA0001"]),
        ("key-changed", GOOD.replace("answer: CWE-79", "answer: CWE-89"), ["Final answer: CWE-89 instead of CWE-79"]),
        ("key-changed", GOOD + ", CWE-89", ["Final answer: CWE-79, CWE-89 instead of CWE-79"]),
        ("key-changed", GOOD.replace("\nFinal answer: CWE-79", ""), ['no final answer line instead of "Final answer: CWE-79"']),
        (
            "key-changed",
            GOOD.replace("Final answer: CWE-79", "The final answer should be scripting"),
            ['"The final answer should be scripting" instead of "Final answer: CWE-79"'],
        ),
        ("mentions-evidence", GOOD.replace("This is", "The provided evidence, and As an AI I, say this is"), ["provided evidence", "As an AI"]),
        ("loops", GOOD.replace("scripting.", f"scripting. {SENTENCE}. {SENTENCE.upper()}! {SENTENCE}."), [SENTENCE]),
        ("loops", "And then it goes on " * 20, ["And then it goes"]),
        ("copies-example", GOOD.replace("This is", "Port 80 belongs to plain HTTP. This is"), ["Port 80 belongs to plain HTTP."]),
        ("too-short", "### 1. A\nsome words\n### 2. B\n### 3. C\nFinal answer: CWE-79", ["5 words, at least 12"]),
        ("too-long", "word " * 300, ["300 words, at most 240"]),
        ("format-not-followed", GOOD.replace("### 2. Flaw\n", "").replace("### 3. Conclusion\n", ""), ["no section for step 2, 3"]),
        ("format-not-followed", "1. A\n3. C\n2. B\n", ["the sections stand in the order 1, 3, 2"]),
        ("format-not-followed", "### A\n### B\n", ["2 headings for 3 steps"]),
        ("format-not-followed", "Only prose.", ["no section for any of the 3 steps"]),
        ("fence-leaked", GOOD.replace("This is", "<<END-DATA-0bad>> This is"), ["<<END-DATA-0bad>>"]),
        ("other-language", GOOD.replace("The page echoes input", "Страница выводит input данные"), ["Страница", "выводит", "данные"]),
        ("other-language", "gallery " * 45, ["0 of 45 words are common English words, at least 3"]),
    ],
)  # fmt: skip
def test_a_failed_check_shows_the_words_that_failed_it(reason: str, rewrite: str, words: list[str]) -> None:
    assert words_of(reason, rewrite) == words


def test_a_control_token_is_shown_but_is_none_any_more() -> None:
    (word,) = words_of("control-tokens", GOOD.replace("This is", "<|im_start|>user This is"))
    assert "im_start" in word and not has_control_tokens(word)


def test_a_good_rewrite_passes_every_check_in_a_fixed_order() -> None:
    good, bad = (run_checks(ROW, make_format(), text, Known(GRAPH, HERE), Length()) for text in (GOOD, "<s>" + SENTENCE * 99))
    assert all(result.passed and result.words == [] for result in good)
    assert [result.name for result in good] == [result.name for result in bad] and len(good) == 16


def test_words_are_bounded_and_stand_on_one_line_whatever_the_text() -> None:
    hostile = "\n".join(f"CVE-2099-{number}{'9' * 300}\x1b[31m" for number in range(10_000, 10_050)) + "as an\nai " * 50
    for result in run_checks(ROW, make_format(), hostile, Known(GRAPH, HERE), Length()):
        assert len(result.words) <= MOST_WORDS and all(0 < len(word) <= LONGEST_WORD for word in result.words)
        assert not any("\n" in word for word in result.words)
    assert len(words_of("unknown-id", hostile)) == MOST_WORDS


def test_every_reason_has_one_sentence_for_people() -> None:
    names = {result.name for result in run_checks(ROW, make_format(), GOOD, Known(GRAPH, HERE), Length())}
    judged = {"less-readable", "not-factual", "judge-unparsed", "judge-not-calibrated"}
    assert set(CHECK_MEANINGS) == names | judged | {"truncated", "call-failed", "format-does-not-suit", "unsupported-claim"}
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in CHECK_MEANINGS.values())


@pytest.mark.parametrize(
    ("rewrite", "found"),
    [(GOOD, 3), (NUMBERED, 3), (NUMBERED + "4. D", 3), ("1. A\n3. C", 1), ("## A\n## B", 2), ("", 0), ("prose", 0)],
)
def test_steps_that_have_a_section_are_counted_and_no_more_than_there_are(rewrite: str, found: int) -> None:
    assert steps_found(rewrite, 3) == found


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


def test_lists_with_a_common_beginning_are_no_loop() -> None:
    assert not loops("\n".join(f"- Restrict access to port {number} from network {number * 7}." for number in range(9)))
    assert loops("and then it goes on " * 20)


def test_numbers_and_quoted_names_must_stand_in_a_source() -> None:
    text = GOOD.replace("This is", 'Since 4.7.1 the "MegaScan" says 9.8: this is')
    assert check(text) == ["unsupported-number", "unsupported-quote"]
    known = Known(GRAPH, HERE, ["MegaScan 4.7.1 rates it 9.8."])
    assert failed(text, known) == []


def test_text_below_the_answer_has_a_reason_of_its_own() -> None:
    assert check(f"{GOOD}\nI hope this helps.") == ["text-below-answer"]
    assert words_of("text-below-answer", f"{GOOD}\nOn reflection it is CWE-89.") == ["On reflection it is CWE-89."]
    assert words_of("text-below-answer", GOOD.replace("CWE-79", "CWE-89") + "\nMore.") == [], "another key is what is wrong"


def test_an_id_that_the_row_itself_names_is_not_invented() -> None:
    row = make_row("What does TA2541 do with the SICAM A8000?", ANSWER)
    assert "unknown-id" not in check(GOOD.replace("This is", "TA2541 and the A8000: this is"), row)
    assert "unknown-id" in check(GOOD.replace("This is", "TA2541 and the A8000: this is"))


@pytest.mark.parametrize("written", ["CVE-2021-44228-like", "T1059.001-based", "AML.T0043", "AC-2(1)", "CWE‑89"])
def test_an_id_of_the_graph_that_nobody_named_is_unsupported_in_any_writing(written: str) -> None:
    graph = {"cve:CVE-2021-44228", "attack:T1059.001", "atlas:AML.T0043", "nist:AC-2(1)", "cwe:CWE-89", *GRAPH}
    found = failed(GOOD.replace("This is", f"Unlike {written} this is"), Known(graph, HERE))
    assert "unsupported-id" in found and "unknown-id" not in found
