"""What the three commands do."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from stages.errors import InputError
from stages.experiments import table
from stages.experiments.load import LIBRARY, load_experiment, names, plans
from stages.experiments.queue import Records, run_now, run_queued
from stages.experiments.schema import Experiment, Plan, Record
from stages.experiments.workspace import FOLDER, Workspace, dvc, git, refs
from stages.register.workspace import refuse_dirty

Say = Callable[[str], None]


def list_experiments(root: Path) -> str:
    """Each experiment with its question, its arms and whether a table is there."""
    lines = []
    for name in names():
        experiment = load_experiment(name)
        there = root / table.FOLDER / f"{name}.md"
        lines += [f"{name}: {experiment.question}", f"    arms: {', '.join(arm.name for arm in experiment.arms)}"]
        lines += [f"    results: {there.relative_to(root)}"] if there.exists() else []
    return "\n".join([*lines, "Run one with `make ablation NAME=<name>`."])


def run_experiment(name: str, root: Path, jobs: int, now: bool, say: Say) -> str:
    """Every arm that is not done yet, then the table. An arm that failed is tried again by the next call."""
    experiment, commit = load_experiment(name), head(root)
    refuse_dirty(root, untracked=False)
    refuse_untracked_stages(root)
    refuse_stale(root, experiment.target)
    wanted = plans(name, experiment, commit, root / "params.yaml")
    workspace, records = Workspace(root), Records(root / FOLDER / "records")
    missing = [plan for plan in wanted if not plan.is_baseline and plan.experiment not in refs(root)]
    for plan in wanted:
        if plan not in missing:
            say(f"{plan.arm}: {'the commit itself is built so' if plan.is_baseline else 'done before'}")
    if missing:
        if now:
            run_now(workspace, missing, commit, experiment.target, records, say)
        else:
            run_queued(workspace, missing, commit, experiment.target, jobs, records, say)
        workspace.fetch([plan.experiment for plan in missing])
    return make_table(name, experiment, wanted, commit, root)


def show_table(name: str, root: Path) -> str:
    """The table out of what is there, without running anything."""
    experiment, commit = load_experiment(name), head(root)
    refuse_dirty(root, untracked=False)
    wanted = plans(name, experiment, commit, root / "params.yaml")
    if any(plan.is_baseline for plan in wanted):
        refuse_stale(root, experiment.target)
    refuse_loss(name, commit, [plan.arm for plan in wanted if found_record(plan, commit, root).state == "waiting"], root)
    return make_table(name, experiment, wanted, commit, root)


def make_table(name: str, experiment: Experiment, wanted: Sequence[Plan], commit: str, root: Path) -> str:
    """Write both files; the text says where."""
    arms = [(plan, found_record(plan, commit, root)) for plan in wanted]
    if not any(record.state == "done" for _, record in arms):
        tails = "\n".join(f"{plan.arm} ({record.state}): " + " / ".join(record.tail[-3:]) for plan, record in arms)
        raise InputError(f"no arm of `{name}` is done.\n{tails}", remedy=f"`python -m stages.experiments run {name}`")
    path = table.write(table.results(name, experiment, commit, root, arms), root)
    return f"{path.read_text(encoding='utf-8')}\nWritten to {path.relative_to(root)} and .json"


def found_record(plan: Plan, commit: str, root: Path) -> Record:
    """What became of an arm: its experiment in git decides, the record adds what git does not hold."""
    record = Records(root / FOLDER / "records").load(plan.experiment)
    if plan.is_baseline:
        record.state, record.revision = "done", commit
    elif plan.experiment in (found := refs(root)):
        record.state, record.revision, record.tail = "done", found[plan.experiment][1], []
    elif record.state == "done":
        record.state = "waiting"  # its experiment was removed from git
    return record


def head(root: Path) -> str:
    """The commit that is checked out."""
    return git(root, "rev-parse", "HEAD").strip()


def refuse_untracked_stages(root: Path) -> None:
    """Raises InputError for code or formats that git does not know: this build may hold them, the clone's arms would not."""
    listed = git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", "stages").split("\0")
    library = Path("stages") / "experiments" / LIBRARY.name
    unknown = [name for name in listed if name and Path(name).parent != library]
    if unknown:
        raise InputError(
            f"git does not know {', '.join(unknown[:8])}{' and more' if len(unknown) > 8 else ''}: no arm would be built with it.",
            remedy="`git add` and `git commit` it, or move it out of stages/; then run the same command again.",
        )


def refuse_loss(name: str, commit: str, waiting: Sequence[str], root: Path) -> None:
    """Raises InputError if a table with `waiting` arms would replace the results of another commit."""
    file = root / table.FOLDER / f"{name}.json"
    measured = json.loads(file.read_text(encoding="utf-8"))["commit"] if file.exists() else commit
    if waiting and measured != commit:
        raise InputError(
            f"{file.relative_to(root)} holds results of commit {measured[:10]}; on {commit[:10]} nothing is known of {', '.join(waiting)}.",
            remedy=f"`python -m stages.experiments run {name}`, or move both files of the old results away.",
        )


def refuse_stale(root: Path, target: str) -> None:
    """Raises InputError if the commit is not built up to `target`: the first arm could not stand for it."""
    stale = sorted(json.loads(dvc(root, "status", "--json", "--with-deps", target).stdout or "{}"))
    if stale:
        raise InputError(
            f"the build does not belong to the commit: {', '.join(stale)} would run again.",
            allowed=f"a commit for which `dvc status --with-deps {target}` reports nothing",
            remedy=f"`dvc repro {target}`, then commit dvc.lock and metrics; then run the experiment again.",
        )
