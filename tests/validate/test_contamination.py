import json
import subprocess
import sys
from pathlib import Path

import pytest

from stages.errors import FetchError
from stages.validate import encoder_at_hand
from stages.validate.contamination import main
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
