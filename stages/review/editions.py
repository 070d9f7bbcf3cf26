"""Versions of formats: the library's texts, drafts and edits, each kept once and never changed."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from stages.errors import InputError
from stages.formats.library import CONTENT, TASK_NAME, format_text, parse_format, read_format
from stages.formats.lint import lint
from stages.formats.schema import Format
from stages.review.approve import library_sha256
from stages.review.data import TaskRows, Workspace
from stages.review.schema import Origin, Version
from stages.review.stamps import new_id, now
from stages.review.store import ReviewStore
from stages.tables import content_id

MAX_FIELD = 20_000  # characters of one field; the file's own limit is below this


class Fields(msgspec.Struct, forbid_unknown_fields=True):
    """The values of a form; those that are UNSET are the parent's."""

    introduction: str | msgspec.UnsetType = msgspec.UNSET
    steps: list[str] | msgspec.UnsetType = msgspec.UNSET
    instructions: list[str] | msgspec.UnsetType = msgspec.UNSET
    answer_line: str | msgspec.UnsetType = msgspec.UNSET
    search: bool | msgspec.UnsetType = msgspec.UNSET
    document: bool | msgspec.UnsetType = msgspec.UNSET
    rewrite: bool | msgspec.UnsetType = msgspec.UNSET


class Editions:
    """Versions in the store and files in the library, of tasks with or without rows in the build."""

    def __init__(self, store: ReviewStore, library: Path, workspace: Workspace) -> None:
        self.store, self.library, self.workspace = store, library, workspace

    def version(self, version_id: str) -> Version:
        """Raises InputError for an unknown id."""
        found = self.store.version(version_id)
        if found is None:
            raise InputError(
                f"there is no version {version_id[:40]!r}.", remedy="`python -m stages.formats show TASK` lists them."
            )
        return linted(found, self.rows_of(found.task))

    def versions(self, task: str) -> list[Version]:
        """All versions of `task`, newest first; the library's present text is among them. InputError for an unknown task."""
        self.of_library(task)
        rows = self.rows_of(task)
        found = [linted(version, rows) for version in self.store.versions(task)]
        if not found and rows is None:
            raise self._unknown(task)
        return found

    def current(self, task: str) -> Version:
        """The library's text; where there is none the newest draft or edit. InputError if there is nothing."""
        present = self.of_library(task)
        if present is not None:
            return present
        found = self.store.versions(task)
        if found:
            return linted(found[0], self.rows_of(task))
        raise self._unknown(task)

    def parent(self, task: str, version_id: str) -> Version | None:
        """The version that an edit is made from, `current` if none is named; None for the first format of a task."""
        if version_id:
            version = self.version(version_id)
            if version.task != task:
                raise InputError(f"the version {version_id} is a format of `{version.task}`, not of `{task[:80]}`.")
            return version
        try:
            return self.current(task)
        except InputError:
            if task not in self.workspace.tasks():
                raise
            return None

    def of_library(self, task: str) -> Version | None:
        """The library's present text as a version; None if it has no file. Raises InputError for a file that cannot be read."""
        path, rows = self.path(task), self.rows_of(task)
        found = library_sha256(path)
        if not found:
            return None
        known = self.store.version(content_id("library", task, found))
        if known is None:
            known = self._filed(path)
            self.store.add_versions([linted(known, rows)])
        return linted(known, rows)

    def whole_library(self) -> dict[str, Version | InputError]:
        """The library's present texts by task, or why a file cannot be read. Only what is new is parsed."""
        rows, known, found, new = self.workspace.tasks(), self.store.library_versions(), {}, []
        for path in sorted(self.library.glob("*.yaml")):
            task = path.stem
            try:
                version = known.get(content_id("library", task, library_sha256(self.path(task))))
                if version is None:
                    new.append(version := self._filed(path))
                found[task] = linted(version, rows.get(task))
            except InputError as error:
                found[task] = error
        if new:
            self.store.add_versions(new)
        return found

    def rows_of(self, task: str) -> TaskRows | None:
        """What the build has of the task; None if it has no row of it."""
        return self.workspace.tasks().get(task)

    def _unknown(self, task: str) -> InputError:
        return InputError(
            f"the task `{task[:80]}` has no format yet."
            if task in self.workspace.tasks()
            else f"there is no task `{task[:80]}` in this build or in the library.",
            remedy="`python -m stages.formats list` shows the tasks; `... draft TASK` drafts a format.",
        )

    def _filed(self, path: Path) -> Version:
        form = read_format(path)
        version_id = content_id("library", form.task, form.sha256)
        return _version(form, version_id, "library", "", form.sha256, form.author)

    def path(self, task: str) -> Path:
        """The task's library file. Raises InputError for what is no task name."""
        if not TASK_NAME.fullmatch(task):
            raise InputError(
                f"{task[:80]!r} is no task name.",
                allowed="small letters and digits, joined by single hyphens",
                remedy="`python -m stages.formats list` shows the tasks.",
            )
        return self.library / f"{task}.yaml"

    def save_text(self, task: str, text: str, author: str, parent: Version | None) -> Version:
        """Raises InputError that names the line."""
        edited = parse_format(text, Path(self.path(task).name))
        return self.save(edited, "edit", author, parent)

    def save_fields(self, task: str, fields: Mapping[str, Any], author: str, parent: Version | None) -> Version:
        """Raises InputError that names the field."""
        try:
            given = msgspec.convert(dict(fields), Fields)
        except msgspec.ValidationError as error:
            raise InputError(
                f"the form of `{task[:80]}` holds a value that is none: {error}.",
                allowed=", ".join(field.name for field in msgspec.structs.fields(Fields)),
            ) from error
        named = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not msgspec.UNSET}
        too_long = [name for name, value in named.items() if len(str(value)) > MAX_FIELD]
        if too_long:
            raise InputError(f"`{too_long[0]}` has over {MAX_FIELD:,} characters.", remedy="A format is a page: shorten it.")
        before = parent.form if parent else empty(task)
        return self.save(msgspec.structs.replace(before, **named), "edit", author, parent)

    def save(self, form: Format, origin: Origin, author: str, parent: Version | None) -> Version:
        """Keep `form` as a version whose status and signatures are those of something that nobody has approved."""
        made_from = parent.form if parent else form
        provenance = {"drafted_with": made_from.drafted_with, "prompt_sha256": made_from.prompt_sha256}
        path = self.path(form.task)
        checked = parse_format(format_text(msgspec.structs.replace(unsigned(form, author), **provenance)), Path(path.name))
        base = self._base(parent) if parent else library_sha256(path)
        version = linted(_version(checked, new_id(), origin, parent.id if parent else "", base, author), self.rows_of(form.task))
        self.store.add_versions([version])
        return version

    def _base(self, parent: Version) -> str:
        """The library file that a child of `parent` is made from: the parent itself, once it has been approved."""
        approved = [one for one in self.store.decisions(parent.task) if one.version_id == parent.id and one.sha256]
        return approved[0].sha256 if approved else parent.base


def _version(form: Format, version_id: str, origin: Origin, parent: str, base: str, author: str) -> Version:
    return Version(
        id=version_id, task=form.task, form=form, origin=origin, parent=parent, base=base, content=content_of(form),
        author=author, created=now(), findings=[],
    )  # fmt: skip


def unsigned(form: Format, author: str) -> Format:
    """`form` as something that nobody has reviewed or tried."""
    return msgspec.structs.replace(
        form,
        status="draft",
        author=author,
        reviewer="",
        date="",
        version=0,
        tried_on=[],
        note="",
        drafted_with="",
        prompt_sha256="",
    )


def linted(version: Version, rows: TaskRows | None) -> Version:
    """The version with what the lint says of it now: rules may have changed since it was kept."""
    return msgspec.structs.replace(version, findings=lint(version.form, keyed=rows.keyed if rows else None))


def content_of(form: Format) -> str:
    """SHA-256 of what `stages.formats.library.same_content` compares."""
    content = {key: getattr(form, key) for key in CONTENT}
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def empty(task: str) -> Format:
    """Where the first format of a task begins."""
    return Format(
        task=task, status="draft", introduction="", steps=[], instructions=[], answer_line="", search=False, document=False,
        rewrite=True, author="", reviewer="", date="", version=0, sha256="",
    )  # fmt: skip
