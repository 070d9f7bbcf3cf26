"""Arms through DVC's queue, or one after another: what is done is not run again, what failed is shown and tried again."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from stages.errors import InputError
from stages.experiments.overrides import overrides
from stages.experiments.schema import Plan, Record, State
from stages.experiments.workspace import Workspace, refs
from stages.tables import write_json

TAIL = 12  # lines shown of an arm that failed
POLL_SECONDS = 10.0  # each look costs two seconds of a processor
FIRST_POLL_SECONDS = 2.0
LOST_AFTER = 20  # looks at a queue without a worker that still holds a waiting or running arm
STOP_SECONDS = 15.0
STATES: dict[str, State] = {"Queued": "queued", "Running": "running", "Success": "done", "Failed": "failed"}
_SUMMARY = re.compile(r"^\[(\w+)\] in: .* \| ([\d,.]+) s$")  # the one line with which every stage ends
_STARTED = re.compile(r"^Running stage '(\w+)'")

Say = Callable[[str], None]


class Records:
    """One small file per arm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, experiment: str) -> Record:
        """What is known of it; a new record if nothing is."""
        try:
            return msgspec.json.decode((self.folder / f"{experiment}.json").read_bytes(), type=Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return Record(experiment=experiment)

    def save(self, record: Record) -> None:
        """Write it whole."""
        write_json(self.folder / f"{record.experiment}.json", msgspec.to_builtins(record))


def run_queued(
    workspace: Workspace, plans: Sequence[Plan], commit: str, target: str, jobs: int, records: Records, say: Say
) -> None:
    """Queue every plan that is not done, start workers and wait until none is left."""
    with workspace.exclusive():
        workspace.prepare(commit)
        plans = _unfinished(workspace, plans, records, say)
        known = status(workspace)
        for plan in plans:
            if known.get(plan.experiment) in ("queued", "running"):
                say(f"{plan.arm}: in the queue already")
                continue
            if plan.experiment in known:
                workspace.dvc("queue", "remove", plan.experiment)  # it failed, or its result was removed
            workspace.dvc("exp", "run", "--queue", *_arguments(workspace, plan, target))
            say(f"{plan.arm}: queued as {plan.experiment}")
    if plans:
        workspace.dvc("queue", "start", "--jobs", str(jobs))
    _wait(workspace, plans, records, say)


def run_now(workspace: Workspace, plans: Sequence[Plan], commit: str, target: str, records: Records, say: Say) -> None:
    """Each plan by `dvc exp run --temp`, one after another; a failed one does not stop the others."""
    with workspace.exclusive():
        workspace.prepare(commit)
        for plan in _unfinished(workspace, plans, records, say):
            path = workspace.folder.parent / f"{plan.experiment}.log"
            say(f"{plan.arm}: running as {plan.experiment}; log {path}")
            with path.open("w", encoding="utf-8") as log:
                process = workspace.start(log, "exp", "run", "--temp", *_arguments(workspace, plan, target))
                code = _follow(process, path, lambda line, arm=plan.arm: say(f"{arm}: {line}"))
            text = path.read_text(encoding="utf-8", errors="replace")
            _finish(plan, "failed" if code else "done", text, records, say)


def status(workspace: Workspace) -> dict[str, State]:
    """State of every experiment in the queue, by name."""
    found: dict[str, State] = {}
    for line in workspace.dvc("queue", "status").stdout.splitlines():
        words = line.split()
        if len(words) >= 4 and words[-1] in STATES:
            found[words[1]] = STATES[words[-1]]
    return found


def executed(log: str) -> dict[str, float]:
    """Stages that a log says were executed, with their seconds."""
    found = (_SUMMARY.match(line) for line in _lines(log))
    return {match[1]: float(match[2].replace(",", "")) for match in found if match}


def last_lines(log: str) -> list[str]:
    """The end of a log, without progress bars and empty lines."""
    return [line[:300] for line in _lines(log) if line.strip() and "%|" not in line][-TAIL:]


def _arguments(workspace: Workspace, plan: Plan, target: str) -> list[str]:
    copied = [argument for name in workspace.own for argument in ("--copy-paths", name)] if workspace.own else []
    settings = [argument for override in overrides(plan.settings) for argument in ("--set-param", override)]
    return ["--name", plan.experiment, *copied, *settings, target]


def _unfinished(workspace: Workspace, plans: Sequence[Plan], records: Records, say: Say) -> list[Plan]:
    """Plans without a result in the clone. The others ended after a kill, unwatched: DVC would refuse to run them again."""
    there = refs(workspace.folder)
    for plan in plans:
        if plan.experiment in there:
            _finish(plan, "done", _log(workspace, plan.experiment), records, say)
    return [plan for plan in plans if plan.experiment not in there]


def _wait(workspace: Workspace, plans: Sequence[Plan], records: Records, say: Say) -> None:
    waiting, told, pause, idle = {plan.experiment: plan for plan in plans}, dict[str, str](), FIRST_POLL_SECONDS, 0
    while waiting:
        time.sleep(pause)
        pause = min(POLL_SECONDS, pause * 1.5)
        states = status(workspace)
        idle = 0 if "running" in (states.get(name) for name in waiting) else idle + 1
        for name, plan in list(waiting.items()):
            state = states.get(name, "failed")
            if state in ("done", "failed"):
                _finish(plan, state, _log(workspace, name), records, say)
                del waiting[name]
            elif state == "running":
                stage = _stage(_log(workspace, name))
                if stage and told.get(name) != stage:
                    told[name] = stage
                    say(f"{plan.arm}: {stage}")
        if waiting and idle >= LOST_AFTER:
            raise InputError(
                f"the queue holds {', '.join(waiting)}, but no worker takes them.",
                remedy=f"`cd {workspace.folder} && dvc queue status`; then run the same command again, or with --now.",
            )


def _finish(plan: Plan, state: State, log: str, records: Records, say: Say) -> None:
    record = records.load(plan.experiment)
    record.state, record.stages = state, {**record.stages, **executed(log)}
    record.tail = last_lines(log) if state == "failed" else []
    records.save(record)
    if state == "failed":
        say(f"{plan.arm}: failed; its last lines:\n" + "\n".join(f"    {line}" for line in record.tail))
    else:
        say(f"{plan.arm}: done, {sum(record.stages.values()):.0f} s in {', '.join(record.stages) or 'no stage'}")


def _follow(process: subprocess.Popen[str], log: Path, say: Say) -> int:
    """Exit code of `process`; the stages that it starts are told as they come. Ctrl-C stops it too."""
    told = ""
    try:
        while process.poll() is None:
            time.sleep(1)
            stage = _stage(log.read_text(encoding="utf-8", errors="replace"))
            if stage and stage != told:
                told = stage
                say(stage)
    except KeyboardInterrupt:
        _stop(process)
        raise
    return process.returncode


def _stop(process: subprocess.Popen[str]) -> None:
    """Interrupt dvc and the stage that it runs; finished work is kept. What does not listen is terminated."""
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        os.killpg(process.pid, sent)
        try:
            process.wait(STOP_SECONDS)
            return
        except subprocess.TimeoutExpired:
            continue


def _stage(log: str) -> str:
    """The stage that was started last."""
    started = [match[1] for match in map(_STARTED.match, _lines(log)) if match]
    return started[-1] if started else ""


def _log(workspace: Workspace, name: str) -> str:
    return workspace.dvc("queue", "logs", name, "--encoding", "utf-8", check=False).stdout


def _lines(log: str) -> Iterable[str]:
    return log.replace("\r", "\n").splitlines()
