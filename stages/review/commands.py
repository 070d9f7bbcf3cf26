"""The commands of `stages.review.terminal`, each one call or two of the bench and what it prints."""

import argparse
import asyncio
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from stages.config import PARAMS_FILE, load_section
from stages.errors import InputError
from stages.formats.library import LIBRARY, format_text
from stages.formats.params import FormatsParams
from stages.formats.readings import READINGS
from stages.review import told
from stages.review.approve import file_draft
from stages.review.bench import Bench
from stages.review.chosen import chosen_version, named_version, refuse_out
from stages.review.lint_command import lint_files
from stages.review.names import whoami
from stages.review.printing import table, tell, tell_json
from stages.review.read_command import read
from stages.tables import Reject, write_text

Command = Callable[[Bench, argparse.Namespace], Awaitable[int]]


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
        version = named_version(bench, chosen.task, chosen.version) if chosen.version else bench.current(chosen.task)
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
        version = chosen_version(bench, chosen)
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
    a, b = (named_version(bench, chosen.task, version_id) for version_id in chosen.versions)
    found = bench.compare(a.id, b.id)
    tell_json(found) if chosen.json else tell(f"A = {a.id}, B = {b.id}\n" + "\n".join(found.words))
    return 0


async def approve(bench: Bench, chosen: argparse.Namespace) -> int:
    """Without --version and --file: the library's own text, if nobody has approved it yet."""
    version = chosen_version(bench, chosen)
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
    bench.reject(named_version(bench, chosen.task, chosen.version).id, chosen.reviewer, chosen.note)
    tell(f"[formats] version {chosen.version} is recorded as rejected", file=sys.stderr)
    return 0


async def diff(bench: Bench, chosen: argparse.Namespace) -> int:
    """What git sees, or two versions."""
    if len(chosen.versions) not in (0, 2):
        raise InputError("a diff is of two versions, or of none: then git shows the file.", remedy="Name two versions.")
    if chosen.versions:
        a, b = (named_version(bench, chosen.task, version_id) for version_id in chosen.versions)
        tell(bench.text_diff(a.id, b.id) or "The two say the same.")
    else:
        bench.current(chosen.task)
        tell(bench.diff(chosen.task) or "Nothing has changed since the last commit.")
    return 0


COMMANDS: dict[str, Command] = {
    "list": list_tasks, "show": show, "draft": draft, "try": try_rows, "compare": compare, "approve": approve, "reject": reject,
    "diff": diff, "read": read,
}  # fmt: skip
