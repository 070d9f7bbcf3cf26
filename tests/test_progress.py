"""Progress is silent for short work and readable in a log."""

import time

import pytest

from stages.progress import progress


def test_short_work_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress(range(3), label="rows")) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def test_without_a_terminal_every_line_is_whole(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    bar = progress(total=4, label="calls", unit="calls")
    bar.start_t = bar.last_print_t = time.time() - 60
    bar.update(3)
    bar.close()
    printed = capsys.readouterr().err
    assert printed.startswith("calls:  75%") and printed.endswith("\n")
    assert "\r" not in printed and "3/4" in printed and "s/ calls" in printed
