"""The command `lint`: what is to be mended in formats, of the library or of one file."""

import argparse
from pathlib import Path

from stages.errors import InputError
from stages.formats.library import TASK_NAME, load_library, parse_format, read_format
from stages.formats.lint import Finding, lint
from stages.formats.schema import Format
from stages.review.chosen import text_of
from stages.review.data import Workspace
from stages.review.printing import tell, tell_json, wrapped


def lint_files(chosen: argparse.Namespace, folder: Path) -> int:
    """Findings of library files or of one other file; whether answers have a key is asked of the build, where there is one."""
    if chosen.file and len(chosen.tasks) != 1:
        raise InputError("--file needs the one task that it is a format of.", remedy="... lint TASK --file PATH")
    if chosen.file:
        forms = [parse_format(text_of(chosen.file), Path(f"{chosen.tasks[0]}.yaml"))]
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


def _filed(folder: Path, task: str) -> Format:
    if not TASK_NAME.fullmatch(task) or not (folder / f"{task}.yaml").exists():
        raise InputError(
            f"the library has no format of {task[:80]!r}.",
            remedy="`python -m stages.formats list` shows the tasks; --file reads a file.",
        )
    return read_format(folder / f"{task}.yaml")


def _keyed() -> dict[str, bool]:
    """Which tasks have checkable answers; nothing is known without a build."""
    try:
        return {task: rows.keyed for task, rows in Workspace().tasks().items()}
    except InputError:
        return {}
