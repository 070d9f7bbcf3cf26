import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stages.public_benchmarks.score import main
from tests.public_benchmarks.made import write_blocks, write_jsonl, write_mcq, write_open

ROOT = Path(__file__).parents[2]


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    status = main([str(one) for one in arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_command_prints_json_alone(tmp_path: Path) -> None:
    benchmark = write_mcq(tmp_path / "mcq.tsv")
    responses = write_blocks(tmp_path / "r.txt", ["Reasons.\nB", "The answer is (A).", "", "C"])
    command = [
        sys.executable,
        "-m",
        "stages.evaluate",
        "score",
        "--benchmark",
        "cti-mcq",
        "--benchmark-file",
        str(benchmark),
        "--responses",
        str(responses),
    ]
    done = [subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True) for _ in range(2)]
    shown = json.loads(done[0].stdout)
    assert {name: shown[name] for name in ("benchmark", "n", "strict", "lenient", "unparseable")} == {
        "benchmark": "cti-mcq", "n": 4, "strict": 25.0, "lenient": 50.0, "unparseable": 25.0,
    }  # fmt: skip
    assert shown["interval"] == [4.56, 69.94]  # Wilson, 1 of 4
    assert shown["benchmark_file"]["as_declared"] is False and "not the published file" in done[0].stderr
    assert done[0].stdout == done[1].stdout


def test_a_report_holds_every_item(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = write_open(tmp_path / "rcm.tsv", ["CWE-79", "CWE-20"])
    responses = write_jsonl(tmp_path / "r.jsonl", [{"output": "CWE-79"}, {"output": "none"}])
    status, out, _ = run(
        capsys, "--benchmark", "cti-rcm", "--benchmark-file", benchmark, "--responses", responses, "--report", tmp_path / "o.json"
    )
    report = json.loads((tmp_path / "o.json").read_text())
    assert status == 0 and {**json.loads(out), "items": report["items"]} == report
    assert [(one["item"], one["outcome"], one["strict_score"]) for one in report["items"]] == [
        ("1", "answered", 1),
        ("2", "unparseable", 0),
    ]


@pytest.mark.parametrize(
    ("benchmark", "responses", "said"),
    [
        ("cti-mcq", '{"output": "B"}\n', r"1 responses, the benchmark file 4 items"),
        ("nothing", "", "There is no benchmark 'nothing'"),
        ("cti-vsp", "", "no column Description"),
    ],
)
def test_faults_are_one_message_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], benchmark: str, responses: str, said: str
) -> None:
    file = write_mcq(tmp_path / "mcq.tsv")
    (tmp_path / "r.jsonl").write_text(responses)
    status, out, err = run(capsys, "--benchmark", benchmark, "--benchmark-file", file, "--responses", tmp_path / "r.jsonl")
    assert status == 2 and out == "" and said in err and "Remedy" in err


def test_what_must_be_given_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--benchmark", "cti-mcq")[0] == 2
    status, out, err = run(capsys)
    assert status == 2 and "--benchmark and --responses" in err and out == ""


def test_the_list_has_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--list")
    assert status == 0 and len(out.splitlines()) == 20 and "CC-BY-NC-SA-4.0" in out


@pytest.mark.mirror
def test_the_right_answers_score_100_on_every_published_file(mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    from stages.public_benchmarks.declarations import load_benchmarks
    from stages.public_benchmarks.items import read_items

    monkeypatch.setenv("SECFORGE_MIRROR", str(mirror))
    for name, one in load_benchmarks().items():
        if one.direction == "lower" or not one.mirror or name == "cti-taa":
            continue
        found = read_items(mirror / one.mirror, one)
        keys = {item.place: ("" if one.extractor == "letters" else ", ").join(item.key) for item in found.items}
        responses = write_blocks(
            tmp_path / f"{name}.txt", [f"Because.\n{keys.get(place, '')}" for place in range(1, found.rows + 1)]
        )
        status, out, err = run(capsys, "--benchmark", name, "--responses", responses)
        shown = json.loads(out)
        assert status == 0 and shown["strict"] == shown["lenient"] == 100.0 and shown["unparseable"] == 0.0, err
        assert shown["benchmark_file"]["as_declared"] is True and shown["n"] == len(found.items)


def test_a_report_never_overwrites_what_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = write_mcq(tmp_path / "mcq.tsv")
    responses = write_blocks(tmp_path / "r.txt", list("BACD"))
    for read in (benchmark, responses):
        before = read.read_bytes()
        status, out, err = run(
            capsys,
            "--benchmark",
            "mcq",
            "--benchmark-file",
            benchmark,
            "--responses",
            responses,
            "--report",
            tmp_path / "." / read.name,
        )
        assert status == 2 and out == "" and "would overwrite" in err and read.read_bytes() == before


def test_the_report_says_how_responses_were_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = write_mcq(tmp_path / "mcq.tsv")
    responses = write_jsonl(tmp_path / "r.jsonl", [{"idx": n, "Response": key} for n, key in enumerate("BACD")][::-1])
    status, out, _ = run(capsys, "--benchmark", "CTI-Bench MCQ", "--benchmark-file", benchmark, "--responses", responses)
    report = json.loads(out)
    assert status == 0 and report["strict"] == 100.0 and report["benchmark"] == "cti-mcq"
    assert (report["responses"]["field"], report["responses"]["ordered_by"]) == ("Response", "idx")


def test_responses_without_any_answer_are_worth_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = write_mcq(tmp_path / "mcq.tsv")
    responses = write_jsonl(tmp_path / "r.jsonl", [{"output": "It is raining.", "guess": key} for key in "BACD"])
    status, out, err = run(capsys, "--benchmark", "mcq", "--benchmark-file", benchmark, "--responses", responses)
    assert status == 0 and json.loads(out)["unparseable"] == 100.0 and "hold no answer (field output)" in err


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = write_mcq(tmp_path / "mcq.tsv")
    (tmp_path / "r.tsv").write_text("\x1b[31mone\ttwo\n" + "A\tB\n" * 4)
    status, out, err = run(capsys, "--benchmark", "mcq", "--benchmark-file", benchmark, "--responses", tmp_path / "r.tsv")
    assert status == 2 and "\x1b" not in err + out and "\\x1b[31mone" in err


def test_a_reader_that_stops_early_is_no_failure(tmp_path: Path) -> None:
    benchmark, responses = write_mcq(tmp_path / "mcq.tsv"), write_blocks(tmp_path / "r.txt", list("BACD"))
    reading, writing = os.pipe()
    os.close(reading)
    command = [
        "-m",
        "stages.evaluate",
        "score",
        "--benchmark",
        "mcq",
        "--benchmark-file",
        str(benchmark),
        "--responses",
        str(responses),
    ]
    done = subprocess.run([sys.executable, *command], stdout=writing, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    os.close(writing)
    assert done.returncode == 0 and "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr
