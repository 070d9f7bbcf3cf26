"""Promotion and rollback against a real MLflow store on SQLite; the same on a live server is in test_server.py."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stages.errors import BusyError, InputError
from stages.register import aliases as aliases_module
from stages.register.aliases import move_champion
from stages.register.evidence import read_evidence
from stages.register.promote import promote
from stages.register.rollback import rollback
from stages.register.store import Store, open_store
from stages.register.tracking import aliases, read_version
from stages.state import stage_lock
from tests.register.made import add_version, make_root

if TYPE_CHECKING:
    from mlflow import MlflowClient

GOOD, BETTER, WORSE = "1" * 80 + "0" * 80, "1" * 100 + "0" * 60, "1" * 60 + "0" * 100


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path / "workspace")


def log(root: Path) -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(line) for line in (root / "metrics" / "promotions.jsonl").read_text().splitlines()]


def tags(store: Store, number: str) -> dict[str, str]:
    return read_version(store.client, store.params.model, number)


def test_promote_refuse_force_and_roll_back(root: Path) -> None:
    first = add_version(root, "a1", GOOD)
    store = open_store(root)
    shown = promote(root)
    assert "not worse: secforge-mcq loglikelihood" in shown and "`champion`, the first one" in shown
    assert aliases(store.client, "secforge") == {"candidate": first, "champion": first}
    assert "champion already" in promote(root)

    better = add_version(root, "b2", BETTER)
    assert f"`previous` is v{first}" in promote(root)
    assert aliases(store.client, "secforge") == {"candidate": better, "champion": better, "previous": first}
    assert tags(store, better)["secforge.status"] == "champion"
    assert tags(store, first)["secforge.status"] == "previous"

    worse = add_version(root, "c3", WORSE)
    with pytest.raises(InputError, match=r"-25\.0 points \(-31\.9 to -18\.8\) on 160 items.* failed"):
        promote(root)
    assert aliases(store.client, "secforge")["champion"] == better
    with pytest.raises(InputError, match="without a reason"):
        promote(root, force="  ")
    assert "forced past not worse" in promote(root, force="demonstration of the log")
    assert tags(store, worse)["secforge.status_reason"] == "demonstration of the log"

    said = rollback(root, "it was worse after all")
    assert f"version {better} (finetuned of b200000000) is `champion` again" in said
    assert aliases(store.client, "secforge") == {"candidate": worse, "champion": better, "previous": worse}
    assert tags(store, worse)["secforge.status"] == "rolled back"
    lines = log(root)
    assert [line["action"] for line in lines] == ["promote", "promote", "promote", "rollback"]
    assert [line["champion"]["version"] for line in lines] == [first, better, worse, better]
    assert [line["reason"] for line in lines] == ["", "", "demonstration of the log", "it was worse after all"]
    assert {gate["result"] for gate in lines[2]["gates"]} >= {"failed", "passed"}
    assert lines[0]["replaced"] is None and lines[3]["replaced"]["version"] == worse


def test_a_chosen_version_is_promoted_and_an_unknown_one_is_named(root: Path) -> None:
    first = add_version(root, "a1", GOOD)
    add_version(root, "b2", BETTER)
    promote(root, number=first, force="just in case")
    assert log(root)[0]["reason"] == ""  # no gate refused: nothing was forced
    assert aliases(open_store(root).client, "secforge")["champion"] == first
    with pytest.raises(InputError, match="no version 77") as caught:
        promote(root, number="77")
    assert "1, 2" in str(caught.value)


def test_nothing_to_promote_and_nothing_to_roll_back_are_said(root: Path) -> None:
    with pytest.raises(InputError, match="no alias `candidate`"):
        promote(root)
    add_version(root, "a1", GOOD)
    promote(root)
    with pytest.raises(InputError, match="no alias `previous`"):
        rollback(root)


def test_a_run_without_metrics_is_no_evidence(root: Path) -> None:
    number = add_version(root, "a1", GOOD, metrics={}, composition="family,source,licence,type,rows\n")
    store = open_store(root)
    found = read_evidence(store.client, read_version(store.client, "secforge", number))
    assert found.figures == {} and len(found.answers["finetuned"][("secforge-mcq", "loglikelihood")]) == 160
    store.client.set_model_version_tag("secforge", number, "run_id", "")
    with pytest.raises(InputError, match="has no metrics at its run"):
        read_evidence(store.client, {**read_version(store.client, "secforge", number), "run_id": _empty_run(store)})


def _empty_run(store: Store) -> str:
    return store.client.create_run("0").info.run_id


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the versions 1, 2 and 3; tests set its aliases themselves."""
    root = make_root(tmp_path_factory.mktemp("three") / "workspace")
    for name in ("a1", "b2", "c3"):
        add_version(root, name, GOOD)
    return root


@pytest.fixture
def client(three: Path) -> "MlflowClient":
    """A client for which version 1 is champion and nothing is `previous`."""
    client = open_store(three).client
    client.delete_registered_model_alias("secforge", "previous")
    client.set_registered_model_alias("secforge", "champion", "1")
    return client


def test_a_champion_that_moved_since_the_gates_were_judged_is_busy_and_nothing_changes(client: "MlflowClient") -> None:
    move_champion(client, "secforge", "1", "2")
    with pytest.raises(BusyError, match="the champion was version 1 when this one began and is version 2"):
        move_champion(client, "secforge", "1", "3")
    assert aliases(client, "secforge") == {"candidate": "3", "champion": "2", "previous": "1"}


def test_a_foreign_claim_before_the_change_ends_it(client: "MlflowClient", monkeypatch: pytest.MonkeyPatch) -> None:
    original = client.set_registered_model_tag

    def claimed_at_once(model: str, key: str, value: str) -> None:
        original(model, key, value)
        original(model, key, "another's")

    monkeypatch.setattr(client, "set_registered_model_tag", claimed_at_once)
    with pytest.raises(BusyError, match="another promotion of `secforge` came first"):
        move_champion(client, "secforge", "1", "2")
    assert aliases(client, "secforge") == {"candidate": "3", "champion": "1"}


@pytest.mark.parametrize(("theirs", "champion"), [(None, "1"), ("3", "3")])
def test_a_foreign_claim_after_the_change_is_noticed(
    client: "MlflowClient", monkeypatch: pytest.MonkeyPatch, theirs: str | None, champion: str
) -> None:
    """The other process has only claimed yet: the change is taken back. It has moved the champion too: that stays."""
    original = client.set_registered_model_alias

    def overtaken(model: str, alias: str, version: str) -> None:
        original(model, alias, version)
        if (alias, version) == ("champion", "2"):
            client.set_registered_model_tag(model, aliases_module.CLAIM, "another's")
            if theirs:
                original(model, alias, theirs)

    monkeypatch.setattr(client, "set_registered_model_alias", overtaken)
    with pytest.raises(BusyError, match=f"is version {champion}"):
        move_champion(client, "secforge", "1", "2")
    assert aliases(client, "secforge")["champion"] == champion


def test_a_second_process_on_this_machine_is_told_to_wait_and_a_rollback_takes_seconds(root: Path) -> None:
    add_version(root, "a1", GOOD)
    promote(root)
    add_version(root, "b2", BETTER)
    promote(root)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "stages.register", "rollback"]
    with stage_lock("register", root):
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "already running as process" in done.stderr
    began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "is `champion` again" in done.stdout, done.stderr
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began < 15  # whatever else this machine does
