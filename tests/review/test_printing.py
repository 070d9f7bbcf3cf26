"""Nothing hostile acts on a terminal."""

import io

import pytest

from stages.review.printing import table, tell, tell_json, visible, wrapped
from tests.review.sample import HOSTILE


@pytest.mark.parametrize("text", [*HOSTILE.values(), "\r\x08\x7f\x9b31m", "a\u2028b\u200b\u2066", "\ud800", "\U000e0041"])
def test_every_control_character_is_written_out(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = visible(text)
    assert all(one.isprintable() or one in "\n\t" for one in shown)
    assert visible(shown) == shown
    tell(text)
    tell_json([text])
    assert all(one.isprintable() or one in "\n\t" for one in capsys.readouterr().out)


def test_ordinary_text_stays_as_it_is() -> None:
    assert visible("Ärger, 中文, «quoted»\n\tindented") == "Ärger, 中文, «quoted»\n\tindented"


def test_an_encoding_that_lacks_a_letter_gets_an_escape() -> None:
    raw = io.BytesIO()
    narrow = io.TextIOWrapper(raw, encoding="ascii")
    tell("«é»", file=narrow)
    assert raw.getvalue() == b"\\xab\\xe9\\xbb\n"


def test_a_cell_cannot_break_its_table() -> None:
    assert table(["a", "b"], [["one\ntwo", "\x1b[2J"]]).splitlines() == ["a        b", "one two  \\x1b[2J"]
    assert all(len(line) <= 112 for line in wrapped("word " * 100).splitlines())
