"""One row on the real path: what it shows when all goes well, when a call fails, and when the judge has not passed."""

import asyncio
from pathlib import Path

import pytest

from stages.llm.client import open_client
from stages.review.data import Workspace
from stages.review.runner import Bedrock, try_row
from stages.review.schema import RowResult
from stages.review.settings import load_settings
from tests.fake_openai import FakeOpenAI, Fault
from tests.review.sample import CHOSEN, ROWS, SEARCHED, sample_format


def tried_row(params_file: Path, task: str, *, number: int = 0, judge_passed: bool = True, again: bool = False) -> RowResult:
    """The task's row `number`, tried once or twice with one client; the last result."""
    settings, workspace = load_settings(params_file), Workspace()
    row = workspace.sample(task, number + 1, 0)[number]

    async def work() -> RowResult:
        async with open_client("review", settings.llm, settings.runtime, base_model=Path("none")) as client:
            library = workspace.library(task, settings.ground, settings.runtime)
            bedrock = Bedrock(client, library, workspace.entities, settings, judge_passed)
            found = await try_row("run", row, sample_format(task), bedrock)
            return await try_row("run", row, sample_format(task), bedrock) if again else found

    found = asyncio.run(work())
    assert (found.run_id, found.row_id) == ("run", row.id)
    return found


def test_a_row_shows_its_evidence_rewrite_verdict_and_cost(served: Path) -> None:
    found = tried_row(served / "params.yaml", SEARCHED)
    assert found.rewrite and found.evidence and found.queries and found.checks and not found.error
    assert set(found.shown) <= {evidence.passage_id for evidence in found.evidence}
    assert found.tried and found.tried.kept == found.kept and found.usage.calls >= 2 and found.cached == 0
    assert found.tried.prompt_tokens == found.usage.prompt_tokens and found.tried.usd == pytest.approx(found.usage.usd)


def test_the_second_time_everything_is_cached_and_the_same(served: Path, server: FakeOpenAI) -> None:
    found = tried_row(served / "params.yaml", SEARCHED, again=True)
    assert found.cached == found.usage.calls > 0 and found.usage.usd_paid == 0
    asked = server.calls
    assert tried_row(served / "params.yaml", SEARCHED).rewrite == found.rewrite and server.calls == asked


def test_no_rewrite_is_kept_on_the_word_of_a_judge_that_has_not_passed(served: Path) -> None:
    params = served / "params.yaml"
    good = next(number for number in range(ROWS) if tried_row(params, CHOSEN, number=number).kept)
    found = tried_row(params, CHOSEN, number=good, judge_passed=False)
    assert not found.kept and found.reasons == ["judge-not-calibrated"] and found.rewrite


@pytest.mark.parametrize(("task", "stage"), [(SEARCHED, "ground"), (CHOSEN, "enrich")])
def test_a_row_whose_call_failed_says_where_and_counts_nowhere(served: Path, server: FakeOpenAI, task: str, stage: str) -> None:
    server.faults.append(Fault("empty"))
    found = tried_row(served / "params.yaml", task)
    assert found.error.startswith(f"{stage}: call-failed:empty") and found.tried is None
    assert not found.kept and not found.rewrite and found.reasons
