"""Payloads are found in texts; prose about attacks is not taken for one."""

import time

import pytest

from stages.tasks.harm import is_runnable


@pytest.mark.parametrize(
    "text",
    [
        "<script>window.run()</script>",
        "Send %253Cscript%253E to the page",
        "as user enter ' OR 1=1",
        "GET /../../etc/passwd",
        "x; rm -rf /tmp/shop",
        "cmd.exe /c calc",
        "SELECT name FROM users WHERE id",
        "https://shop.example/?q=1&admin=true",
        "AAAAAAAAAAAAAAAA",
        "%n%n%n",
        "call alert(1)",
    ],
)
def test_a_piece_of_an_attack_is_found(text: str) -> None:
    assert is_runnable(text)


@pytest.mark.parametrize(
    "text",
    [
        "An adversary alerts nobody and reads 100% of the mail.",
        "The attacker selects a page from the shop and changes the script that runs there.",
        "A user or an administrator opens the file; the system then evaluates it.",
    ],
)
def test_prose_about_an_attack_is_none(text: str) -> None:
    assert not is_runnable(text)


def test_a_long_hostile_text_takes_no_long_time() -> None:
    started = time.perf_counter()
    for unit in ("select ", "w=", "?a", "'  or ", "%2", "<  /  "):
        is_runnable(unit * 20_000)
    assert time.perf_counter() - started < 2
