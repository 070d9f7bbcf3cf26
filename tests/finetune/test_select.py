"""Row selection: budget, proportions, determinism, and rows that cannot be used."""

import random
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from stages.errors import InputError, ParamsError
from stages.finetune.model import load_tokenizer
from stages.finetune.packing import pack_rows
from stages.finetune.schema import RenderedRow
from stages.finetune.select import learning_order, render_rows, select_rows
from tests.finetune.conftest import training_row


def rendered(task: str, family: str, count: int, tokens: int = 10, label: str = "") -> list[RenderedRow]:
    return [
        RenderedRow(id=f"{task}-{number}", task=task, family=family, label=label, input_ids=[1] * tokens, labels=[1] * tokens)
        for number in range(count)
    ]


ROWS = rendered("cve-to-cwe", "cve", 300) + rendered("a", "attack", 300, tokens=20) + rendered("b", "attack", 300)
MIX = {"cve-to-cwe": 0.6, "other": 0.4}


def tokens_per_task(rows: list[RenderedRow]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.task] += len(row.input_ids)
    return counts


def test_the_budget_is_filled_in_the_proportions_of_the_mix() -> None:
    counts = tokens_per_task(select_rows(ROWS, max_tokens=2000, rows_per_label=3, mix=MIX))
    assert 1980 <= counts.total() <= 2000
    assert counts["cve-to-cwe"] == pytest.approx(1200, abs=20)
    assert counts["a"] == pytest.approx(400, abs=20) and counts["b"] == pytest.approx(400, abs=20)


def test_a_hundred_tasks_of_a_small_share_do_not_take_a_row_each_first() -> None:
    many = [row for number in range(100) for row in rendered(f"task-{number:03}", "attack", 5, tokens=20)]
    counts = tokens_per_task(
        select_rows(ROWS[:300] + many, max_tokens=1000, rows_per_label=3, mix={"cve-to-cwe": 0.9, "other": 0.1})
    )
    assert counts["cve-to-cwe"] == pytest.approx(900, abs=20) and len(counts) == 6


def test_a_family_shares_its_weight_among_its_tasks() -> None:
    counts = tokens_per_task(select_rows(ROWS, max_tokens=2000, rows_per_label=3, mix={"attack": 1.0, "cve": 1.0}))
    assert counts["cve-to-cwe"] == pytest.approx(1000, abs=20) and counts["a"] == pytest.approx(500, abs=20)


def test_a_task_that_runs_out_leaves_its_tokens_to_the_others() -> None:
    counts = tokens_per_task(select_rows(ROWS[:5] + ROWS[300:], max_tokens=2000, rows_per_label=3, mix=MIX))
    assert counts["cve-to-cwe"] == 50 and counts.total() >= 1980


def test_the_choice_does_not_depend_on_the_order_of_the_rows() -> None:
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    assert select_rows(shuffled, max_tokens=2000, rows_per_label=3, mix=MIX) == select_rows(
        ROWS, max_tokens=2000, rows_per_label=3, mix=MIX
    )


def test_frequent_labels_come_first_each_a_few_times_and_nothing_is_dropped() -> None:
    def labelled(label: str, count: int) -> list[RenderedRow]:
        return [replace(row, id=f"{label}-{row.id}") for row in rendered("t", "f", count, label=label)]

    rows = labelled("CWE-1", 1) + labelled("CWE-79", 9) + labelled("CWE-89", 5)
    ordered = learning_order(rows, 3)
    assert [row.label for row in ordered[:7]] == ["CWE-79"] * 3 + ["CWE-89"] * 3 + ["CWE-1"]
    assert sorted(row.id for row in ordered) == sorted(row.id for row in rows)
    assert learning_order(rows[::-1], 3) == ordered


def test_chosen_rows_come_mixed_so_that_a_pack_holds_many_labels() -> None:
    rows = [
        RenderedRow(id=f"{label}-{number}", task="t", family="f", label=label, input_ids=[1] * 10, labels=[1] * 10)
        for label in ("CWE-1", "CWE-2", "CWE-3", "CWE-4")
        for number in range(12)
    ]
    packs = pack_rows(select_rows(rows, max_tokens=480, rows_per_label=12, mix={"other": 1.0}), 80)
    assert sum(len({row.label for row in pack}) for pack in packs) / len(packs) > 2.5


def test_a_weight_of_zero_leaves_a_task_out() -> None:
    assert "cve-to-cwe" not in tokens_per_task(
        select_rows(ROWS, max_tokens=2000, rows_per_label=3, mix={"cve-to-cwe": 0.0, "other": 1.0})
    )


@pytest.mark.parametrize("mix", [{"cve-to-cve": 1.0}, {"cve-to-cwe": -1.0}, {"cve-to-cwe": float("nan")}])
def test_a_mix_that_cannot_be_meant_is_refused(mix: dict[str, float]) -> None:
    with pytest.raises(ParamsError, match=r"finetune\.mix"):
        select_rows(ROWS, max_tokens=2000, rows_per_label=3, mix=mix)


def test_nothing_chosen_is_an_error_with_a_remedy() -> None:
    with pytest.raises(InputError, match=r"Raise finetune\.max_tokens"):
        select_rows(ROWS, max_tokens=5, rows_per_label=3, mix=MIX)


def test_long_and_empty_rows_are_rejected_never_cut(tiny_base: Path) -> None:
    rows = [training_row(1), training_row(2, instruction="buffer " * 200), training_row(3, answer=" \n")]
    kept, rejects = render_rows(rows, load_tokenizer(tiny_base), 128)
    assert [row.id for row in kept] == ["row-1"]
    assert [(reject.record, reject.reason) for reject in rejects] == [("row-2", "too-long"), ("row-3", "empty-answer")]
    assert "finetune.max_length is 128" in rejects[0].detail


def test_packing_loses_no_row_and_fills_the_packs() -> None:
    lengths = [random.Random(seed).randint(20, 200) for seed in range(500)]
    rows = [RenderedRow(id=str(n), task="t", family="f", label="", input_ids=[1] * n, labels=[1] * n) for n in lengths]
    packs = pack_rows(rows, 384)
    assert sorted(len(row.input_ids) for pack in packs for row in pack) == sorted(lengths)
    assert all(sum(len(row.input_ids) for row in pack) <= 384 for pack in packs)
    assert sum(lengths) / (384 * len(packs)) > 0.95
