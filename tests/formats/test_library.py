"""The library accepts whole files only, and its messages name file and line."""

from pathlib import Path

import pytest

from stages.errors import InputError
from stages.formats.library import LIBRARY, load_library, read_format

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
    ],
)
def test_a_damaged_file_names_file_line_and_key(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(InputError) as raised:
        read_format(path)
    assert f"cve-to-cwe.yaml, line {line}:" in str(raised.value) and says in str(raised.value)


@pytest.mark.parametrize(
    "content", [b"", b"- a\n", b"\xff\xfe\x00", b"!!python/object/apply:os.system [ls]\n", b"a: " + b"b" * 70_000]
)
def test_what_is_no_format_is_an_error_and_never_code(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="cve-to-cwe.yaml"):
        read_format(write(tmp_path, content))


def test_the_committed_library_is_whole() -> None:
    for task, form in load_library().items():
        assert form.task == task and (LIBRARY / f"{task}.yaml").exists()
