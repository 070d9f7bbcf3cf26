import json
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.public_benchmarks.declarations import find_benchmark
from stages.public_benchmarks.fields import text_of
from stages.public_benchmarks.items import Items, read_items
from stages.public_benchmarks.responses import Responses, read_responses
from tests.public_benchmarks.made import write_blocks, write_jsonl, write_mcq

GIVEN = ["B", "Reasons,\nin two lines.\n\nA", "", "# no heading\n###D###"]


def read(path: Path, items: Items, field: str = "") -> list[str]:
    return whole(path, items, field).texts


def whole(path: Path, items: Items, field: str = "", name: str = "cti-mcq") -> Responses:
    return read_responses(path, items, find_benchmark(name), field=field)


@pytest.fixture
def items(tmp_path: Path) -> Items:
    return read_items(write_mcq(tmp_path / "mcq.tsv"), find_benchmark("cti-mcq"))


@pytest.mark.parametrize("first", [0, 1])
def test_text_blocks(tmp_path: Path, items: Items, first: int) -> None:
    assert read(write_blocks(tmp_path / "r.txt", GIVEN, first), items) == GIVEN


def test_jsonl_with_a_guessed_or_named_field(tmp_path: Path, items: Items) -> None:
    records = [{"n": 1, "Response": text, "other": "x"} for text in GIVEN]
    assert read(write_jsonl(tmp_path / "a.jsonl", records), items) == GIVEN
    assert read(tmp_path / "a.jsonl", items, "other") == ["x"] * 4
    lists = [
        {"doc_id": number, "resps": [[text]]} for number, text in enumerate(GIVEN)
    ]  # as lm-evaluation-harness writes samples
    assert read(write_jsonl(tmp_path / "b.jsonl", lists), items) == GIVEN
    chats = [{"output": {"role": "assistant", "content": text}} for text in GIVEN]
    assert read(write_jsonl(tmp_path / "c.jsonl", chats), items) == GIVEN


def test_records_that_name_their_item_may_come_in_any_order(tmp_path: Path, items: Items) -> None:
    records = [{"item_id": str(number), "output": text} for number, text in enumerate(GIVEN, 1)]
    assert read(write_jsonl(tmp_path / "a.jsonl", records[::-1]), items) == GIVEN
    with pytest.raises(InputError, match="missing: 2"):
        read(write_jsonl(tmp_path / "b.jsonl", [records[0], *records[2:]]), items)
    with pytest.raises(InputError, match="twice: 1"):
        read(write_jsonl(tmp_path / "c.jsonl", [records[0], *records]), items)


def test_ids_that_only_count_are_places(tmp_path: Path, items: Items) -> None:
    records = [{"id": number, "output": text} for number, text in enumerate(GIVEN)]
    assert read(write_jsonl(tmp_path / "a.jsonl", records), items) == GIVEN


def test_a_column_of_a_table(tmp_path: Path, items: Items) -> None:
    file = tmp_path / "r.tsv"
    file.write_text("GT\tModel-1\tModel-2\nB\tA\tB\nA\tA\tA\nC\tX\tC\nD\t\tD\n")
    assert read(file, items, "Model-2") == list("BACD")
    assert read(file, items, "Model-1") == ["A", "A", "X", ""]
    with pytest.raises(InputError, match=r"which field[\s\S]*GT, Model-1, Model-2[\s\S]*--field"):
        read(file, items)
    with pytest.raises(InputError, match=r"no field 'Model-3'[\s\S]*Model-1"):
        read(file, items, "Model-3")
    file.write_text("GT\tModel-1\nB\tA\nA\tA\nC\tX\nD\tD\n")
    assert read(file, items) == list("AAXD")


def test_lines_of_a_plain_text(tmp_path: Path, items: Items) -> None:
    (tmp_path / "r.txt").write_text("B\nA\n\nD\n")
    assert read(tmp_path / "r.txt", items) == ["B", "A", "", "D"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("r.txt", "#####1#####\nB\n#####3#####\nC\n", r"2 blocks[\s\S]*4 items[\s\S]*missing: 2, 4"),
        ("r.txt", "".join(f"#####{n}#####\nB\n" for n in (1, 2, 2, 3, 4)), "twice: 2"),
        ("r.txt", "".join(f"#####{n}#####\nB\n" for n in range(1, 6)), "beyond the last item: 5"),
        ("r.txt", "B\nA\n", r"2 lines[\s\S]*4 items"),
        ("r.jsonl", '{"output": "B"}\n' * 3, r"3 responses[\s\S]*4 items[\s\S]*Remedy"),
        ("r.jsonl", "", "no responses"),
        ("r.jsonl", "{", "line 1"),
        ("r.tsv", "response\nA\nB\nC\nD\nA\n", r"5 responses[\s\S]*4 items"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_numbers(tmp_path: Path, items: Items, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=said):
        read(tmp_path / name, items)


def test_a_missing_file_is_named(tmp_path: Path, items: Items) -> None:
    with pytest.raises(InputError, match="gone.txt"):
        read(tmp_path / "gone.txt", items)


def test_plain_lines_end_at_line_ends_only(tmp_path: Path, items: Items) -> None:
    (tmp_path / "r.txt").write_text("B\u2028Reasons.\nA\x0c\nC\nD\n\n\n")
    assert read(tmp_path / "r.txt", items) == ["B\u2028Reasons.", "A\x0c", "C", "D"]


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"response": "B", "answer": "Z", "question": "q", "solution": "Z", "model": "m"}, "response"),
        ({"id": 1, "answer": "B"}, "answer"),
        ({"question": "q", "answer": "B", "model": "m", "usage": {"tokens": 3}}, "answer"),
        ({"text": "Which?", "result": "B"}, "result"),
        ({"prompt": "q", "gpt-4": "B"}, "gpt-4"),
        ({"prompt": "q", "predict": "B", "label": "Z"}, "predict"),
    ],
)
def test_the_field_that_is_no_key_and_no_question(tmp_path: Path, items: Items, record: dict, field: str) -> None:
    found = whole(write_jsonl(tmp_path / "r.jsonl", [record] * 4), items)
    assert found.field == field and found.texts == ["B"] * 4


@pytest.mark.parametrize(
    "record", [{"answer": "Z", "gemma": "B"}, {"text": "Which?", "gemma": "B"}, {"GT": "B"}, {"Question": "q"}]
)
def test_a_field_that_may_be_the_key_is_not_guessed(tmp_path: Path, items: Items, record: dict) -> None:
    with pytest.raises(InputError, match="--field"):
        read(write_jsonl(tmp_path / "r.jsonl", [record] * 4), items)


def test_the_columns_of_a_benchmark_are_no_responses(tmp_path: Path) -> None:
    questions = [{"id": "a", "question": "One?", "choices": ["A: x", "B: y"], "answer": "BA"}]
    file = tmp_path / "s.json"
    file.write_text(json.dumps(questions))
    found = read_items(file, find_benchmark("seceval"))
    file.write_text(json.dumps([{**questions[0], "gemma": "Z"}]))
    assert (whole(file, found, name="seceval").field, whole(file, found, name="seceval").texts) == ("gemma", ["Z"])
    write_jsonl(tmp_path / "r.jsonl", [{"id": "a", "answer": "AB"}])
    assert whole(tmp_path / "r.jsonl", found, name="seceval").texts == ["AB"]
    file.write_text(json.dumps(questions))
    with pytest.raises(InputError, match="--field"):
        whole(file, found, name="seceval")


def test_a_benchmark_does_not_answer_itself(tmp_path: Path, items: Items) -> None:
    file, mcq = write_mcq(tmp_path / "mcq.tsv"), find_benchmark("cti-mcq")
    for field in ("", "GT", "Question"):
        with pytest.raises(InputError, match="the benchmark file itself"):
            read_responses(file, items, mcq, asked=file, field=field)
    assert read_responses(file, items, mcq, asked=file, field="URL").texts == ["https://example.org"] * 4


@pytest.mark.parametrize("name", ["index", "idx", "doc_id", "id", "item_id", "custom_id", "Index"])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("form", ["{}", "request-{}"])
def test_numbers_order_the_responses(tmp_path: Path, items: Items, name: str, first: int, form: str) -> None:
    records = [{name: form.format(number), "output": text} for number, text in enumerate(GIVEN, first)]
    found = whole(write_jsonl(tmp_path / "a.jsonl", records[2:] + records[:2]), items)
    assert found.texts == GIVEN and found.ordered_by == name and not found.notes


def test_what_orders_nothing_is_passed_over_with_a_note(tmp_path: Path, items: Items) -> None:
    records = [{"id": one, "output": text} for one, text in zip(("x7", "b2", "z", "k"), GIVEN, strict=True)]
    found = whole(write_jsonl(tmp_path / "a.jsonl", records), items)
    assert found.texts == GIVEN and not found.ordered_by and "`id` names no items" in found.notes[0]
    records = [{"index": number % 2, "output": text} for number, text in enumerate(GIVEN)]  # places within batches
    assert "`index` names no items" in whole(write_jsonl(tmp_path / "b.jsonl", records), items).notes[0]
    records = [{"id": number, "output": text} for number, text in zip((3, 1, 9, 2), GIVEN, strict=True)]
    with pytest.raises(InputError, match="missing: 4; beyond the last item: 9"):
        whole(write_jsonl(tmp_path / "c.jsonl", records), items)


def test_one_field_that_orders_is_enough(tmp_path: Path, items: Items) -> None:
    records = [{"id": f"x{number}y", "idx": number, "output": text} for number, text in enumerate(GIVEN)]
    found = whole(write_jsonl(tmp_path / "a.jsonl", records[::-1]), items)
    assert found.texts == GIVEN and found.ordered_by == "idx" and not found.notes
    records[1].pop("idx")
    found = whole(write_jsonl(tmp_path / "a.jsonl", records), items)
    assert found.texts == GIVEN and any("`idx` stands in some records only" in note for note in found.notes)


@pytest.mark.parametrize("ending", ["txt", "log", "out"])
def test_jsonl_of_another_ending(tmp_path: Path, items: Items, ending: str) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [{"id": n, "response": text} for n, text in enumerate(GIVEN)][::-1])
    found = whole(file.rename(tmp_path / f"a.{ending}"), items)
    assert found.texts == GIVEN and "read as JSONL" in found.notes[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"status_code": 200, "body": {"choices": [{"index": 0, "message": {"role": "assistant", "content": "B"}}]}}, "B"),
        ({"choices": [{"text": "B"}]}, "B"),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": "B"}], "B"),
        (
            {"type": "succeeded", "message": {"content": [{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "B"}]}},
            "B",
        ),
        ({"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "B"}]}]}, "B"),
        ({"candidates": [{"content": {"parts": [{"text": "B"}], "role": "model"}}]}, "B"),
        ([["B"]], "B"),
        ([], ""),
        (None, ""),
        (3, "3"),
        ({"code": 500}, None),
        ([{"code": 500}], None),
    ],
)
def test_shapes_of_a_response(value: object, text: str | None) -> None:
    assert text_of(value) == text


def test_a_reply_of_a_server_on_each_line(tmp_path: Path, items: Items) -> None:
    replies = [{"custom_id": f"q-{n}", "error": None, "response": {"body": {"choices": [{"message": {"content": text}}]}}}
               for n, text in enumerate(GIVEN)]  # fmt: skip
    assert read(write_jsonl(tmp_path / "a.jsonl", replies[::-1]), items) == GIVEN
    (tmp_path / "b.json").write_text(json.dumps({str(number): text for number, text in enumerate(GIVEN, 1)}))
    assert read(tmp_path / "b.json", items) == GIVEN


def test_records_without_a_response_are_named(tmp_path: Path, items: Items) -> None:
    records = [{"response": "B"}, {"error": "x"}, {"response": {"code": 500}}, {"response": ""}]
    found = whole(write_jsonl(tmp_path / "a.jsonl", records), items)
    assert found.texts == ["B", "", "", ""]
    assert found.notes == [
        "1 of 4 records have nothing in `response`: counted as empty (records 2)",
        "1 of 4 records hold no text in `response`: counted as empty (records 3)",
    ]
    with pytest.raises(InputError, match="objects without a text"):
        whole(write_jsonl(tmp_path / "b.jsonl", records[2:3] * 4), items)


def test_a_separator_within_a_response_cuts_nothing_off(tmp_path: Path, items: Items) -> None:
    (tmp_path / "r.tsv").write_text("id\tresponse\n1\tB\n2\tThe answer:\tA\n3\tC\n4\tD\n")
    found = whole(tmp_path / "r.tsv", items)
    assert found.texts == ["B", "The answer:\tA", "C", "D"] and "(rows 2)" in found.notes[0]
    (tmp_path / "r.tsv").write_text("response\tnote\nB\tx\nThe answer:\tA\tx\nC\tx\nD\tx\n")
    with pytest.raises(InputError, match=r"more columns than the header \(rows 2\)"):
        whole(tmp_path / "r.tsv", items)


def test_a_folder_is_no_file(tmp_path: Path, items: Items) -> None:
    with pytest.raises(InputError, match="is no file"):
        read(tmp_path, items)


def test_responses_to_the_usable_items_alone(tmp_path: Path) -> None:
    rows = [
        {"id": one, "question": "q", "choices": ["A: x", "B: y"], "answer": key}
        for one, key in (("a", "A"), ("b", ""), ("c", "B"))
    ]
    (tmp_path / "s.json").write_text(json.dumps(rows))
    found = read_items(tmp_path / "s.json", find_benchmark("seceval"))
    (tmp_path / "r.txt").write_text("#####1#####\nA\n#####2#####\nB\n")
    assert whole(tmp_path / "r.txt", found, name="seceval").texts == ["A", "B"]
    (tmp_path / "r.txt").write_text("#####1#####\nA\n#####2#####\n\n#####3#####\nB\n")
    assert whole(tmp_path / "r.txt", found, name="seceval").texts == ["A", "B"]
