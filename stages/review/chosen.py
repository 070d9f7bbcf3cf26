"""What the options of a command choose: a version, a file of the user's, a place to write to."""

import argparse
from pathlib import Path

from stages.errors import InputError
from stages.formats.library import MAX_BYTES, parse_format
from stages.review.bench import Bench
from stages.review.editions import content_of
from stages.review.names import whoami
from stages.review.schema import Version


def chosen_version(bench: Bench, chosen: argparse.Namespace) -> Version:
    """By id, from a file (the version that says the same, if there is one), else the library's."""
    if chosen.version:
        return named_version(bench, chosen.task, chosen.version)
    if chosen.file:
        text = text_of(chosen.file)
        content = content_of(parse_format(text, Path(f"{chosen.task}.yaml")))
        same = [version for version in bench.versions(chosen.task) if version.content == content]
        author = getattr(chosen, "author", "") or getattr(chosen, "reviewer", "") or whoami()
        return same[0] if same else bench.save_edit(chosen.task, text, author)
    return bench.current(chosen.task)


def named_version(bench: Bench, task: str, version_id: str) -> Version:
    """Raises InputError for an unknown version, and for one of another task."""
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


def text_of(path: Path) -> str:
    """A file of the user's. Raises InputError if it cannot be read, or cannot be one format: it is too long, or never ends."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(f"{path} has over {MAX_BYTES:,} bytes.", allowed="one format", remedy="Check the file's name.")
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", remedy="Check the file's name and rights.") from error
