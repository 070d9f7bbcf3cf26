"""Prose: cut at sentence ends, names hidden, slots filled once."""

import pytest

from stages.errors import InputError
from stages.prose import clip, fill, is_cut, mask, sentences, without_identifiers


def test_a_text_is_cut_at_sentence_ends_only() -> None:
    text = "Input is read, e.g. Forms and links. Nothing checks it. The rest fails."
    assert sentences(text) == ["Input is read, e.g. Forms and links.", "Nothing checks it.", "The rest fails."]
    assert clip(text, 10) == "Input is read, e.g. Forms and links. Nothing checks it."
    assert clip(text, 3) == ""


def test_items_of_a_list_become_sentences() -> None:
    assert (
        clip("Attackers could:\n- read files\n\n- stop the server. Now.", 20)
        == "Attackers could: read files; stop the server. Now."
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Finds ANY Java Application\nin jobs that load.", ["Finds ANY Java Application in jobs that load."]),
        ("Uses the STRUCTURE,\nCommonly so.", ["Uses the STRUCTURE, Commonly so."]),
        ("Reads the key of\nWindows hosts.", ["Reads the key of Windows hosts."]),
        ('It says "stop\nGo on" twice.', ['It says "stop Go on" twice.']),
        ("Runs `cp a\nB c` often.", ["Runs `cp a B c` often."]),
        ("A heading\nThen a sentence", ["A heading.", "Then a sentence."]),
        ("See this (e.g., that)\nNext one!", ["See this (e.g., that).", "Next one!"]),
        ("The one to focus on\nIt changes.", ["The one to focus on.", "It changes."]),
        ("He said it.\nlower follows", ["He said it.", "lower follows."]),
        ("a. Test; and\nb. Plan:\n1. Who; and\n2. When.", ["a. Test; and b. Plan: 1. Who; and 2. When."]),
    ],
)
def test_a_wrapped_line_goes_on_and_a_heading_does_not(text: str, found: list[str]) -> None:
    assert sentences(text) == found


def test_a_long_enumeration_is_cut_between_items_and_never_at_a_label() -> None:
    text = "Do this:\na. Name the people;\nb. Ask each of them about the risk; and\nc. Write it all down."
    assert clip(text, 9) == "Do this: a. Name the people."
    assert clip(text, 15) == "Do this: a. Name the people; b. Ask each of them about the risk."
    assert clip("(a) Name the people;\n(b) Ask each of them about the risk.", 6) == "(a) Name the people."
    assert clip(text, 40).endswith("; and c. Write it all down.")


def test_a_sentence_that_announces_what_is_cut_off_goes() -> None:
    assert clip("It harms. The measures are:\n- Lock every one of the doors.", 6) == "It harms."


@pytest.mark.parametrize("text", ["ends here ...", "ends here…"])
def test_a_cut_text_is_recognised(text: str) -> None:
    assert is_cut(text) and not is_cut("Whole.")


def test_ids_go_and_file_names_stay() -> None:
    assert (
        without_identifiers("See CWE-79 (CVE-2020-1234), treat .jsp and T1059.001 alike .")
        == "See another weakness, treat .jsp and another technique alike."
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Divide by zero - fix of CVE-2020-1234.", "Divide by zero."),
        ("Reads files, a different issue than CVE-2020-1234 and CVE-2020-1235.", "Reads files."),
        ("Reads files (see CVE-2020-1234). See CWE-22.", "Reads files."),
        ("This may be a composite with CWE-41.", "This may be a composite with another weakness."),
        (
            "An incomplete fix for CVE-2020-1234, CVE-2020-1235, and CVE-2020-1236 helps.",
            "An incomplete fix for another vulnerability helps.",
        ),
        ("The call sscanf() is not checked (CWE-252).", "The call sscanf() is not checked."),
        ("CWE-79: a script runs.", "a script runs."),
        ("No id (but a bracket) - and a dash.", "No id (but a bracket) - and a dash."),
    ],
)
def test_an_id_leaves_no_stump(text: str, left: str) -> None:
    assert without_identifiers(text) == left


def test_a_name_is_hidden_but_not_inside_other_words() -> None:
    assert (
        mask("Phishing beats spearphishing; phishing.exe stays.", ["Phishing"])
        == "[...] beats spearphishing; phishing.exe stays."
    )


def test_values_are_never_read_as_templates() -> None:
    assert fill("{a} and {b}", {"a": "{b}", "b": r"\1 {a} {{x}}"}) == r"{b} and \1 {a} {{x}}"
    with pytest.raises(InputError, match="slot `c`"):
        fill("{c}", {"a": "x"})
