"""Names and notes are checked before anything is kept."""

import pytest

from stages.errors import InputError
from stages.review.names import note_text, person, whoami


@pytest.mark.parametrize("name", ["", "  ", "\x1b[31mred", "a\u202eb", "x" * 81, "null\x00"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        person(name)


def test_a_name_is_kept_on_one_line() -> None:
    assert person("  Ada \n Lovelace ") == "Ada Lovelace" and person("Zoë 李") == "Zoë 李"
    assert person(whoami())


def test_a_note_keeps_its_lines_and_is_bounded() -> None:
    assert note_text(" one\r\n two  words \n") == "one\ntwo words"
    for note in ("x" * 2001, "a\x1b[2Jb"):
        with pytest.raises(InputError):
            note_text(note)
