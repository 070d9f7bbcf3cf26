"""The list of tasks."""

from pathlib import Path

from stages.review.bench import Bench
from tests.review.conftest import OpenBench, used
from tests.review.sample import CHOSEN, DOCUMENTED, HOSTILE_TASK, NEW_TASK, ROWS, SEARCHED, TASKS, UNTOUCHED


def test_every_task_has_a_card(build: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        cards = {card.task: card for card in bench.tasks()}
        assert set(cards) == set(TASKS)
        assert {task: cards[task].kind for task in (SEARCHED, DOCUMENTED, CHOSEN, UNTOUCHED, NEW_TASK)} == {
            SEARCHED: "search", DOCUMENTED: "document", CHOSEN: "rewrite-only", UNTOUCHED: "untouched", NEW_TASK: "",
        }  # fmt: skip
        assert cards[SEARCHED].rows == ROWS, "held-out rows are not counted"
        assert (cards[SEARCHED].keyed, cards[DOCUMENTED].keyed) == (True, False)
        assert cards[HOSTILE_TASK].status == "draft" and cards[NEW_TASK].status == ""

    used(open_bench, work)


def test_a_library_file_that_cannot_be_read_is_told_and_hides_no_other(build: Path, open_bench: OpenBench) -> None:
    (build / "library" / f"{CHOSEN}.yaml").write_text("task: technique-choice\nsteps: 3\n", encoding="utf-8")

    async def work(bench: Bench) -> None:
        cards = {card.task: card for card in bench.tasks()}
        assert "line" in cards[CHOSEN].problem and not cards[SEARCHED].problem

    used(open_bench, work)
