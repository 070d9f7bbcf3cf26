"""A run of a model on a public benchmark: resumable, repeatable, from a folder or a server."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.public_benchmarks import run as command
from stages.public_benchmarks.declarations import find_benchmark
from stages.public_benchmarks.items import read_items
from stages.public_benchmarks.predictions import Predictions
from stages.public_benchmarks.protocols import Asked, ask_items, in_batches, shot_examples
from tests.fake_openai import FakeOpenAI, Fault
from tests.public_benchmarks.made import MCQ, write_mcq, write_open


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, dict, str]:
    status = command.main([str(one) for one in arguments])
    said = capsys.readouterr()
    return status, json.loads(said.out) if said.out else {}, said.err


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("protocol", ["generative", "loglikelihood"])
def test_two_runs_are_equal_and_a_killed_one_goes_on(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    file = write_mcq(tmp_path / "mcq.tsv")
    asked = [
        "--benchmark",
        "cti-mcq",
        "--benchmark-file",
        file,
        "--model",
        tiny_folder,
        "--protocol",
        protocol,
        "--batch",
        2,
        "--max-new-tokens",
        4,
    ]
    status, whole, _ = run(capsys, *asked, "--out", "a.jsonl")
    assert status == 0 and whole["n"] == 4 and whole["protocol"] == protocol
    calls: list[int] = []
    original = command.answer_batch

    def dying(variant, batch, *rest):  # type: ignore[no-untyped-def]
        calls.append(len(batch))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(variant, batch, *rest)

    monkeypatch.setattr(command, "answer_batch", dying)
    assert run(capsys, *asked, "--out", "b.jsonl")[0] == 130
    with open("b.jsonl", "ab") as half:
        half.write(b'{"item_id": "9')
    status, resumed, _ = run(capsys, *asked, "--out", "b.jsonl")
    assert status == 0 and resumed == whole and calls == [2, 2, 2]
    assert Path("a.jsonl").read_bytes() == Path("b.jsonl").read_bytes()
    monkeypatch.setattr(command, "answer_batch", None)  # a finished run asks nothing
    assert run(capsys, *asked, "--out", "b.jsonl")[1] == whole


def test_other_settings_do_not_go_on_with_a_file(tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_mcq(tmp_path / "mcq.tsv")
    asked = ["--benchmark", "cti-mcq", "--benchmark-file", file, "--model", tiny_folder, "--out", "a.jsonl", "--max-new-tokens"]
    assert run(capsys, *asked, 2)[0] == 0
    status, _, err = run(capsys, *asked, 3)
    assert status == 2 and "max_new_tokens was 2" in err and "Name another --out" in err


def test_five_examples_stand_before_the_question_and_are_not_asked(tmp_path: Path) -> None:
    benchmark = find_benchmark("cti-mcq")
    file = tmp_path / "long.tsv"
    rows = "".join(f"u\tWhat is {number}?\tw\tx\ty\tz\tp\tB\n" for number in range(7))
    file.write_text("URL\tQuestion\tOption A\tOption B\tOption C\tOption D\tPrompt\tGT\n" + rows)
    items = read_items(file, benchmark).items
    examples = shot_examples(benchmark, items, None)
    asked = ask_items(benchmark, items, "five-shot", examples)
    assert len(examples) == 5 and len(asked) == 2 and not asked[0].chat
    assert asked[0].text.count("Answer: B") == 5 and asked[0].text.endswith(f"{asked[0].item.question}\nA. w\nB. x\nC. y\nD. z\n")
    given = shot_examples(benchmark, items, write_mcq(tmp_path / "shots.tsv"))
    assert (
        len(ask_items(benchmark, items, "five-shot", given)) == 7
        and MCQ[0][0] in ask_items(benchmark, items, "five-shot", given)[0].text
    )


def test_open_questions_after_five_examples_are_answered_in_one_line(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = [
        {"id": f"q{number}", "question": f"Which? {number}", "choices": ["A: x", "B: y"], "answer": "AB"} for number in range(7)
    ]
    (tmp_path / "s.json").write_text(json.dumps(questions))
    status, report, _ = run(
        capsys,
        "--benchmark",
        "seceval",
        "--benchmark-file",
        "s.json",
        "--model",
        tiny_folder,
        "--protocol",
        "five-shot",
        "--out",
        "a.jsonl",
    )
    assert status == 0 and report["n"] == 2 and len(report["examples"]) == 5
    assert all("\n" not in json.loads(line)["response"] for line in Path("a.jsonl").read_text().splitlines())


def test_an_item_that_is_too_long_for_the_model_is_a_counted_outcome(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_open(tmp_path / "rcm.tsv", ["CWE-1", "CWE-2"])
    file.write_text(file.read_text().replace("Map flaw 2.", "flaw " * 3000))
    status, report, err = run(
        capsys,
        "--benchmark",
        "cti-rcm",
        "--benchmark-file",
        file,
        "--model",
        tiny_folder,
        "--max-new-tokens",
        4,
        "--out",
        "a.jsonl",
    )
    assert status == 0 and report["outcomes"]["empty"] == 1 and "1 items do not fit" in err


def test_batches_depend_on_the_items_alone(tmp_path: Path) -> None:
    items = read_items(write_mcq(tmp_path / "mcq.tsv"), find_benchmark("cti-mcq")).items
    asked = [Asked(item, item.prompt, chat=True) for item in items]
    assert list(in_batches(asked, 3)) == list(in_batches(asked[::-1], 3))
    assert [len(batch) for batch in in_batches(asked, 3)] == [3, 1]


def test_a_server_is_asked_through_the_client_and_only_for_what_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(messages: list[dict[str, str]]) -> str:
        return "Reasons.\nB" if "unsigned" in messages[-1]["content"] else "The answer is (A)."

    file = write_mcq(tmp_path / "mcq.tsv")
    with FakeOpenAI(
        behaviour=answer, faults=[Fault("status", pattern="hash", status=400), Fault("empty", pattern="port")]
    ) as server:
        asked = [
            "--benchmark",
            "cti-mcq",
            "--benchmark-file",
            file,
            "--model",
            server.base_url,
            "--model-name",
            "m",
            "--out",
            "a.jsonl",
        ]
        status, report, err = run(capsys, *asked)
        assert status == 1 and "1 items have no answer" in err
        assert (report["n"], report["strict"], report["lenient"]) == (3, 33.33, 66.67) and report["outcomes"]["empty"] == 1
        server.faults.clear()
        calls = server.calls
        status, report, _ = run(capsys, *asked)
        assert status == 0 and report["n"] == 4 and server.calls == calls + 1
    assert server.payloads[0]["temperature"] == 0.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "http://127.0.0.1:9/v1"], "--model-name"),
        (["--model", "http://127.0.0.1:9/v1", "--model-name", "m", "--protocol", "loglikelihood"], "generative"),
        (["--model", "gone"], "gone"),
        (["--model", "gone", "--protocol", "guess"], "five-shot"),
    ],
)
def test_what_cannot_be_run_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    file = write_mcq(tmp_path / "mcq.tsv")
    status, report, err = run(capsys, "--benchmark", "cti-mcq", "--benchmark-file", file, "--out", "a.jsonl", *arguments)
    assert status == 2 and said in err and not report


def test_a_file_without_keys_can_be_asked_but_not_scored(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taa.tsv").write_text("URL\tText\tPrompt\nu\tReport.\tWho did it? Report.\n")
    status, report, _ = run(
        capsys,
        "--benchmark",
        "cti-taa",
        "--benchmark-file",
        "taa.tsv",
        "--model",
        tiny_folder,
        "--max-new-tokens",
        2,
        "--out",
        "a.jsonl",
    )
    assert status == 0 and "no keys" in report["note"] and "strict" not in report


def test_predictions_of_another_form_are_refused(tmp_path: Path) -> None:
    with Predictions(tmp_path / "a.jsonl", {"model": "m"}) as predictions:
        predictions.add([{"item_id": "1", "response": "é\u2028"}])
    with Predictions(tmp_path / "a.jsonl", {"model": "m"}) as predictions:
        assert predictions.done == {"1": {"item_id": "1", "response": "é\u2028"}}
    (tmp_path / "a.jsonl").write_text("no json\n")
    with pytest.raises(Exception, match="line 1"):
        Predictions(tmp_path / "a.jsonl", {"model": "m"})
