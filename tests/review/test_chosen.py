"""A file that somebody names is read if it can be one format, and refused with a message if not."""

import json
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.review.chosen import text_of
from tests.review.conftest import Say
from tests.review.sample import CHOSEN


def test_an_endless_file_is_refused(say: Say) -> None:
    code, _, beside = say("lint", CHOSEN, "--file", "/dev/zero")
    assert code == 1 and "65,536" in beside


def test_a_file_that_is_no_text_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="a.yaml cannot be read"):
        text_of(tmp_path / "a.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        text_of(tmp_path)


def test_a_file_that_says_what_a_version_says_is_that_version(say: Say, checkout: Path) -> None:
    mine = checkout / "mine.yaml"
    mine.write_text(say("show", CHOSEN)[1], encoding="utf-8")
    tried = json.loads(say("try", CHOSEN, "--rows", "1", "--author", "Ada", "--file", str(mine), "--json")[1])
    [version] = json.loads(say("show", CHOSEN, "--all", "--json")[1])["versions"]
    assert tried["run"]["version_id"] == version["id"] and version["origin"] == "library"
