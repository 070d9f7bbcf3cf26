"""The choice of rows is spread, stable and explained."""

from collections import Counter

from stages.ground.select import select_rows
from tests.toy_rows import make_format, make_row, toy_corpus

FORMATS = {task: make_format(task) for task in ("cve-to-cwe", "is-remote", "describe")}


def test_families_and_tasks_take_turns() -> None:
    chosen, _ = select_rows(toy_corpus(60), FORMATS, 8, 500)
    assert Counter(row.family for row in chosen) == {"cve": 4, "path": 4}
    assert Counter(row.task for row in chosen) == {"is-remote": 4, "cve-to-cwe": 2, "describe": 2}


def test_the_order_of_the_table_does_not_matter_and_another_task_moves_nothing() -> None:
    rows = toy_corpus(60)
    chosen, _ = select_rows(rows, FORMATS, 0, 500)
    assert select_rows(rows[::-1], FORMATS, 0, 500)[0] == chosen
    longer, _ = select_rows([*rows, make_row("New?", "N.", task="describe")], FORMATS, 0, 500)
    assert [row for row in longer if row.task == "is-remote"] == [row for row in chosen if row.task == "is-remote"]


def test_zero_means_all_and_every_row_left_out_has_a_reason() -> None:
    rows = [*toy_corpus(9), make_row("Dev?", "D.", split="dev"), make_row("Long? " * 300, "L.")]
    formats = {"cve-to-cwe": FORMATS["cve-to-cwe"], "is-remote": make_format("is-remote", rewrite=False)}
    chosen, passed = select_rows(rows, formats, 0, 200)
    assert passed == {"other-split": 1, "no-format": 3, "format-keeps-template": 3, "too-long": 1, "candidates": 3}
    assert len(chosen) == 3 and sum(passed.values()) == len(rows)
