"""A real queue on a toy repository: one arm that is built, one that fails, the table, going on, and nothing of the user's touched."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.e2e.toy_repository import ToyRepository, start_server
from tests.fake_openai import FakeOpenAI

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # four minutes on two free cores

EXPERIMENT = """
question: Are answers the same with a format after the question?
arms:
  - name: as-built
    set: {}
  - name: varied
    set:
      evaluate.runs:
        - {benchmark: secforge-mcq, protocol: loglikelihood, systems: [base, finetuned], items: 12}
        - {benchmark: secforge-rcm, protocol: generative, systems: [finetuned], items: 4, max_new_tokens: 4}
        - {benchmark: secforge-rcm, protocol: generative, systems: [finetuned], items: 4, max_new_tokens: 4, format: whole}
  - name: broken
    set:
      evaluate.runs: [{benchmark: no-such-benchmark, protocol: generative, systems: [base]}]
compare:
  - {figure: kept, better: higher}
  - {figure: accuracy, better: higher, benchmark: secforge-mcq, protocol: loglikelihood, system: finetuned}
careful: [Toy data.]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenAI]:
    with start_server() as running:
        yield running


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, server: FakeOpenAI) -> ToyRepository:
    repository = ToyRepository(tmp_path_factory.mktemp("toy") / "repository", server.base_url)
    (repository.root / "stages/experiments/library/toy.yaml").write_text(EXPERIMENT, encoding="utf-8")
    own = repository.root / "data/own/tickets.jsonl"  # git does not hold it; every arm is built with it all the same
    own.write_text(
        '{"id": "A-1", "text": "The search page prints its query without encoding it.", "cwe": "CWE-79"}\n', encoding="utf-8"
    )
    repository.dvc("repro", "evaluate")
    repository.commit("built")
    return repository


def experiments(repository: ToyRepository, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stages.experiments", *arguments]
    return subprocess.run(
        command, cwd=repository.root, env=repository.environment, capture_output=True, text=True, timeout=900, check=False
    )


def test_a_queue_of_two_arms_one_of_which_fails(built: ToyRepository, server: FakeOpenAI) -> None:
    params, head, calls = (built.root / "params.yaml").read_bytes(), built.git("symbolic-ref", "HEAD"), server.calls
    first = _killed_while_queueing(built)
    assert first != 0
    done = experiments(built, "run", "toy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "varied: done" in done.stdout and "broken: failed" in done.stdout
    assert (built.root / "params.yaml").read_bytes() == params
    assert built.git("symbolic-ref", "HEAD") == head and not built.git("stash", "list")
    assert server.calls == calls  # every answer was known

    table = json.loads((built.root / "metrics/experiments/toy.json").read_text(encoding="utf-8"))
    arms = {arm["arm"]: arm for arm in table["arms"]}
    assert [arms[name]["state"] for name in ("as-built", "varied", "broken")] == ["done", "done", "failed"]
    assert "no-such-benchmark" in "\n".join(arms["broken"]["tail"])
    assert arms["varied"]["differs"].keys() == {"evaluate.runs"}
    assert arms["varied"]["rows"] == arms["as-built"]["rows"] and arms["varied"]["same_model"]
    assert arms["varied"]["consistency"]["secforge-rcm"]["generative"]["finetuned"]["variations"] == ["none", "whole"]
    assert arms["varied"]["cost"]["calls"] == 0 and list(arms["varied"]["cost"]["stages"]) == ["evaluate"]
    kept = table["comparisons"][0]
    assert (kept["figure"], kept["arm"], kept["against"]) == ("kept", "varied", "as-built") and kept["difference"] == 0
    page = (built.root / "metrics/experiments/toy.md").read_text(encoding="utf-8")
    assert "no-such-benchmark" in page and "| varied |" in page

    shown = built.dvc("exp", "show", "--md").stdout
    assert arms["varied"]["experiment"] in shown

    for how, started in (([], "broken: queued"), (["--now"], "broken: running")):
        again = experiments(built, "run", "toy", *how)  # a table in the work tree is no dirt
        assert again.returncode == 0, again.stdout + again.stderr
        assert "varied: done before" in again.stdout and started in again.stdout and "broken: failed" in again.stdout
    assert (built.root / "params.yaml").read_bytes() == params


def test_uncommitted_code_or_a_stale_build_is_refused(built: ToyRepository) -> None:
    built.change_params({"enrich": {"keep": {"factuality": 9}}})
    dirty = experiments(built, "run", "toy")
    built.commit("changed and not built")
    stale = experiments(built, "run", "toy")
    built.git("revert", "--no-edit", "HEAD")
    assert dirty.returncode == 1 and "params.yaml" in dirty.stderr
    assert stale.returncode == 1 and "enrich" in stale.stderr and "dvc repro evaluate" in stale.stderr
    assert "Traceback" not in dirty.stderr + stale.stderr


def _killed_while_queueing(repository: ToyRepository) -> int:
    """Start the command and kill it, without mercy, as soon as it queues its first arm."""
    command = [sys.executable, "-m", "stages.experiments", "run", "toy"]
    process = subprocess.Popen(
        command, cwd=repository.root, env=repository.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    clone = repository.root / ".dvc/tmp/secforge-experiments/repository/.dvc/config.local"
    deadline = time.monotonic() + 120
    while process.poll() is None and not clone.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(signal.SIGKILL)
    return process.wait()
