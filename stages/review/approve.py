"""Approval: a version becomes the task's library file, unless somebody else has changed that file in the meantime.

Nothing is committed: the expert sees what git sees and commits it like any other change.
"""

import datetime
import difflib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.errors import InputError
from stages.formats.library import format_text, read_format, write_format
from stages.formats.lint import lint
from stages.formats.schema import Format
from stages.review.locks import exclusive
from stages.review.schema import Version
from stages.tables import file_sha256

MOST_TRIED = 100  # row ids named in a file
GIT_SECONDS = 30
NO_GIT = "git cannot say what has changed ({reason}); the new text:\n\n"


class LibraryChanged(InputError):
    """The library file is not the one that a version was made from. `diff`: what has happened to it since, if that is known."""

    def __init__(self, found: str, remedy: str, diff: str) -> None:
        self.diff = diff
        super().__init__(found, remedy=remedy)


def library_sha256(path: Path) -> str:
    """SHA-256 of a library file, empty if there is none. Raises InputError for what cannot be read: a folder, say."""
    try:
        return file_sha256(path) if path.exists() else ""
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", remedy="Check the file's name and rights.") from error


def approve_version(
    version: Version, base: Version | None, library: Path, reviewer: str, note: str, tried_on: Sequence[str], keyed: bool | None
) -> Path:
    """Write `version` as approved. `base` is the library's text that it was made from, where that is known.

    Raises InputError with the lint's findings, and LibraryChanged. Two approvals of one library wait for each other.
    """
    path = library / f"{version.task}.yaml"
    with exclusive(_lock_of(library)):
        if library_sha256(path) != version.base:
            raise _changed(path, version, base)
        before = read_format(path) if path.exists() else None
        form = msgspec.structs.replace(
            version.form,
            status="approved",
            reviewer=reviewer,
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            version=(before.version if before else 0) + 1,
            tried_on=sorted(tried_on)[:MOST_TRIED],
            note=note,
        )
        refuse_findings(form, keyed)
        return write_format(form, library)


def file_draft(form: Format, library: Path) -> Path:
    """Write a draft to the library. Raises InputError if an approved format stands there."""
    path = library / f"{form.task}.yaml"
    with exclusive(_lock_of(library)):
        if path.exists() and read_format(path).status == "approved":
            raise InputError(
                f"{path.name} is approved; a draft does not replace it.",
                remedy="--out FILE, or approve the draft after trying it.",
            )
        return write_format(form, library)


def refuse_findings(form: Format, keyed: bool | None) -> None:
    """Raises InputError that names every finding of the lint."""
    findings = lint(form, keyed=keyed)
    if findings:
        listed = "\n".join(f"  - {finding.message}" for finding in findings)
        raise InputError(
            f"the format of `{form.task}` has {len(findings)} flaw(s) and cannot be approved:\n{listed}",
            remedy="Mend them, save, and approve the new version.",
        )


def _changed(path: Path, version: Version, base: Version | None) -> LibraryChanged:
    now = read_format(path) if path.exists() else None
    what = (
        f"it is now version {now.version}, {now.status}, by {now.reviewer or now.author}, {now.date or 'undated'}"
        if now
        else "it is gone"
    )
    known = base.form if base else None
    return LibraryChanged(
        f"{path.name} has changed in the library since this version was made from it: {what}. Nothing was written.",
        f"Look at the present text of `{version.task}`, save your changes as a version made from it, and approve that one.",
        unified(format_text(known) if known else "", format_text(now) if now else "", "before", "now") if known or now else "",
    )


def unified(before: str, after: str, name_before: str, name_after: str) -> str:
    """A unified diff of two texts."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name_before, name_after, lineterm="")
    return "\n".join(lines)


def git_diff(path: Path) -> str:
    """What git sees of `path` against the last commit, also where the file is new; without git, the text and why."""
    options = ["--no-color", "--no-ext-diff", "--no-textconv"]
    folder, name = path.parent, path.name
    if not folder.is_dir():
        return NO_GIT.format(reason=f"{folder} does not exist")
    inside = _git(folder, "rev-parse", "--is-inside-work-tree")
    if isinstance(inside, str) or inside.returncode or inside.stdout.strip() != b"true":
        reason = inside if isinstance(inside, str) else "the library is not in a git checkout"
        return NO_GIT.format(reason=reason) + (path.read_text(encoding="utf-8") if path.exists() else "")
    tracked = _git(folder, "ls-files", "--error-unmatch", "--", name)
    if not isinstance(tracked, str) and tracked.returncode:
        found = _git(folder, "diff", *options, "--no-index", "--", "/dev/null", name) if path.exists() else None
    else:
        found = _git(folder, "diff", *options, "HEAD", "--", name)
        if not isinstance(found, str) and found.returncode:  # a repository without a commit
            found = _git(folder, "diff", *options, "--", name)
    if found is None:
        return ""
    return found if isinstance(found, str) else found.stdout.decode("utf-8", "replace")


def _git(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes] | str":
    """One call of git without a shell, or why it could not be made. No setting of the user's makes it run another program."""
    command = ["git", "--no-pager", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(
            command, capture_output=True, timeout=GIT_SECONDS, check=False, env={**environment, "GIT_OPTIONAL_LOCKS": "0"}
        )
    except FileNotFoundError:
        return "git is not installed"
    except subprocess.TimeoutExpired:
        return f"git did not answer within {GIT_SECONDS} s"


def _lock_of(library: Path) -> Path:
    """One lock per library folder, in the state folder: nothing is left beside the formats."""
    from stages.state import state_dir
    from stages.tables import content_id

    return state_dir() / f"review-library-{content_id(str(library.resolve()))}.lock"
