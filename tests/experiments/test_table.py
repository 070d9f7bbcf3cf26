"""Tables out of small builds in a real git repository; tables of rows lie where DVC's cache would be fetched to."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stages.experiments.builds import Build
from stages.experiments.figures import compare, differing
from stages.experiments.schema import Arm, Experiment, Figure, Plan, Record
from stages.experiments.table import markdown, results, write
from stages.experiments.workspace import FOLDER

KEPT = Figure(figure="kept", better="higher")
ACCURACY = Figure(figure="accuracy", better="higher", benchmark="secforge-mcq", protocol="loglikelihood", system="finetuned")
EXPERIMENT = Experiment(question="Which?", arms=[Arm(name="one", set={})], compare=[KEPT, ACCURACY], careful=["Small | data."])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def commit(root: Path, kept: str, right: str, *, factuality: int = 8, model: str = "m1", data: str = "d1") -> str:
    """A build: one letter per row (k kept, r refused, n not selected), one digit per item."""
    decisions = {"k": "rewritten", "r": "template", "n": "not-selected"}
    rows = [
        {
            "id": f"row{number}",
            "decision": decisions[letter],
            "readability": "rewritten" if letter == "k" else "",
            "factuality": 9 if letter == "k" else None,
            "reasons": ["key-changed"] if letter == "r" else [],
        }
        for number, letter in enumerate(kept)
    ]
    answers = [
        {
            "system": "finetuned",
            "benchmark": "secforge-mcq",
            "protocol": "loglikelihood",
            "item_id": str(number),
            "parsed": ["A"],
            "correct": digit == "1",
        }
        for number, digit in enumerate(right)
    ]
    outs = {
        "data/enrich/rows.parquet": place(root, f"rows-{kept}", rows),
        "data/evaluate/predictions.parquet": place(root, f"answers-{right}", answers),
        "data/validate/train.parquet": f"train-{data}",
        "models/finetune/merged": f"{model}.dir",
    }
    lock = "stages:\n  all:\n    outs:\n" + "".join(f"    - {{path: {path}, md5: {md5}}}\n" for path, md5 in outs.items())
    (root / "dvc.lock").write_text(lock, encoding="utf-8")
    (root / "params.yaml").write_text(f"enrich: {{keep: {{factuality: {factuality}}}}}\n", encoding="utf-8")
    score = {"n": len(right), "accuracy": right.count("1") / len(right), "low": 0.1, "high": 0.9}
    figures = {"scores": {"secforge-mcq": {"loglikelihood": {"finetuned": score}}}}
    (root / "metrics" / "timings").mkdir(parents=True, exist_ok=True)
    (root / "metrics" / "evaluate.json").write_text(json.dumps(figures), encoding="utf-8")
    (root / "metrics" / "formats.json").write_text('{"tasks": 9, "status": {"approved": 5, "draft": 2}}', encoding="utf-8")
    (root / "metrics" / "enrich.json").write_text('{"calibration": {"passed": false}}', encoding="utf-8")
    (root / "metrics" / "timings" / "enrich.json").write_text('{"calls": 7, "tokens_paid": 900}', encoding="utf-8")
    git(root, "add", "params.yaml", "dvc.lock", "metrics")
    git(root, "commit", "-q", "--allow-empty", "-m", "build")
    return git(root, "rev-parse", "HEAD")


def place(root: Path, name: str, rows: list[dict[str, Any]]) -> str:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    folder = root / FOLDER / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    parquet.write_table(arrow.Table.from_pylist(rows), folder / f"{name}.parquet")
    return name


def arm(name: str, revision: str, **changes: Any) -> tuple[Plan, Record]:
    plan = Plan(arm=name, experiment=f"trial-{name}", settings={"enrich.keep.factuality": 8}, is_baseline=False)
    return plan, Record(
        experiment=plan.experiment, **{"state": "done", "revision": revision, "stages": {"enrich": 3.5}} | changes
    )


def test_arms_are_compared_on_the_rows_that_both_tried(root: Path) -> None:
    first = Build(root, commit(root, "rrrrrrrrkn", "0" * 20))
    other = Build(root, commit(root, "kkkkkkkknk", "1" * 20, factuality=9, model="m2"))
    kept = compare(KEPT, first, other)
    assert (kept["n"], kept["difference"], kept["verdict"]) == (8, 1.0, "better") and kept["p"] == pytest.approx(
        2 / 2**8, abs=1e-6
    )
    assert compare(ACCURACY, first, other)["difference"] == 1.0
    assert compare(Figure(figure="kept", better="lower"), first, other)["verdict"] == "worse"
    assert differing(first.params, other.params) == {"enrich.keep.factuality": [8, 9]}


def test_four_differing_pairs_of_22_are_no_difference_whatever_the_bootstrap_says(root: Path) -> None:
    first, other = Build(root, commit(root, "r" * 22, "0")), Build(root, commit(root, "kkkk" + "r" * 18, "0"))
    kept = compare(KEPT, first, other)
    assert kept["low"] > 0 and kept["p"] == 0.125 and kept["verdict"] == "no difference shown"


def test_nothing_in_common_is_said_and_no_figure_is_made_up(root: Path) -> None:
    first, other = Build(root, commit(root, "nn", "1")), Build(root, commit(root, "kk", "0"))
    assert compare(KEPT, first, other) == {"n": 0}


def test_the_table_says_where_an_arm_is_the_same_model_and_what_failed(root: Path) -> None:
    first, other = commit(root, "rrk", "0011"), commit(root, "rrr", "0011", factuality=9)
    failed = arm("broken", "", state="failed", tail=["boom <script>"], stages={})
    table = results("trial", EXPERIMENT, first, root, [arm("one", first), arm("two", other), failed])
    page = write(table, root).read_text(encoding="utf-8")
    assert page == markdown(json.loads((root / "metrics/experiments/trial.json").read_text()))
    assert page.count("same data, same model") == 2 and "say nothing about the question" in page
    assert "| two | `enrich.keep.factuality: 8` | done | enrich | 4 | 7 calls, 900 tokens |" in page
    assert "    boom <script>" in page and "| broken |" in page
    assert "33.3 % (" in page and "key-changed 2" in page and "Small | data." in page and "| 7 of 9 |" in page
    assert "failed its calibration" in page


def test_rows_that_differ_and_are_not_trained_on_make_the_same_model(root: Path) -> None:
    arms = [arm("one", commit(root, "rr", "01")), arm("two", commit(root, "kr", "01", data="d2"))]
    page = markdown(results("trial", EXPERIMENT, "c" * 40, root, arms))
    assert page.count("other data, same model") == 2 and "not among those that its token budget trains on" in page


def test_a_score_that_differs_is_shown_although_the_model_is_the_same(root: Path) -> None:
    arms = [arm("one", commit(root, "rr", "0001")), arm("two", commit(root, "kr", "0111", data="d2"))]
    page = markdown(results("trial", EXPERIMENT, "c" * 40, root, arms))
    assert "25.0 % -> 75.0 %" in page and "75.0 % (10.0-90.0), n 4" in page
    assert "data, same model" not in page and "scores other than those shown as numbers say nothing" in page


def test_only_the_commits_own_build_is_said_to_be_the_commits(root: Path) -> None:
    built = commit(root, "rk", "01")
    page = markdown(results("trial", EXPERIMENT, built, root, [arm("one", built, stages={})]))
    assert "none known" in page and "the commit is built so" not in page


def test_two_tables_of_the_same_arms_are_the_same_bytes(root: Path) -> None:
    arms = [arm("one", commit(root, "rk", "01")), arm("two", commit(root, "kk", "11", model="m2"))]
    made = [write(results("trial", EXPERIMENT, "c" * 40, root, arms), root).read_bytes() for _ in range(2)]
    assert made[0] == made[1]


def test_without_its_first_arm_the_others_still_make_a_table(root: Path) -> None:
    failed = arm("one", "", state="failed", tail=["no memory"])
    table = results("trial", EXPERIMENT, "c" * 40, root, [failed, arm("two", commit(root, "rk", "01"))])
    assert table["comparisons"] == [] and "no memory" in markdown(table) and "| two |" in markdown(table)
