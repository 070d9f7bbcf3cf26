import json
from pathlib import Path

import pytest

from stages.public_benchmarks.baselines import main
from stages.tables import write_table
from stages.validate.schema import TrainingRow
from tests.evaluate.planted import WORDS, label_row, row
from tests.public_benchmarks.made import write_mcq

COPY = "A report that only the benchmark has: the crafted header overruns the fixed table of the small parser of forms"


def write_rcm(path: Path) -> Path:
    lines = ["URL\tDescription\tPrompt\tGT"]
    lines += [
        f"u{number}\tA flaw, number {number}: {words}.\tMap it.\t{key}" for number, (key, words) in enumerate(WORDS.items())
    ]
    path.write_text("\n".join([*lines, f"u9\t{COPY}.\tMap it.\tCWE-787"]) + "\n")
    return path


def taught(key: str, text: str) -> TrainingRow:
    return row("cve-to-cwe", "cwe", f"Name the weakness: {text}.", f"Final answer: {key}", [key])


def test_baselines_learn_from_clean_rows_and_stand_beside_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [taught(key, f"{number} {' '.join(reversed(words.split()))}") for number in range(4) for key, words in WORDS.items()]
    rows.append(taught("CWE-787", COPY))
    write_table(tmp_path / "train.parquet", rows, TrainingRow)
    (tmp_path / "r.jsonl").write_text(
        "".join(json.dumps({"response": text}) + "\n" for text in ["CWE-79", "The CWE is CWE-89.", "CWE-5", "", "CWE-787"])
    )
    file = write_rcm(tmp_path / "rcm.tsv")
    status = main(
        [
            "--benchmark",
            "cti-rcm",
            "--benchmark-file",
            str(file),
            "--train",
            str(tmp_path / "train.parquet"),
            "--responses",
            str(tmp_path / "r.jsonl"),
        ]
    )
    said = capsys.readouterr()
    assert status == 0, said.err
    report = json.loads(said.out)
    assert report["n"] == 5
    assert report["training_rows"] == 17 and report["contaminated_rows"] == 1
    assert set(report["scores"]) == {"majority", "tfidf-linear", "bm25-nn", "model", "model+tfidf-linear"}
    assert report["scores"]["tfidf-linear"]["strict"] >= 80.0 and report["scores"]["model"]["strict"] == 40.0
    assert report["scores"]["model"]["lenient"] == 60.0
    assert report["scores"]["model+tfidf-linear"]["strict"] >= 80.0  # the linear model where the model has nothing
    paired = report["paired"]["model"]["tfidf-linear"]
    assert paired["interval"][0] <= paired["difference"] <= paired["interval"][1] and paired["difference"] <= -40.0


def test_a_table_or_benchmark_without_a_form_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(tmp_path / "train.parquet", [label_row("CWE-79", 1)], TrainingRow)
    file = write_mcq(tmp_path / "mcq.tsv")
    assert main(["--benchmark", "cti-mcq", "--benchmark-file", str(file), "--train", str(tmp_path / "train.parquet")]) == 2
    assert "kind letter" in capsys.readouterr().err
    (tmp_path / "ate.tsv").write_text("Description\tPrompt\tGT\nd\tp\tT1059\n")
    assert (
        main(
            ["--benchmark", "cti-ate", "--benchmark-file", str(tmp_path / "ate.tsv"), "--train", str(tmp_path / "train.parquet")]
        )
        == 2
    )
    assert "techniques" in capsys.readouterr().err
