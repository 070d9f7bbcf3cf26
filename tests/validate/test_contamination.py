import json
import subprocess
import sys
from pathlib import Path

import pytest

from stages.validate.contamination import main
from tests.validate.samples import sentence


def write_lines(path: Path, records: list[dict]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


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
    assert "2 of 200 rows match" in capsys.readouterr().out


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
    command = [sys.executable, "-m", "stages.validate", "contamination", "--data", str(data), "--benchmark", str(benchmark)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=Path(__file__).parents[2])
    assert done.returncode == 1, done.stderr
    assert "1 of 1 rows match" in done.stdout
