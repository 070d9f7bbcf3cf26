"""Files of cases: every line counts, and what is wrong is told with file and line."""

from pathlib import Path

import msgspec
import pytest

from stages.errors import InputError
from stages.llm.examination import read_cases


class Case(msgspec.Struct):
    text: str


def test_cases_come_in_the_order_of_lines_and_a_separator_inside_a_text_ends_none(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    for end in ("\n", ""):
        path.write_text('{"text": "a\u2028b"}\r\n{"text": "c\x85d"}' + end, encoding="utf-8", newline="")
        assert [case.text for case in read_cases(path, Case)] == ["a\u2028b", "c\x85d"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b'{"text": "a"}\n{"text": 3}\n', "line 2"),
        (b'{"text": "a"}\n{"text": "\xff\xfe"}\n', "line 2"),
        (b'{"text": "a"}\n\n{"text": "b"}\n', "line 2"),
        (b"", "no case"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_none_of_cases_is_named_with_its_folder(tmp_path: Path, written: bytes | None, told: str) -> None:
    path = tmp_path / "cases.jsonl"
    if written is not None:
        path.write_bytes(written)
    with pytest.raises(InputError, match=told) as error:
        read_cases(path, Case)
    assert str(path) in str(error.value)
