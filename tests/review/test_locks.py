"""Who is alive, and who waits for whom."""

import threading
from pathlib import Path

from stages.review.locks import Owner, exclusive


def test_an_owner_is_alive_until_it_gives_up(tmp_path: Path) -> None:
    one, other = Owner(tmp_path / "r.sqlite"), Owner(tmp_path / "r.sqlite")
    assert not one.has_died(one.name) and not other.has_died(one.name)
    one.give_up()
    assert other.has_died(one.name) and other.has_died("nobody")
    assert len(list(tmp_path.glob("*.lock"))) == 1, "only the living one's"


def test_a_dead_owner_s_file_is_taken_away(tmp_path: Path) -> None:
    left = tmp_path / "r-0123456789abcdef.lock"
    left.touch()
    assert Owner(tmp_path / "r.sqlite").has_died("0123456789abcdef") and not left.exists()


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with exclusive(tmp_path / "sub" / "decision.lock"):
            order.append("second")

    with exclusive(tmp_path / "sub" / "decision.lock"):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.1)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]
