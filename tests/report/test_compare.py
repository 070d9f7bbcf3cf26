"""Two builds of a tiny git and DVC repository, compared by revision, tag, branch and workspace."""

import os
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pyarrow.parquet
import pytest
from dvc.repo import Repo

from stages.errors import InputError
from stages.report.compare import MOST, _details, compare, main
from stages.report.differences import changed_scores, changes, composition
from stages.report.revisions import Revision

MAKE = """
import json, pathlib, re
import pyarrow, pyarrow.parquet
right = int(re.search(r"rank: (\\d+)", pathlib.Path("params.yaml").read_text())[1])
systems = {"finetuned": right, "base": 20, "majority": 10}
rows = [{"benchmark": "secforge-mcq", "protocol": "loglikelihood", "system": name, "item_id": f"i{n}", "correct": n < count}
        for name, count in systems.items() for n in range(100)]
scores = {name: {"accuracy": count / 100, "n": 100, "low": max(0, count / 100 - 0.08), "high": count / 100 + 0.08}
          for name, count in systems.items()}
for folder in ("data/evaluate", "metrics/timings"):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), "data/evaluate/predictions.parquet")
llm = {"requests": right, "prompt_tokens": 10 * right, "completion_tokens": right, "failed": 0}
figures = {"evaluate": {"confidence": 0.95, "scores": {"secforge-mcq": {"loglikelihood": scores}}},
           "enrich": {"kept": {"rows": right}, "note": "a | b <c>", "llm": llm}, "finetune": {"rows": 500}}
for name, values in figures.items():
    pathlib.Path(f"metrics/{name}.json").write_text(json.dumps(values))
pathlib.Path("metrics/timings/enrich.json").write_text(json.dumps({"calls": 3, "usd_paid": 0.5, "tokens_paid": 7}))
pathlib.Path("metrics/validate_composition.csv").write_text(
    f"family,source,licence,type,rows\\nattack,attack,L,id,{right}\\ncwe,cwe,L,id,5\\n")
"""
GRAPH = """
stages:
  evaluate:
    cmd: "{python} make.py"
    deps: [make.py]
    params: [finetune]
    outs: [data/evaluate/predictions.parquet]
    metrics: [metrics/evaluate.json: {{cache: false}}, metrics/enrich.json: {{cache: false}}, metrics/finetune.json: {{cache: false}}]
"""


def run(root: Path, *command: str) -> None:
    subprocess.run(command, cwd=root, check=True, capture_output=True)


def build(root: Path, rank: int) -> None:
    (root / "params.yaml").write_text(f"finetune: {{rank: {rank}}}\n")
    with chdir(root), Repo() as repository:
        repository.reproduce()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tag `old` scores 40 of 100, branch `main` 60; the commit before `old` has no build."""
    root = tmp_path_factory.mktemp("compared")
    run(root, "git", "init", "-q", "-b", "main")
    run(root, "git", "config", "user.email", "builder@example.org")
    run(root, "git", "config", "user.name", "Builder")
    Repo.init(str(root)).close()
    (root / "make.py").write_text(MAKE)
    (root / "dvc.yaml").write_text(GRAPH.format(python=sys.executable))
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-q", "-m", "nothing built yet")
    run(root, "git", "tag", "empty")
    for rank, tag in ((40, "old"), (60, "new")):
        build(root, rank)
        run(root, "git", "add", "-A")
        run(root, "git", "commit", "-q", "-m", tag)
        run(root, "git", "tag", tag)
    return root


@pytest.fixture
def repository(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "repository", symlinks=True))


@pytest.fixture(scope="module")
def old(built: Path) -> Revision:
    return Revision(built, "old")


@pytest.fixture(scope="module")
def new(built: Path) -> Revision:
    return Revision(built, "main")


def test_params_scores_composition_cost_and_figures_of_two_revisions(old: Revision, new: Revision) -> None:
    text = compare(old, new)
    assert "**better on 1** (secforge-mcq loglikelihood finetuned), **worse on 0**" in text
    assert "| `finetune.rank` | 40 | 60 |" in text
    assert "| evaluate | data/evaluate/predictions.parquet, metrics/enrich.json, metrics/evaluate.json |" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| secforge-mcq |")]
    assert "| finetuned | paired | 100 | 40.0 → 60.0 | +20.0 (+12.0 to +28.0) | 1.91e-06 | better |" in line
    assert "2 more scores: every shared item is answered equally" in text
    assert "| attack | 40 | 60 | +20 |" in text and "| cwe |" not in text
    assert "| enrich | 40 → 60 | 400 → 600 | 40 → 60 | 3 | 7 | 0.5 | – |" in text
    assert "| `enrich.kept.rows` | 40 | 60 | +20 |" in text and "finetune.rows" not in text
    assert text == compare(old, new)


def test_the_other_way_round_is_worse(old: Revision, new: Revision) -> None:
    assert "**worse on 1** (secforge-mcq loglikelihood finetuned)" in compare(new, old)


def test_the_workspace_is_compared_as_it_stands(repository: Path) -> None:
    assert "the same, byte for byte" in compare(Revision(repository, "HEAD"), Revision(repository, "."))
    build(repository, 55)
    text = compare(Revision(repository, "HEAD"), Revision(repository, "."))
    assert "| paired | 100 | 60.0 → 55.0 | -5.0" in text and "→ the workspace" in text
    assert "| `finetune.rank` | 60 | 55 |" in text


def test_answers_and_figures_that_no_lock_file_knows_are_seen(repository: Path) -> None:
    """Whatever dvc.lock says of the workspace, its files are compared."""
    scores = repository / "metrics" / "evaluate.json"
    scores.write_text(scores.read_text().replace('"accuracy": 0.6', '"accuracy": 0.9'))
    text = compare(Revision(repository, "HEAD"), Revision(repository, "."))
    assert "the same, byte for byte; 1 figures that evaluate makes of them differ" in text
    assert "| `evaluate.scores.secforge-mcq.loglikelihood.finetuned.accuracy` | 0.6 | 0.9 | +0.3 |" in text
    assert "| evaluate | metrics/evaluate.json |" in text
    answers = repository / "data" / "evaluate" / "predictions.parquet"
    rows = pyarrow.parquet.read_table(answers)
    answers.unlink()
    pyarrow.parquet.write_table(rows.slice(0, 90), answers)
    text = compare(Revision(repository, "HEAD"), Revision(repository, "."))
    assert "byte for byte" not in text and "| evaluate | data/evaluate/predictions.parquet, metrics/evaluate.json |" in text


def test_without_the_answers_scores_are_compared_unpaired_and_it_says_so(repository: Path) -> None:
    shutil.rmtree(repository / ".dvc" / "cache")
    first, second = Revision(repository, "old"), Revision(repository, "new")
    text = compare(first, second)
    assert "The answers of old (" in text and "neither in DVC's cache nor in a remote: unpaired" in text
    (line,) = [line for line in text.splitlines() if "| finetuned |" in line]
    assert "| unpaired | 100 | 40.0 → 60.0 | +20.0 (+8.7 to +31.3) | – | better |" in line
    assert {one.verdict for one in changed_scores(first, second) if one.test[2] == "base"} == {"no difference shown"}


def test_a_revision_without_metrics_and_an_unknown_one_are_named(built: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"empty \([0-9a-f]{10}\) holds no metrics") as caught:
        Revision(built, "empty")
    assert "dvc repro" in str(caught.value)
    for name in ("no-such-branch", "--output=x", "HEAD:make.py"):
        with pytest.raises(InputError, match="git knows no revision") as caught:
            Revision(built, name)
        assert "HEAD, main, empty, new, old" in str(caught.value)
    with pytest.raises(InputError, match="git rev-parse"):
        Revision(tmp_path, "HEAD")


def test_params_that_todays_code_does_not_read_are_compared_as_written(repository: Path) -> None:
    (repository / "params.yaml").write_text("finetune: {rank: 60, no_such_key: 1}\n")
    text = compare(Revision(repository, "HEAD"), Revision(repository, "."))
    assert "| `finetune.no_such_key` | – | 1 |" in text and "values as written, without defaults" in text


def test_the_command_writes_a_file_and_fails_in_one_message(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(built)
    assert main(["main", "new", "--markdown", str(tmp_path / "comment.md")]) == 0
    assert (tmp_path / "comment.md").read_text(encoding="utf-8").startswith("# main (")
    assert main(["old", "nowhere"]) == 1
    assert capsys.readouterr().err.startswith("[report] git knows no revision 'nowhere'.")


def test_a_reader_that_has_seen_enough_ends_it_quietly(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with `| head -1`: the other end of the pipe is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.chdir(built)
    monkeypatch.setattr("stages.report.compare.compare", lambda *_: "line\n" * 50_000)
    with open(writing, "w", encoding="utf-8") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert main(["old", "new"]) == 0
    assert capsys.readouterr().err == ""


def test_text_of_figures_is_no_markup(repository: Path) -> None:
    (repository / "metrics" / "enrich.json").write_text('{"note": "x | y <script> `z`"}')
    text = compare(Revision(repository, "HEAD"), Revision(repository, "."))
    assert "| `enrich.note` | a \\| b &lt;c&gt; | x \\| y &lt;script&gt; \\`z\\` |" in text


def test_changes_name_what_only_one_side_has() -> None:
    found = {one.name: (one.first, one.second) for one in changes({"a": {"b": 1, "c": None}}, {"a": {"b": 1}, "d": {"e": [2]}})}
    assert found == {"a.c": (None, None), "d.e": (None, [2])}


def test_long_lists_of_figures_are_cut_with_their_count() -> None:
    text = _details("Figures", ["name"], [[str(number)] for number in range(MOST + 5)])
    assert f"{MOST + 5} differ" in text and "… and 5 more" in text and text.count("\n| ") == MOST + 2


def test_composition_of_a_table_without_the_column_is_empty(old: Revision, new: Revision) -> None:
    assert composition(old, new, "licence") == [("L", 45, 65)]
    assert composition(old, new, "no-such-column") == []
