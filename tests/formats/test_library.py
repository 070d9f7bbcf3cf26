"""The library accepts whole files only, and its messages name file and line."""

from pathlib import Path

import msgspec
import pytest

from stages.enrich.checks import _MENTIONS
from stages.errors import InputError
from stages.formats.library import LIBRARY, format_text, load_library, parse_format, read_format, same_content, write_format
from stages.formats.schema import kind
from tests.toy_rows import make_format

GOOD = """task: cve-to-cwe
status: approved
introduction: Maps a vulnerability to its weakness.
steps:
  - Say what the attacker controls.
  - Name the missing control.
instructions: [Keep it short.]
answer_line: "Final answer: {key}"
search: true
document: false
rewrite: true
author: someone
reviewer: someone else
date: 2026-01-02
version: 1
"""


def write(folder: Path, text: str | bytes, name: str = "cve-to-cwe.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_whole_file_is_read_and_its_date_is_text(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    form = load_library(tmp_path)["cve-to-cwe"]
    assert form.steps[1] == "Name the missing control." and form.date == "2026-01-02" and len(form.sha256) == 64


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("reviewer: someone else", "reviewed: someone else", 13, "reviewed"),
        ("version: 1\n", "", 1, "version"),
        ("search: true", "search: maybe", 9, "bool"),
        ("status: approved", "status: signed", 2, "approved, draft"),
        ("task: cve-to-cwe", "task: other", 1, "named `cve-to-cwe`"),
        ("search: true", "search: true\nsearch: false", 10, "duplicate key"),
        ("steps:\n", "steps: [\n", 5, "not valid YAML"),
        ("steps:\n  - Say what the attacker controls.\n", "steps:\n  - {a: b}\n", 4, "str"),
        ("rewrite: true", "rewrite: false", 9, "needs no facts"),
        ("version: 1", "version: -1", 15, "count from 1"),
        ("someone else", '"\\ud800"', 13, "half of a pair"),
    ],
)
def test_a_damaged_file_names_file_line_and_key(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(InputError) as raised:
        read_format(path)
    assert f"cve-to-cwe.yaml, line {line}:" in str(raised.value) and says in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"- a\n", b"[" * 3_000, b"date: 2026-99-99", b"version: " + b"9" * 5_000, b"? [a]\n: b\n", b"<<: {task: a}\n", b"&a [*a]", b"\xff\xfe\x00", b"!!python/object/apply:os.system [ls]\n", b"a: " + b"b" * 70_000],
)  # fmt: skip
def test_what_is_no_format_is_an_error_and_never_code(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="cve-to-cwe.yaml"):
        read_format(write(tmp_path, content))


def test_the_committed_library_is_whole() -> None:
    for task, form in load_library().items():
        assert form.task == task
        written = (LIBRARY / f"{task}.yaml").read_text(encoding="utf-8")
        assert format_text(form) == written, (
            f"{task}: write it with write_format, so that an approval's diff shows only what was changed"
        )


HOSTILE = [
    "yes",
    "null",
    "1e3",
    "2026-01-02",
    "",
    " a ",
    "a: b",
    "#a",
    "- a",
    "{key}",
    "a\nb",
    "\x1b[31m",
    "\ufeff",
    "\u2028",
    "'",
    '"\\',
    "é€😀",
]


def test_no_format_tells_the_teacher_to_write_what_the_check_of_mentions_refuses() -> None:
    for task, form in load_library().items():
        rules = [rule.replace("the given answer", "") for rule in form.instructions if not rule.startswith("Do not mention")]
        assert not [found for text in (form.introduction, *form.steps, *rules) for found in _MENTIONS.findall(text)], task


def test_a_format_written_as_text_is_read_back_whatever_it_holds() -> None:
    form = make_format(
        "a-b", introduction="x" * 5_000, steps=HOSTILE, instructions=[], tried_on=HOSTILE, note="a\tb", author="no"
    )
    text = format_text(form)
    read = parse_format(text, Path("a-b.yaml"))
    assert msgspec.structs.replace(read, sha256="0") == form and format_text(read) == text
    assert max(map(len, text.splitlines())) > 5_000  # one sentence, one line: git diffs show sentences


def test_empty_provenance_is_left_out_of_the_file() -> None:
    assert "tried_on" not in format_text(make_format()) and "note" not in format_text(make_format())


def test_a_written_format_is_a_library_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = write_format(make_format("a-b", drafted_with="model", note="Good."), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["a-b.yaml"] == [path.name]
    assert load_library(tmp_path)["a-b"].note == "Good."


@pytest.mark.parametrize("task", ["../a", "A", "a b", "a--b", "", "a\n", "a/b", ".a"])
def test_only_a_task_name_becomes_a_file_name(tmp_path: Path, task: str) -> None:
    with pytest.raises(InputError, match="no task name"):
        write_format(make_format(task), tmp_path / "library")
    assert not list(tmp_path.iterdir())


def test_a_format_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs no facts"):
        write_format(make_format(rewrite=False), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_signature_is_no_content() -> None:
    form = make_format()
    signed = msgspec.structs.replace(form, status="draft", reviewer="other", version=7, note="n", tried_on=["a"], sha256="1")
    assert same_content(form, signed) and not same_content(form, make_format(steps=["Another."]))


def test_every_format_has_one_of_four_kinds() -> None:
    kinds = [(True, True, False), (True, False, True), (True, False, False), (False, False, False)]
    found = [kind(make_format(rewrite=rewrite, search=search, document=document)) for rewrite, search, document in kinds]
    assert found == ["search", "document", "rewrite-only", "untouched"]
