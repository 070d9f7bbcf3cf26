"""The commands of `stages.review.terminal`, each one call or two of the bench and what it prints."""

import argparse
import asyncio
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from stages.config import PARAMS_FILE, load_section
from stages.errors import InputError
from stages.formats.library import LIBRARY, MAX_BYTES, TASK_NAME, format_text, load_library, parse_format, read_format
from stages.formats.lint import Finding, lint
from stages.formats.params import FormatsParams
from stages.formats.readings import READINGS
from stages.formats.schema import Format
from stages.review import told
from stages.review.approve import file_draft
from stages.review.bench import Bench
from stages.review.data import Workspace
from stages.review.editions import content_of
from stages.review.names import whoami
from stages.review.printing import table, tell, tell_json, wrapped
from stages.review.schema import Version
from stages.tables import Reject, write_text

Command = Callable[[Bench, argparse.Namespace], Awaitable[int]]
CHOICES = {"a": "accept", "accept": "accept", "r": "reject", "reject": "reject"}


def run_command(chosen: argparse.Namespace, *, library: Path | None, readings: Path | None) -> int:
    """The exit code of the command that `chosen` names."""
    folder = library or LIBRARY
    if chosen.command == "lint":
        return lint_files(chosen, folder)

    async def inside() -> int:
        async with Bench(library=folder, readings=readings or READINGS) as bench:
            return await COMMANDS[chosen.command](bench, chosen)

    return asyncio.run(inside())


async def list_tasks(bench: Bench, chosen: argparse.Namespace) -> int:
    """One line per task."""
    cards = [card for card in bench.tasks() if not chosen.family or card.family == chosen.family]
    if chosen.json:
        tell_json(cards)
        return 0
    tell(table(told.CARD_HEAD, [told.card_line(card) for card in cards]))
    approved = sum(card.status == "approved" for card in cards)
    tell(f"\n{len(cards)} tasks, {approved} with an approved format, {sum(card.rows for card in cards):,} rows to try.")
    for card in cards:
        if card.problem:
            tell(f"{card.task}: {card.problem}")
    return 0


async def show(bench: Bench, chosen: argparse.Namespace) -> int:
    """The text of a version, or everything about the task."""
    if not chosen.all:
        version = _named(bench, chosen.task, chosen.version) if chosen.version else bench.current(chosen.task)
        tell_json(version) if chosen.json else tell(format_text(version.form).rstrip("\n"))
        return 0
    versions, runs, decisions = bench.versions(chosen.task), bench.runs(chosen.task), bench.decisions(chosen.task)
    if chosen.json:
        tell_json({"versions": versions, "runs": runs, "decisions": decisions})
        return 0
    for title, head, lines in (
        ("Versions, newest first", told.VERSION_HEAD, [told.version_line(one, bench.figures(one.id)) for one in versions]),
        ("Runs, newest first", told.RUN_HEAD, [told.run_line(one) for one in runs]),
        ("Decisions, newest first", told.DECISION_HEAD, [told.decision_line(one) for one in decisions]),
    ):
        tell(f"{title}\n{table(head, lines)}\n" if lines else f"{title}: none\n")
    return 0


def lint_files(chosen: argparse.Namespace, folder: Path) -> int:
    """Findings of library files or of one other file; whether answers have a key is asked of the build, where there is one."""
    if chosen.file and len(chosen.tasks) != 1:
        raise InputError("--file needs the one task that it is a format of.", remedy="... lint TASK --file PATH")
    if chosen.file:
        forms = [parse_format(_text_of(chosen.file), Path(f"{chosen.tasks[0]}.yaml"))]
    elif chosen.tasks:
        forms = [_filed(folder, task) for task in chosen.tasks]
    else:
        forms = list(load_library(folder).values())
    keyed = _keyed()
    findings: dict[str, list[Finding]] = {form.task: lint(form, keyed=keyed.get(form.task)) for form in forms}
    found = sum(map(len, findings.values()))
    if chosen.json:
        tell_json(findings)
        return min(found, 1)
    for task, those in findings.items():
        for finding in those:
            tell(f"{task}: {finding.reason}\n{wrapped(finding.message)}")
    tell(f"{len(forms)} format(s), {found} finding(s).")
    return min(found, 1)


async def draft(bench: Bench, chosen: argparse.Namespace) -> int:
    """Draft, keep as a version, print; write only if asked to, and never over an approved format."""
    refuse_out(chosen, bench.library)
    params = load_section("formats", FormatsParams, PARAMS_FILE)
    examples = params.examples if chosen.examples is None else chosen.examples
    evidence = params.evidence if chosen.evidence is None else chosen.evidence
    found = await bench.draft(chosen.task, examples, evidence, chosen.author or whoami())
    if isinstance(found, Reject):
        raise InputError(
            f"the teacher wrote no usable format for `{chosen.task}`: {found.reason}: {found.detail}.",
            remedy="Check the server of runtime.endpoints.teacher in params.yaml, and draft again."
            if found.reason.startswith("call-failed")
            else "Try another number of --examples, or write it by hand from `show` of a similar task.",
        )
    tell_json(found) if chosen.json else tell(format_text(found.form).rstrip("\n"))
    if chosen.write:
        path = chosen.out or file_draft(found.form, bench.library)
        if chosen.out:
            write_text(chosen.out, format_text(found.form))
        tell(f"[formats] written to {path}", file=sys.stderr)
    tell(f"[formats] kept as version {found.id}", file=sys.stderr)
    return 0


async def try_rows(bench: Bench, chosen: argparse.Namespace) -> int:
    """Progress while it runs, then each row. Exit code 1 if the run did not end well, or a row has no result."""
    if chosen.run:
        run = bench.run(chosen.run)
        if run.task != chosen.task:
            raise InputError(
                f"the run {chosen.run} is one of `{run.task}`.", remedy=f"... try {run.task} --continue {chosen.run}"
            )
        run = bench.continue_run(chosen.run)
        version = bench.version(run.version_id)
    else:
        version = _version(bench, chosen)
        row_ids = chosen.row or [row.id for row in bench.sample(chosen.task, chosen.rows, chosen.seed)]
        run = bench.start_run(version.id, row_ids, chosen.author or whoami())
    tell(f"[formats] run {run.id}: version {version.id} on {run.total} row(s)", file=sys.stderr)
    try:
        run = await bench.wait(run.id)
    except asyncio.CancelledError:
        tell(f"[formats] `try {chosen.task} --continue {run.id}` goes on", file=sys.stderr)
        raise
    results = bench.results(run.id)
    failed = sum(bool(result.error) for result in results)
    if chosen.json:
        tell_json({"run": run, "results": results, "figures": bench.figures(version.id)})
        return int(run.state != "done" or failed > 0)
    for result in results:
        tell(told.result(bench.row(result.row_id), result))
    tell(told.run_end(run, bench.figures(version.id)))
    if failed:
        tell(f"[formats] {failed} row(s) have no result; `try {run.task} --continue {run.id}` asks again", file=sys.stderr)
    return int(run.state != "done" or failed > 0)


async def compare(bench: Bench, chosen: argparse.Namespace) -> int:
    """In words, or as JSON."""
    a, b = (_named(bench, chosen.task, version_id) for version_id in chosen.versions)
    found = bench.compare(a.id, b.id)
    tell_json(found) if chosen.json else tell(f"A = {a.id}, B = {b.id}\n" + "\n".join(found.words))
    return 0


async def approve(bench: Bench, chosen: argparse.Namespace) -> int:
    """Without --version and --file: the library's own text, if nobody has approved it yet."""
    version = _version(bench, chosen)
    if version.origin == "library" and version.form.status == "approved" and not chosen.version and not chosen.file:
        raise InputError(
            f"the library's format of `{chosen.task}` is approved already.",
            allowed="--version ID or --file PATH",
            remedy=f"`... show {chosen.task} --all` lists the versions.",
        )
    tell(bench.approve(version.id, chosen.reviewer, chosen.note))
    path = shlex.quote(str(bench.library / f"{chosen.task}.yaml"))
    tell(f"[formats] approved; nothing is committed: git add -- {path} && git commit -- {path}", file=sys.stderr)
    return 0


async def reject(bench: Bench, chosen: argparse.Namespace) -> int:
    """Kept for whoever comes next."""
    bench.reject(_named(bench, chosen.task, chosen.version).id, chosen.reviewer, chosen.note)
    tell(f"[formats] version {chosen.version} is recorded as rejected", file=sys.stderr)
    return 0


async def diff(bench: Bench, chosen: argparse.Namespace) -> int:
    """What git sees, or two versions."""
    if len(chosen.versions) not in (0, 2):
        raise InputError("a diff is of two versions, or of none: then git shows the file.", remedy="Name two versions.")
    if chosen.versions:
        a, b = (_named(bench, chosen.task, version_id) for version_id in chosen.versions)
        tell(bench.text_diff(a.id, b.id) or "The two say the same.")
    else:
        bench.current(chosen.task)
        tell(bench.diff(chosen.task) or "Nothing has changed since the last commit.")
    return 0


async def read(bench: Bench, chosen: argparse.Namespace) -> int:
    """One reading given by options, else one after the other until nothing is left or the reader has enough."""
    if chosen.verdict or chosen.run or chosen.row:
        if not (chosen.verdict and chosen.run and chosen.row):
            raise InputError(
                "one reading needs --run, --row and --verdict.", remedy="`... read --reader NAME --json` names the next."
            )
        bench.read(chosen.run, chosen.row, chosen.reader, chosen.verdict, chosen.note)
        return 0
    if chosen.json:
        tell_json(bench.next_reading(chosen.reader))
        return 0
    while (pair := bench.next_reading(chosen.reader)) is not None:
        tell(told.pair(pair))
        try:
            answer = input("May the rewrite replace the original? accept, reject or quit, and a note: ").strip()
        except EOFError:  # no terminal, or Ctrl-D
            tell()
            return 0
        said, _, note = answer.partition(" ")
        if said.lower() in ("q", "quit", ""):
            return 0
        if said.lower() not in CHOICES:
            tell("a(ccept), r(eject) or q(uit)")
            continue
        bench.read(pair.run_id, pair.row_id, chosen.reader, CHOICES[said.lower()], note)
    tell("Nothing is left to read.")
    return 0


COMMANDS: dict[str, Command] = {
    "list": list_tasks, "show": show, "draft": draft, "try": try_rows, "compare": compare, "approve": approve, "reject": reject,
    "diff": diff, "read": read,
}  # fmt: skip


def _version(bench: Bench, chosen: argparse.Namespace) -> Version:
    """By id, from a file (the version that says the same, if there is one), else the library's."""
    if chosen.version:
        return _named(bench, chosen.task, chosen.version)
    if chosen.file:
        text = _text_of(chosen.file)
        content = content_of(parse_format(text, Path(f"{chosen.task}.yaml")))
        same = [version for version in bench.versions(chosen.task) if version.content == content]
        author = getattr(chosen, "author", "") or getattr(chosen, "reviewer", "") or whoami()
        return same[0] if same else bench.save_edit(chosen.task, text, author)
    return bench.current(chosen.task)


def _named(bench: Bench, task: str, version_id: str) -> Version:
    version = bench.version(version_id)
    if version.task != task:
        raise InputError(f"the version {version_id} is a format of `{version.task}`, not of `{task}`.")
    return version


def refuse_out(chosen: argparse.Namespace, library: Path) -> None:
    """Raises InputError before a model is asked, if a draft could not go where `--out` says."""
    if chosen.out is None:
        return
    if not chosen.write:
        raise InputError("--out says where to write, and nothing is to be written.", remedy="Add --write.")
    if chosen.out.is_dir():
        raise InputError(f"{chosen.out} is a folder.", remedy="Name a file.")
    if chosen.out.resolve().parent == library.resolve():
        raise InputError(
            f"{chosen.out} is in the library, whose files are not written over unseen.",
            remedy="Leave out --out: --write files the draft there, unless an approved format stands there.",
        )


def _filed(folder: Path, task: str) -> Format:
    if not TASK_NAME.fullmatch(task) or not (folder / f"{task}.yaml").exists():
        raise InputError(
            f"the library has no format of {task[:80]!r}.",
            remedy="`python -m stages.formats list` shows the tasks; --file reads a file.",
        )
    return read_format(folder / f"{task}.yaml")


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(f"{path} has over {MAX_BYTES:,} bytes.", allowed="one format", remedy="Check the file's name.")
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", remedy="Check the file's name and rights.") from error


def _keyed() -> dict[str, bool]:
    """Which tasks have checkable answers; nothing is known without a build."""
    try:
        return {task: rows.keyed for task, rows in Workspace().tasks().items()}
    except InputError:
        return {}
