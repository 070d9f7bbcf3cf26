import json
import subprocess
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.experiments.__main__ import main
from stages.experiments.command import refuse_loss, refuse_untracked_stages, show_table


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text("enrich: {keep: {judge: true}}\n", encoding="utf-8")
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "params.yaml"], [*identity, "commit", "-q", "-m", "params"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    return tmp_path


def test_a_table_never_takes_uncommitted_params_for_those_of_the_commit(root: Path) -> None:
    (root / "params.yaml").write_text("enrich: {keep: {judge: false}}\n", encoding="utf-8")
    with pytest.raises(InputError, match="params.yaml"):
        show_table("judge", root)


def test_a_table_of_waiting_arms_does_not_replace_results_of_another_commit(root: Path) -> None:
    file = root / "metrics/experiments/judge.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"commit": "a" * 40}), encoding="utf-8")
    with pytest.raises(InputError, match="aaaaaaaaaa[\\s\\S]*without-judge[\\s\\S]*run judge"):
        refuse_loss("judge", "b" * 40, ["without-judge"], root)
    refuse_loss("judge", "b" * 40, [], root)
    refuse_loss("judge", "a" * 40, ["without-judge"], root)


def test_a_format_that_git_does_not_know_is_refused_and_a_new_experiment_is_not(root: Path) -> None:
    for name in ("experiments/library/mine.yaml", "formats/library/mine.yaml"):
        (root / "stages" / name).parent.mkdir(parents=True)
        (root / "stages" / name).write_text("x: 1\n", encoding="utf-8")
    with pytest.raises(InputError, match="know stages/formats/library/mine.yaml:"):
        refuse_untracked_stages(root)
    (root / "stages/formats/library/mine.yaml").unlink()
    refuse_untracked_stages(root)


@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_no_arm_at_a_time_is_no_way_to_run(
    jobs: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["experiments", "run", "judge", f"--jobs={jobs}"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "1 or more" in capsys.readouterr().err
