"""Hand-made cases of every way in which models name an option: text, what strict reads, what lenient reads."""

import time

import pytest

from stages.public_benchmarks.letters import lenient_letter, lenient_letters, strict_letter, strict_letters
from stages.public_benchmarks.text import MOST_CHARACTERS, answer_part

OPTIONS = ["Audit", "Execution Prevention", "Operating System Configuration", "User Account Control"]
LISTED = "A) Audit\nB) Execution Prevention\nC) Operating System Configuration\nD) User Account Control"

SINGLE = [
    # the declared form
    ("B", "B", "B"),
    ("Blocking applications is prevention.\n\nB", "B", "B"),
    ("Reasons.\n  D  \n\n", "D", "D"),
    ("Reasons.\nb", "B", "B"),
    ("<think>A or C?</think>\nD", "D", "D"),
    ("<think>the answer is A", "", ""),
    # the last line with something around it
    ("**B**", "", "B"),
    ("(D)", "", "D"),
    ("[B]", "", "B"),
    ("`C`", "", "C"),
    ("B.", "", "B"),
    ("### B", "", "B"),
    ("Reasons.\nOption (C)", "", "C"),
    # the letter with its text
    ("B) Execution Prevention", "", "B"),
    ("B. Execution Prevention", "", "B"),
    ("Reasons.\n(B) Execution Prevention", "", "B"),
    ("B: Execution Prevention\n\nIt blocks applications.", "", "B"),
    ("**D) User Account Control**", "", "D"),
    ("Execution Prevention", "", "B"),
    ("Reasons.\n**User account control.**", "", "D"),
    (LISTED, "", ""),
    (f"{LISTED}\nThe best answer is C.", "", "C"),
    # labels
    ("Final answer: C", "", "C"),
    ("**Final Answer:** (b)", "", "B"),
    ("FINAL ANSWER : D.", "", "D"),
    ("**Answer: B**", "", "B"),
    ("Answer: b) execution prevention", "", "B"),
    ("Answer:\n\nB", "B", "B"),
    ("Correct answer: B. Execution Prevention", "", "B"),
    ("Answer: Execution Prevention", "", "B"),
    ("Answer: A\nNo, wait.\nAnswer: C", "", "C"),
    ("Final answer: B because A is wrong", "", "B"),
    ("Answer: none of the above", "", ""),
    ("Only A comes near.\nFinal answer: none of them", "", ""),
    # boxed
    (r"\boxed{C}", "", "C"),
    (r"So $\boxed{\text{D}}$.", "", "D"),
    (r"First \boxed{A}, in the end \boxed{B}.", "", "B"),
    # sentences
    ("The answer is (B).", "", "B"),
    ("The correct answer is option **C**.", "", "C"),
    ("the answer is B, since the others do not block anything", "", "B"),
    ("The answer is Execution Prevention.", "", "B"),
    ("I would choose B because it blocks applications.", "", "B"),
    ("I'd go with option D here.", "", "D"),
    ("B is the correct answer.", "", "B"),
    ("Option A is incorrect. Option C is correct.", "", "C"),
    ("The answer isn't A but C", "", "C"),
    ("The best option is B) Execution Prevention. A is wrong.", "", "B"),
    ("The answer would be D, since A and B are unrelated.", "", "D"),
    ("I think it's C.", "", "C"),
    ("My pick is **C**, which sets the system up.", "", "C"),
    ("Option B: Execution Prevention, as A is too wide", "", "B"),
    ("B - Execution Prevention", "", "B"),
    ("The right choice here is B) Execution Prevention.", "", "B"),
    ("A: C", "", "C"),
    ("A: Audit", "", "A"),
    ("N/A", "", ""),
    # small letters
    ("b) execution prevention", "", "B"),
    ("c. operating system configuration", "", "C"),
    ("(d) User Account Control", "", "D"),
    ("d) it is about accounts", "", "D"),
    ("a thing", "", ""),
    # alone on a line, with reasons after it
    ("A may do, but B fits best.\n\nB\n\nExplanation: since A is wrong", "", "B"),
    ("B\n\nExplanation: the correct answer blocks programs; A is right only for logs.", "", "B"),
    ("**C**\n\nA, B and D are wrong.", "", "C"),
    ("A\nThis logs.\nB\nThis blocks.\nSo the best option is B.", "", "B"),
    ("B) Execution Prevention\n\nA) is about logs.\nC) is about systems.\nD) is about users.", "", "B"),
    ("A) No.\nB) Yes.\nC) No.", "", ""),
    # denied letters
    ("The answer is not A.", "", ""),
    ("The answer is not A, it is C.", "", "C"),
    ("The answer cannot be option A.", "", ""),
    ("It isn't B.", "", ""),
    ("A is wrong.", "", ""),
    ("A is wrong, so I go for D.", "", "D"),
    ("A and B are correct.", "", "AB"),
    ("Not A is correct, but C.", "", "C"),
    ("The answer is neither A, B nor D.", "", ""),
    ("The answer is not A or B.", "", ""),
    ("Since A, B and D are wrong, it must be C.", "", "C"),
    ("A and B are not right; C it is.", "", "C"),
    ("It is D rather than B.", "", "D"),
    ("<answer>B</answer> since A is too wide", "", "B"),
    ('{"answer": "B", "reason": "A is wrong"}', "", "B"),
    # more than one letter
    ("Final answer: A and C", "", "AC"),
    ("A or C", "", "AC"),
    ("Answer: A, C", "", "AC"),
    # words and letters that name no option
    ("A firewall blocks traffic.", "", ""),
    ("The answer is A firewall", "", ""),
    ("I'm sorry, I cannot help with that.", "", ""),
    ("Option Beta is right", "", ""),
    ("E", "", ""),
    ("Z", "", ""),
    ("It depends.", "", ""),
    ("", "", ""),
]  # fmt: skip

SETS = [
    ("ACD", "ACD", "ACD"),
    ("Reasons.\nA, C, D", "ACD", "ACD"),
    ("Reasons.\nDB", "BD", "BD"),
    ("A;B", "AB", "AB"),
    ("AA", "A", "A"),
    ("acd", "", ""),
    ("**AC**", "", "AC"),
    ("Answer: BD", "", "BD"),
    ("Answer: A, B and D.", "", "ABD"),
    (r"\boxed{BC}", "", "BC"),
    ("The correct answers are A and C.", "", "AC"),
    ("The right options are:\nA) Audit\nC) Operating System Configuration", "", "AC"),
    (LISTED, "", ""),
    ("Answer: Audit", "", "A"),
    ("Answer:\nA) Audit\nC) Operating System Configuration", "", "AC"),
    ("Options A and C are correct.", "", "AC"),
    ("Both A and C are the right answers, B is not.", "", "AC"),
    ("A, B, and **D** are all correct.", "", "ABD"),
    ("A & D", "", "AD"),
    ("AE", "", ""),
    ("", "", ""),
]


@pytest.mark.parametrize(("text", "strict", "lenient"), SINGLE)
def test_one_letter(text: str, strict: str, lenient: str) -> None:
    text = answer_part(text)
    assert "".join(strict_letter(text, OPTIONS)) == strict
    assert "".join(lenient_letter(text, OPTIONS)) == lenient


@pytest.mark.parametrize(("text", "strict", "lenient"), SETS)
def test_a_set_of_letters(text: str, strict: str, lenient: str) -> None:
    assert "".join(strict_letters(text, OPTIONS)) == strict
    assert "".join(lenient_letters(text, OPTIONS)) == lenient


@pytest.mark.parametrize(
    ("text", "lenient"),
    [
        ("A and B", "D"),
        ("The answer is A and B.", "D"),
        ("Option C: A:\\x.exe", "C"),
        ("C - A:\\x.exe", "C"),
        ("The answer is A:\\x.exe.", "C"),
        ("The answer is **A:\\x.exe** (C).", "C"),
        ("B", "B"),
    ],
)
def test_options_that_hold_letters_themselves(text: str, lenient: str) -> None:
    assert "".join(lenient_letter(text, ["One", "Two", "A:\\x.exe", "A and B"])) == lenient


def test_a_letter_beyond_the_options_is_no_answer() -> None:
    assert strict_letter("D", ["yes", "no"]) == [] == lenient_letter("The answer is D", ["yes", "no"])


@pytest.mark.parametrize(
    "unit",
    [
        "answer is ",
        "Answer: ",
        "A, ",
        "((((",
        "**A",
        "\\boxed{",
        "B\n",
        "not ",
        "B) x\n",
        "the correct option is option ",
        " \t",
        "A is ",
    ],
)
def test_hostile_text_is_read_in_a_moment(unit: str) -> None:
    text = answer_part(unit * 200_000)
    assert len(text) <= MOST_CHARACTERS
    started = time.perf_counter()
    for read in (strict_letter, lenient_letter, strict_letters, lenient_letters):
        read(text, OPTIONS)
    assert time.perf_counter() - started < 2.0
