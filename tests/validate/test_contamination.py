import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.errors import FetchError
from stages.validate import encoder_at_hand
from stages.validate.candidates import _blocks
from stages.validate.contamination import check_files, main
from stages.validate.foreign import OVERLAP, PIECE, to_documents
from stages.validate.paraphrase import Encoders
from tests.validate.samples import sentence
from tests.validate.test_leaks import ITEM, SAID_AGAIN, MeaningEncoder


def write_lines(path: Path, records: list[dict]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without an encoder, and no package index."""

    def refuse(*_: object) -> None:
        raise FetchError("the package index cannot be reached")

    monkeypatch.setattr(encoder_at_hand, "provide_encoder", refuse)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """A file in the layout of CTI-RCM: the CVE stands only in an address, the prompt repeats its instructions."""
    prompt = "Read the description below and name the one weakness that is its root cause. Description:"
    lines = ["URL\tDescription\tPrompt\tGT"]
    for number in range(20):
        text = sentence(70_000 + number, 35)
        lines.append(f"https://nvd.example.org/vuln/detail/CVE-2031-{5000 + number}\t{text}\t{prompt} {text}\tCWE-79")
    file = tmp_path / "rcm.tsv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_leaks_are_reported_and_the_command_exits_with_one(
    tmp_path: Path, benchmark: Path, capsys: pytest.CaptureFixture
) -> None:
    rows = [{"instruction": sentence(number, 50), "output": "ok"} for number in range(200)]
    rows[10]["output"] = f"As the report said: {sentence(70_003, 35).upper()}"
    rows[20] = {"messages": [{"role": "user", "content": "Tell me about cve-2031-5007"}]}
    data, report = write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out.json"
    assert main(["--data", str(data), "--benchmark", str(benchmark), "--report", str(report)]) == 1
    found = json.loads(report.read_text())
    assert (found["rows"], found["rows_matched"]) == (200, 2)
    assert found["by_rule"] == {"13-gram": 1, "identifier": 1}
    assert [(match["row"], match["item"], match["rule"], match["level"]) for match in found["matches"]] == [
        ("#11", "#4", "13-gram", "output"),
        ("#21", "#8", "identifier", "messages"),
    ]
    assert found["benchmarks"]["rcm.tsv"] == {"items": 20, "items_touched": 2, "rows_matched": 2}
    assert found["embedding"] == "NOT checked: the package index cannot be reached"
    printed = capsys.readouterr().out
    assert "2 of 200 rows match" in printed
    assert "embedding: NOT checked: the package index cannot be reached" in printed


def test_paraphrases_are_found_with_an_encoder_and_left_out_when_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    encoder = MeaningEncoder()
    monkeypatch.setattr("stages.validate.contamination.encoder_at_hand", lambda: (Encoders(encoder, encoder), ""))
    data = write_lines(tmp_path / "rows.jsonl", [{"text": SAID_AGAIN}, {"text": sentence(4, 30)}])
    items = write_lines(tmp_path / "items.jsonl", [{"question": ITEM.text}])
    command = ["--data", str(data), "--benchmark", str(items), "--report", str(tmp_path / "out.json")]
    assert main([*command, "--sweep"]) == 1
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["embedding"], found["by_rule"]) == ("checked", {"embedding": 1})
    assert found["sweep"]["items.jsonl"]["cosine"]["0.6"] == 1
    assert main([*command, "--no-embedding"]) == 0
    assert "embedding: NOT checked: left out by --no-embedding" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.jsonl", "\ufeff" + '{"question": "LEAK"}'),
        ("one_column.csv", "question\nLEAK\n"),
        ("bom.csv", '\ufeff"question","answer"\n"LEAK","A"\n'),
        ("short_rows.tsv", "id\tquestion\tanswer\n1\tLEAK\n2\tother words\t\textra\n"),
        ("nested.json", '{"data": {"test": [{"item": {"question": "LEAK"}}]}}'),
        ("columns.json", '{"question": ["LEAK", "something else"], "answer": ["A", "B"]}'),
        ("by_id.json", '{"a": {"question": "LEAK"}, "b": {"question": "something else"}}'),
        ("missing.jsonl", '{"question": null}\n{"question": "LEAK", "x": {"y": [1, null]}}\n{"other": 1}'),
    ],
)
def test_items_are_found_in_odd_files(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content.replace("LEAK", sentence(7, 30)), encoding="utf-8")
    rows = write_lines(
        tmp_path / "rows.jsonl", [{"text": sentence(1, 40)}, {"messages": [{"content": sentence(7, 30)}], "n": None}]
    )
    assert main(["--data", str(rows), "--benchmark", str(tmp_path / name), "--report", str(tmp_path / "out.json")]) == 1
    assert [match["row"] for match in json.loads((tmp_path / "out.json").read_text())["matches"]] == ["#2"]


def test_clean_rows_exit_with_zero(tmp_path: Path, benchmark: Path, capsys: pytest.CaptureFixture) -> None:
    data = write_lines(
        tmp_path / "rows.jsonl", [{"instruction": sentence(number, 60), "output": "CWE-79"} for number in range(50)]
    )
    assert main(["--data", str(data), "--benchmark", str(benchmark)]) == 0
    assert "0 of 50 rows match (none)" in capsys.readouterr().out


@pytest.mark.parametrize("column", ["Description", "Prompt"])
def test_a_named_column_is_searched_and_its_prompt_text_is_no_leak(tmp_path: Path, benchmark: Path, column: str) -> None:
    prompt = "Read the description below and name the one weakness that is its root cause. Description:"
    rows = [{"text": f"{prompt} {sentence(1, 40)}"}, {"text": sentence(70_001, 35)}]
    data, report = write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out.json"
    main(["--data", str(data), "--benchmark", str(benchmark), "--benchmark-field", column, "--report", str(report)])
    assert {match["row"] for match in json.loads(report.read_text())["matches"]} == {"#2"}


PORT, GADGET = sentence(7, 20), sentence(8, 20)
BOTH = [{"question": PORT}, {"question": GADGET}]


def report_of(tmp_path: Path, data: list[dict], items: list[dict]) -> tuple[int, dict]:
    """Exit status and report of the command on two JSONL files."""
    files = write_lines(tmp_path / "rows.jsonl", data), write_lines(tmp_path / "items.jsonl", items)
    out = tmp_path / "out.json"
    code = main(["--data", str(files[0]), "--benchmark", str(files[1]), "--report", str(out), "--no-embedding"])
    return code, json.loads(out.read_text())


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PORT}]},
        {"conversations": [{"from": "human", "value": PORT}, {"from": "gpt", "value": "88"}]},
        {"messages": json.dumps([{"role": "user", "content": PORT.replace(" ", "\n")}])},
        {"prompt": PORT, "completion": "88"},
        {"instruction": PORT, "input": "", "output": "88"},
        {"instruction": "Answer.", "input": PORT, "output": "88"},
        {"question": PORT, "choices": ["a", "b"], "answer": 1},
        {"text": f"### Instruction:\n{PORT}\n### Response:\n88"},
        {"input": [{"type": "text", "text": PORT}]},
        {"prompt": PORT, "options": ["one of the options", "another of the options"], "label": 0},
        {"instruction": PORT, "choices": {"text": ["one of the options", "another"], "label": ["A", "B"]}},
    ],
)
def test_every_common_shape_is_read_on_both_sides(tmp_path: Path, row: dict) -> None:
    clean = {"text": sentence(30, 40)}
    code, found = report_of(tmp_path, [clean, row], BOTH)
    assert (code, found["rows_matched"], found["matches"][0]["row"]) == (1, 1, "#2")
    code, found = report_of(tmp_path, [clean, {"text": f"So: {PORT}"}], [row])
    assert (code, found["rows_matched"], found["items_not_searchable"]) == (1, 1, [])


def test_an_identifier_that_is_the_id_of_a_row_is_found(tmp_path: Path) -> None:
    rows = [{"id": "b", "text": "nothing"}, {"id": "CVE-2031-5007", "text": "kernel flaw"}]
    code, found = report_of(tmp_path, rows, [{"question": f"{PORT} (CVE-2031-5007)"}])
    assert (code, [(match["row"], match["rule"]) for match in found["matches"]]) == (1, [("CVE-2031-5007", "identifier")])


def test_the_question_is_guessed_for_each_record(tmp_path: Path) -> None:
    third = sentence(9, 20)
    items = [{"question": PORT}, {"prompt": GADGET, "question": " "}, {"question": None, "description": third}]
    code, found = report_of(tmp_path, [{"text": PORT}, {"text": GADGET}, {"text": third}], items)
    assert (code, found["rows_matched"], found["benchmarks"]["items.jsonl"]["items_touched"]) == (1, 3, 3)


def test_a_question_that_all_items_have_is_joined_by_what_tells_them_apart(tmp_path: Path) -> None:
    asked = "Which weakness is the root cause of the flaw that this text describes?"
    items = [{"question": asked, "description": sentence(number, 20)} for number in range(50, 60)]
    code, found = report_of(tmp_path, [{"text": asked}, {"text": sentence(53, 20)}], items)
    assert (code, [(match["row"], match["item"]) for match in found["matches"]]) == (1, [("#2", "#4")])


SHORT = {
    "question": "What is a SAN?",
    "choices": ["Network of storage devices", "Name in a certificate", "List of weaknesses", "Kind of malware"],
}


@pytest.mark.parametrize(
    "row",
    [
        SHORT,
        {
            "text": "What is a SAN?\n"
            + "\n".join(f"{letter}) {text}" for letter, text in zip("ABCD", SHORT["choices"], strict=True))
        },
        {
            "text": "Choose one. What is a SAN? "
            + " ".join(f"({x}) {text}" for x, text in zip("ABCD", SHORT["choices"], strict=True))
        },
        {"question": "What is a SAN?", "option_a": SHORT["choices"][0], **dict(zip("BCD", SHORT["choices"][1:], strict=True))},
    ],
)
def test_short_items_are_known_by_their_options(tmp_path: Path, row: dict) -> None:
    clean = {"question": "What is a SAN?", "choices": ["A protocol of routers", "A person", "A cable of copper wires", "A shell"]}
    code, found = report_of(tmp_path, [clean, {"text": "What is a SAN? It stores data."}, row], [SHORT])
    assert (code, {match["row"] for match in found["matches"]}) == (1, {"#3"})


@pytest.mark.parametrize(
    ("rows", "items", "message"),
    [
        ([{"a": 1}, {"id": "x", "b": None}], BOTH, "no row holds text"),
        ([{"text": PORT}], [{"question": "lone"}, {"question": "x"}], "every item is too short"),
        ([{"text": "clean"}], [{"question": "x\u0000y"}], "every item is too short"),
    ],
)
def test_rows_or_items_without_words_are_not_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture, rows: list[dict], items: list[dict], message: str
) -> None:
    code, found = report_of(tmp_path, rows, items)
    assert (code, len(found["not_checked"])) == (2, 1)
    assert message in found["not_checked"][0] and message in capsys.readouterr().err


def test_rows_without_text_are_counted_and_bytes_are_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1, 2, 3], "raw": [PORT.encode(), b"\xff\xd8", None]}), tmp_path / "rows.parquet")
    report = check_files(tmp_path / "rows.parquet", [write_lines(tmp_path / "items.jsonl", BOTH)])
    assert (report["rows_without_text"], report["rows_matched"], report["not_checked"]) == (2, 1, [])


def test_benchmarks_of_one_file_name_stay_apart(tmp_path: Path) -> None:
    files = []
    for folder, item in zip("ab", BOTH, strict=True):
        (tmp_path / folder).mkdir()
        files.append(write_lines(tmp_path / folder / "test.jsonl", [item]))
    report = check_files(write_lines(tmp_path / "rows.jsonl", [{"text": GADGET}]), [*files, files[0]])
    assert {name: one["rows_matched"] for name, one in report["benchmarks"].items()} == {"a/test.jsonl": 0, "b/test.jsonl": 1}


@pytest.mark.parametrize("place", ["folder", "file/out.json", "\0.json"])
def test_a_report_that_cannot_be_written_is_no_match(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    data = write_lines(tmp_path / "rows.jsonl", BOTH)
    assert main(["--data", str(data), "--benchmark", str(data), "--report", str(tmp_path / place)]) == 2


def test_an_unexpected_failure_is_no_match(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of luck\x1b[31m")

    monkeypatch.setattr("stages.validate.contamination.find_leaks", fail)
    data = write_lines(tmp_path / "rows.jsonl", BOTH)
    assert main(["--data", str(data), "--benchmark", str(data)]) == 2
    assert "NOT checked: RuntimeError: out of luck?[31m" in capsys.readouterr().err


def test_half_characters_and_control_characters_do_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps({"id": "\ud800\x1b[31m", "text": f"\ud800 {PORT}"}) + "\n")
    items = write_lines(tmp_path / "items.jsonl", BOTH)
    out = str(tmp_path / "out.json")
    assert main(["--data", str(tmp_path / "rows.jsonl"), "--benchmark", str(items), "--report", out]) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_a_leak_is_found_anywhere_in_a_very_long_text(tmp_path: Path) -> None:
    filler = sentence(40, 2_000) + "\n"
    before = filler * (PIECE // len(filler) + 1)
    for place in (PIECE, PIECE - OVERLAP, 10):
        text = f"{before[: place - 60]} {PORT} {before}"
        documents = to_documents([{"text": text}])
        assert len(documents[0].texts["text"]) > 1 and max(map(len, documents[0].texts["text"])) <= PIECE
        assert any(PORT in part for part in documents[0].texts["text"])


@pytest.mark.parametrize(
    ("content", "message"), [("", "NOT checked"), ('{"a": 1}\n', "--benchmark-field"), ('{"question": "x"}\nbroken', "line 2")]
)
def test_what_could_not_be_checked_is_never_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture, content: str, message: str
) -> None:
    (tmp_path / "items.jsonl").write_text(content)
    data = write_lines(tmp_path / "rows.jsonl", [{"text": "something"}])
    assert main(["--data", str(data), "--benchmark", str(tmp_path / "items.jsonl")]) == 2
    assert message in capsys.readouterr().err


def test_the_command_starts_from_the_stage_module(tmp_path: Path, benchmark: Path) -> None:
    data = write_lines(tmp_path / "rows.jsonl", [{"text": sentence(70_001, 35)}])
    command = [
        sys.executable,
        "-m",
        "stages.validate",
        "contamination",
        "--data",
        str(data),
        "--benchmark",
        str(benchmark),
        "--no-embedding",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=Path(__file__).parents[2])
    assert done.returncode == 1, done.stderr
    assert "1 of 1 rows match" in done.stdout


def test_long_texts_are_read_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.validate.candidates._CHARACTERS", 10)
    monkeypatch.setattr("stages.validate.candidates._TEXTS", 3)
    texts = ["a", "b", "c", "d", "x" * 30, "y" * 6, "z" * 6, "e"]
    assert list(_blocks(texts)) == [(0, 3), (3, 5), (5, 7), (7, 8)]
    assert list(_blocks([])) == []
