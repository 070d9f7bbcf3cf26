from stages.validate.names import TEMPLATE_ROWS, names, names_by_row


def test_identifiers_numbers_quoted_terms_and_capitalised_words_are_names() -> None:
    text = 'Which CWE does the term "array index" stand for? APT29 used PsExec on port 445.'
    assert names(text) == {"CWE", "array index", "APT29", "PsExec", "445"}


def test_the_first_word_of_a_sentence_or_line_is_no_name_unless_it_has_a_digit_or_more_capitals() -> None:
    assert names("Explain it. Then go on.\n- Another line\nHEXANE came. T1055 too") == {"HEXANE", "T1055"}
    assert names("It was seen by Explain") == {"Explain"}


def test_words_of_the_template_of_a_task_are_none() -> None:
    texts = [f"Say in plain English what Tool{number} of Vendor does" for number in range(TEMPLATE_ROWS)]
    found = names_by_row(["explain"] * len(texts), texts)
    assert found[3] == ("Tool3",)
    assert names_by_row(["explain"] * 3, texts[:3])[1] == ("English", "Tool1", "Vendor")  # too few rows to tell a template


def test_an_identifier_that_many_rows_name_stays_a_name() -> None:
    texts = ["What is T1055?"] * 40 + ["What is T1548?"] * 40
    found = names_by_row(["explain"] * 80, texts)
    assert found[0] == ("T1055",) and found[79] == ("T1548",)
