"""A run keeps what decides about its rows, and goes on under nothing else."""

from pathlib import Path

import pytest

from stages.errors import InputError
from stages.review.bench import Bench
from stages.review.settings import load_settings, refuse_settings, shown
from tests.review.conftest import OpenBench, used
from tests.review.made import make_run
from tests.review.sample import CHOSEN


def test_an_open_page_has_no_budget_of_seconds(served: Path) -> None:
    with (served / "params.yaml").open("a", encoding="utf-8") as file:
        file.write("  budget: {seconds: 1.0}\n")
    assert load_settings(served / "params.yaml").runtime.budget.seconds == 0.0


def test_who_tries_rows_waits_for_answers_and_not_for_a_batch(served: Path) -> None:
    with (served / "params.yaml").open("a", encoding="utf-8") as file:
        file.write("  batch_files: batch\n  engine: ray\n")
    runtime = load_settings(served / "params.yaml").runtime
    assert (runtime.batch_files, runtime.engine) == ("", "local")


def test_params_with_a_mistake_are_told_before_a_run_begins(served: Path, open_bench: OpenBench) -> None:
    (served / "params.yaml").write_text("enrich: {keeep: 1}\n", encoding="utf-8")

    async def work(bench: Bench) -> None:
        with pytest.raises(Exception, match="keeep"):
            bench.start_run(bench.current(CHOSEN).id, [bench.sample(CHOSEN, 1)[0].id], "Ada")
        assert bench.runs(CHOSEN) == []

    used(open_bench, work)


def test_only_what_decides_about_rows_refuses_a_run(served: Path) -> None:
    params = served / "params.yaml"
    run = make_run(settings=shown(load_settings(params)))
    params.write_text(params.read_text().replace("timeout: 20.0", "timeout: 30.0"), encoding="utf-8")
    refuse_settings(run, load_settings(params))
    params.write_text(params.read_text().replace("row_tokens: 2000", "row_tokens: 1999"), encoding="utf-8")
    with pytest.raises(InputError, match="not those with which the run"):
        refuse_settings(run, load_settings(params))
