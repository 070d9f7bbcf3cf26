"""The same work in one process and in several: equal results in order, errors raised here."""

import os

import pytest

from stages.processes import map_processes


def work(number: int) -> bytes:
    return str(number * number).encode()


@pytest.mark.parametrize("workers", [0, 1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    assert list(map_processes(range(20), work, workers, "x", "y")) == [str(n * n).encode() for n in range(20)]


def test_several_workers_are_other_processes_and_one_is_this_one() -> None:
    def who(_: int) -> bytes:
        return str(os.getpid()).encode()

    here = str(os.getpid()).encode()
    assert set(map_processes(range(4), who, 1, "x", "y")) == {here}
    assert here not in set(map_processes(range(4), who, 2, "x", "y"))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_worker_is_raised_and_no_items_are_no_work(workers: int) -> None:
    def fail(number: int) -> bytes:
        raise ValueError(f"item {number}")

    with pytest.raises(ValueError, match="item 0"):
        list(map_processes(range(3), fail, workers, "x", "y"))
    assert list(map_processes([], fail, workers, "x", "y")) == []
    assert list(map_processes(range(3), work, workers, "x", "y")) == [b"0", b"1", b"4"]
