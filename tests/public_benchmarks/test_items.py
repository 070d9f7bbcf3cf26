import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.errors import InputError
from stages.public_benchmarks.declarations import find_benchmark, load_benchmarks
from stages.public_benchmarks.files import as_declared
from stages.public_benchmarks.items import read_items
from tests.public_benchmarks.made import MCQ, PROMPT, write_mcq, write_open

COUNTED = {  # usable items of the published files, as the mirror's README and REFERENCE.md have them
    "cti-ate": 60, "cti-mcq": 2500, "cti-rcm": 1000, "cti-rcm-2021": 1000, "cti-vsp": 1000, "cybermetric-80": 80,
    "cybermetric-500": 500, "cyberseceval-frr": 750, "cyberseceval-prompt-injection": 73, "mmlu-computer-security": 100, "seceval": 2182,
}  # fmt: skip


def test_a_published_table(tmp_path: Path) -> None:
    found = read_items(write_mcq(tmp_path / "mcq.tsv"), find_benchmark("cti-mcq"))
    assert [(item.question, item.options, item.key) for item in found.items] == [(q, o, [k.upper()]) for q, o, k in MCQ]
    assert found.items[0].prompt == f"{PROMPT} {MCQ[0][0]}" and [item.id for item in found.items] == list("1234")


@pytest.mark.parametrize(
    ("name", "keys", "read"),
    [
        ("cti-rcm", ["CWE-079"], [["CWE-79"]]),
        ("cti-vsp", ["CVSS:3.0/AC:L/AV:N/PR:N/UI:N/S:U/C:H/I:H/A:H"], [["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]]),
        ("cti-ate", ["T1071, T1059.001, T1059"], [["T1059", "T1071"]]),
    ],
)
def test_keys_are_normalised(tmp_path: Path, name: str, keys: list[str], read: list[list[str]]) -> None:
    assert [item.key for item in read_items(write_open(tmp_path / "x.tsv", keys), find_benchmark(name)).items] == read


def test_rows_that_cannot_be_used_have_a_reason(tmp_path: Path) -> None:
    questions = [
        {"id": "a", "question": "One?", "choices": ["A: x", "B: y"], "answer": "BA"},
        {"id": "b", "question": "Two?", "choices": ["A: x", "B: y"], "answer": ""},
        {"id": "c", "question": "Three?", "choices": ["A: x", "B: y"], "answer": "C"},
        {"id": "d", "question": "Four?", "choices": ["A: x", "B: y"], "answer": "BB"},
    ]
    file = tmp_path / "questions.json"
    file.write_text(json.dumps(questions))
    found = read_items(file, find_benchmark("seceval"))
    assert [(item.id, item.place, item.key, item.options) for item in found.items] == [
        ("a", 1, ["A", "B"], ["x", "y"]),
        ("d", 4, ["B"], ["x", "y"]),
    ]
    assert [(one.record, one.reason) for one in found.rejects] == [("2", "no-key"), ("3", "key-is-no-option")]
    assert found.rows == 4


def test_a_list_of_questions_inside_an_object(tmp_path: Path) -> None:
    file = tmp_path / "cm.json"
    file.write_text(json.dumps({"questions": [{"question": "One?", "answers": {"B": "y", "A": "x"}, "solution": "A"}]}))
    item = read_items(file, find_benchmark("cybermetric-80")).items[0]
    assert item.options == ["x", "y"] and item.key == ["A"]
    assert item.prompt.startswith("One?\nA. x\nB. y\n")


def test_mmlu_with_header_without_header_and_as_parquet(tmp_path: Path) -> None:
    benchmark, row = find_benchmark("mmlu"), ["What, then?", "x", "y", "z", "w"]
    (tmp_path / "a.csv").write_text(f'question,choice0,choice1,choice2,choice3,answer\n"{row[0]}",x,y,z,w,2\n')
    (tmp_path / "b.csv").write_text(f'"{row[0]}",x,y,z,w,C\n')
    pq.write_table(
        pa.table({"question": [row[0]], "subject": ["s"], "choices": [row[1:]], "answer": [2]}), tmp_path / "c.parquet"
    )
    read = [read_items(tmp_path / name, benchmark).items[0] for name in ("a.csv", "b.csv", "c.parquet")]
    assert read[0] == read[1] == read[2]
    assert read[0].options == row[1:] and read[0].key == ["C"]
    (tmp_path / "b.csv").write_text("only,three,columns\n")
    with pytest.raises(InputError, match="row 1"):
        read_items(tmp_path / "b.csv", benchmark)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("URL\tText\tPrompt\nu\tt\tp\n")
    with pytest.raises(InputError, match=r"no column GT[\s\S]*Prompt, Text, URL[\s\S]*responses.tsv"):
        read_items(tmp_path / "x.tsv", find_benchmark("cti-taa"))
    with pytest.raises(InputError, match="Question"):
        read_items(write_open(tmp_path / "y.tsv", ["A"]), find_benchmark("cti-mcq"))


def test_a_file_of_keys_alone_is_enough_to_score(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("GT\tModel\nGrey Wolf\tX\n")
    assert read_items(tmp_path / "x.tsv", find_benchmark("cti-taa")).items[0].key == ["Grey Wolf"]


def test_injections_that_need_a_judge_are_left_out(tmp_path: Path) -> None:
    asked = ["Does this response contain the word 'Harp'?", "Does this response talk about harps?"]
    rows = [
        {"prompt_id": number, "test_case_prompt": "s", "user_input": "u", "judge_question": one}
        for number, one in enumerate(asked)
    ]
    (tmp_path / "x.json").write_text(json.dumps(rows))
    found = read_items(tmp_path / "x.json", find_benchmark("prompt-injection"))
    assert [item.key for item in found.items] == [["Harp"]] and found.rejects[0].reason == "needs-a-judge"


def test_an_own_benchmark_is_told_from_the_others_in_its_table(tmp_path: Path) -> None:
    row = {"id": "x", "benchmark": "secforge-rcm", "question": "q", "options": [], "key": ["CWE-1"], "key_kind": "cwe"}
    pq.write_table(pa.Table.from_pylist([row, {**row, "id": "y", "benchmark": "secforge-mcq"}]), tmp_path / "items.parquet")
    found = read_items(tmp_path / "items.parquet", find_benchmark("secforge-rcm"))
    assert [(item.id, item.key, item.key_kind) for item in found.items] == [("x", ["CWE-1"], "cwe")] and found.rows == 1


@pytest.mark.mirror
def test_counts_and_hashes_of_the_published_files(mirror: Path) -> None:
    counted, rejected = {}, {}
    for name, benchmark in load_benchmarks().items():
        if benchmark.mirror and name != "cti-taa":
            file = mirror / benchmark.mirror
            assert as_declared(file, benchmark), f"{name}: another hash"
            found = read_items(file, benchmark)
            assert found.rows == benchmark.items
            assert all(item.prompt and item.question for item in found.items)
            counted[name] = len(found.items)
            rejected |= {name: dict(Counter(one.reason for one in found.rejects))} if found.rejects else {}
    assert counted == COUNTED
    assert rejected == {"seceval": {"no-key": 7}, "cyberseceval-prompt-injection": {"needs-a-judge": 178}}


@pytest.mark.mirror
def test_the_keys_of_cti_mcq_are_as_skewed_as_they_are_known_to_be(mirror: Path) -> None:
    benchmark = find_benchmark("cti-mcq")
    keys = Counter(item.key[0] for item in read_items(mirror / benchmark.mirror, benchmark).items)
    assert keys == {"C": 928, "B": 813, "D": 385, "A": 374}


@pytest.mark.mirror
def test_the_reports_of_cti_taa_can_be_asked_though_they_have_no_key(mirror: Path) -> None:
    benchmark = find_benchmark("cti-taa")
    with pytest.raises(InputError, match="GT"):
        read_items(mirror / benchmark.mirror, benchmark)
    found = read_items(mirror / benchmark.mirror, benchmark, keyless=True)
    assert len(found.items) == 50 and not any(item.key for item in found.items)
