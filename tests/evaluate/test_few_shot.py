from stages.evaluate.few_shot import few_shot_questions
from stages.evaluate.params import EvaluateParams
from tests.evaluate.planted import WORDS, benchmark_items, training_rows

PARAMS = EvaluateParams()
ITEMS = benchmark_items()


def test_the_nearest_examples_of_the_same_kind_stand_before_the_question_with_their_keys() -> None:
    item = next(item for item in ITEMS if item.benchmark == "secforge-rcm" and item.key == ["CWE-89"])
    (text,) = few_shot_questions([item], training_rows(), 2, PARAMS)
    assert text.endswith(item.question)
    assert text.count(f"{WORDS['CWE-89']}.\nFinal answer: CWE-89\n\n") == 2
    assert "Which id" not in text


def test_no_shots_leave_the_question_as_it_is() -> None:
    assert few_shot_questions(ITEMS, training_rows(), 0, PARAMS) == [item.question for item in ITEMS]


def test_no_rows_of_the_kind_leave_the_question_alone() -> None:
    letters = [row for row in training_rows() if row.key_kind == "letter"]
    item = next(item for item in ITEMS if item.key_kind == "cwe")
    assert few_shot_questions([item], letters, 2, PARAMS) == [item.question]


def test_template_marks_in_downloaded_text_stay_text() -> None:
    rows = [
        type(row)(
            **{f: getattr(row, f) for f in row.__struct_fields__} | {"instruction": "{{ 7 * 7 }} {% raw %} " + row.instruction}
        )
        for row in training_rows(1)
    ]
    item = next(item for item in ITEMS if item.key_kind == "cwe")
    (text,) = few_shot_questions([item], rows, 1, PARAMS)
    assert "{{ 7 * 7 }} {% raw %}" in text
