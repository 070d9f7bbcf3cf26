"""`read` shows one pair after the other and keeps what the reader says."""

import io
import json

import pytest

from tests.review.conftest import Say
from tests.review.sample import CHOSEN


def test_readings_can_be_given_by_a_script(say: Say) -> None:
    say("try", CHOSEN, "--rows", "2", "--author", "Ada")
    pair = json.loads(say("read", "--reader", "Ada", "--json")[1])
    given = ("--run", pair["run_id"], "--row", pair["row_id"], "--verdict", "accept")
    assert say("read", "--reader", "Ada", *given)[0] == 0 and say("read", "--reader", "Ada", *given)[0] == 1


def test_readings_can_be_typed(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    say("try", CHOSEN, "--rows", "2", "--author", "Ada")
    answers = iter(["what", "a clear", "r a fact is lost", "q"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    code, said, _ = say("read", "--reader", "Ada")
    assert code == 0 and said.count("--- original") == 3 and "Nothing is left" in said


def test_a_reader_without_a_terminal_is_no_fault(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    say("try", CHOSEN, "--rows", "1", "--author", "Ada")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code, said, _ = say("read", "--reader", "Ada")
    assert code == 0 and said.count("--- original") == 1
