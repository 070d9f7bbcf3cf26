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
        == "Attackers could: read files. stop the server. Now."
    )


@pytest.mark.parametrize("text", ["ends here ...", "ends here…"])
def test_a_cut_text_is_recognised(text: str) -> None:
    assert is_cut(text) and not is_cut("Whole.")


def test_ids_go_and_file_names_stay() -> None:
    assert without_identifiers("See CWE-79 (CVE-2020-1234), treat .jsp and T1059.001 alike .") == "See, treat .jsp and alike."


def test_a_name_is_hidden_but_not_inside_other_words() -> None:
    assert (
        mask("Phishing beats spearphishing; phishing.exe stays.", ["Phishing"])
        == "[...] beats spearphishing; phishing.exe stays."
    )


def test_values_are_never_read_as_templates() -> None:
    assert fill("{a} and {b}", {"a": "{b}", "b": r"\1 {a} {{x}}"}) == r"{b} and \1 {a} {{x}}"
    with pytest.raises(InputError, match="slot `c`"):
        fill("{c}", {"a": "x"})
