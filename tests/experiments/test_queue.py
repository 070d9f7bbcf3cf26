import subprocess
from pathlib import Path
from typing import Any

import pytest

from stages.experiments.queue import Records, executed, last_lines, run_now, run_queued
from stages.experiments.schema import Plan, Record
from stages.experiments.workspace import Workspace

LOG = (
    "Stage 'formats' didn't change, skipping\n"
    "Running stage 'enrich':\n> python -m stages.enrich\n"
    "enrich:  50%|#####     | 1/2\renrich: 100%|##########| 2/2\r\n"
    "[enrich] in: 33,819 rows | out: 33,819 rows | rejected: 0 | 1,097.3 s\n"
    "[evaluate] evaluate.runs names the benchmark 'x'.\n"
    "ERROR: failed to reproduce 'evaluate'\n"
)


def test_the_log_says_which_stages_ran_and_how_long() -> None:
    assert executed(LOG) == {"enrich": 1097.3}


def test_the_end_of_a_log_has_no_progress_bars() -> None:
    assert last_lines(LOG)[-1] == "ERROR: failed to reproduce 'evaluate'"
    assert not [line for line in last_lines(LOG) if "%|" in line]


def test_a_record_is_found_again_and_a_torn_one_is_no_record(tmp_path: Path) -> None:
    records = Records(tmp_path)
    assert records.load("a").state == "waiting"
    records.save(Record(experiment="a", state="failed", tail=["x"]))
    assert records.load("a").tail == ["x"]
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    assert records.load("a").state == "waiting"


@pytest.mark.parametrize("now", [False, True])
def test_an_arm_that_ended_after_its_command_was_killed_is_done_and_not_run_again(tmp_path: Path, now: bool) -> None:
    workspace, records, plan = Ended(tmp_path), Records(tmp_path), Plan(arm="a", experiment="x-a", settings={}, is_baseline=False)
    if now:
        run_now(workspace, [plan], "HEAD", "evaluate", records, lambda _: None)
    else:
        run_queued(workspace, [plan], "HEAD", "evaluate", 1, records, lambda _: None)
    assert records.load("x-a").state == "done" and records.load("x-a").stages == {"enrich": 1097.3}
    assert all(command[:2] in (("queue", "logs"), ("queue", "status")) for command in workspace.commands)


class Ended(Workspace):
    """A clone that holds the result of `x-a`; of DVC only the log of its queue is there."""

    def prepare(self, commit: str) -> None:
        self.commands: list[tuple[str, ...]] = []
        identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        self.folder.mkdir(parents=True)
        for arguments in (
            ["init", "-q"],
            [*identity, "commit", "-q", "--allow-empty", "-m", "built"],
            ["update-ref", "refs/exps/ab/cdef/x-a", commit],
        ):
            subprocess.run(["git", *arguments], cwd=self.folder, check=True)

    def dvc(self, *arguments: str, check: bool = True) -> Any:
        self.commands.append(arguments)
        return subprocess.CompletedProcess(arguments, 0, LOG if arguments[1] == "logs" else "", "")
