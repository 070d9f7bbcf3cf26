"""Promotion and rollback against a real MLflow store on SQLite; the same on a live server is in test_server.py."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest

from stages.errors import BusyError, InputError
from stages.register.__main__ import main
from stages.register.evidence import read_evidence
from stages.register.promote import promote
from stages.register.rollback import rollback
from stages.register.store import Store, open_store
from stages.register.tracking import aliases, read_version
from stages.state import stage_lock, state_dir
from tests.register.made import GOOD, add_version

LOG = "metrics/promotions.jsonl"


def log(root: Path) -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(line) for line in (root / LOG).read_text().splitlines()]


def tags(store: Store, number: str) -> dict[str, str]:
    return read_version(store.client, store.params.model, number)


def test_promote_refuse_force_and_roll_back(root: Path) -> None:
    store = open_store(root)
    store.client.set_registered_model_alias("secforge", "candidate", "1")
    shown = promote(root)
    assert "not worse: secforge-mcq loglikelihood" in shown and "`champion`, the first one" in shown
    assert aliases(store.client, "secforge") == {"candidate": "1", "champion": "1"}
    assert "champion already" in promote(root)

    store.client.set_registered_model_alias("secforge", "candidate", "2")
    assert "`previous` is v1" in promote(root)
    assert aliases(store.client, "secforge") == {"candidate": "2", "champion": "2", "previous": "1"}
    assert tags(store, "2")["secforge.status"] == "champion"
    assert tags(store, "1")["secforge.status"] == "previous"

    store.client.set_registered_model_alias("secforge", "candidate", "3")
    with pytest.raises(InputError, match=r"-25\.0 points \(-31\.9 to -18\.8\) on 160 of 160 items.* failed"):
        promote(root)
    assert aliases(store.client, "secforge")["champion"] == "2"
    with pytest.raises(InputError, match="without a reason"):
        promote(root, force="  ")
    assert "forced past not worse" in promote(root, force="demonstration of the log")
    assert tags(store, "3")["secforge.status_reason"] == "demonstration of the log"

    said = rollback(root, "it was worse after all")
    assert "version 2 (finetuned of b200000000) is `champion` again" in said
    assert aliases(store.client, "secforge") == {"candidate": "3", "champion": "2", "previous": "3"}
    assert tags(store, "3")["secforge.status"] == "rolled back"
    lines = log(root)
    assert [line["action"] for line in lines] == ["promote", "promote", "promote", "rollback"]
    assert [line["champion"]["version"] for line in lines] == ["1", "2", "3", "2"]
    assert [line["reason"] for line in lines] == ["", "", "demonstration of the log", "it was worse after all"]
    assert {gate["result"] for gate in lines[2]["gates"]} >= {"failed", "passed"}
    assert lines[0]["replaced"] is None and lines[3]["replaced"]["version"] == "3"


def test_a_chosen_version_is_promoted_and_an_unknown_one_is_named(root: Path) -> None:
    promote(root, number="1", force="just in case")
    assert log(root)[0]["reason"] == ""  # no gate refused: nothing was forced
    assert aliases(open_store(root).client, "secforge")["champion"] == "1"
    with pytest.raises(InputError, match="no version 77") as caught:
        promote(root, number="77")
    assert "1, 2, 3" in str(caught.value)


def test_an_alias_that_is_missing_names_the_command_that_gives_it(root: Path) -> None:
    open_store(root).client.delete_registered_model_alias("secforge", "candidate")
    with pytest.raises(InputError, match=r"no alias `candidate`(.|\n)*`python -m stages.register` after a commit"):
        promote(root)
    with pytest.raises(InputError, match=r"no alias `champion`(.|\n)*register promote` gives the alias `champion`"):
        rollback(root)
    promote(root, number="1")
    with pytest.raises(InputError, match=r"no alias `previous`(.|\n)*when a champion is replaced"):
        rollback(root)


def test_gates_that_no_commit_holds_refuse(root: Path) -> None:
    text = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(text.replace("runtime: {", "runtime: {threads: 2, "))
    promote(root, number="2")
    (root / "params.yaml").write_text(text.replace("least_items: 100", "least_items: 100, margin: 0.5"))
    with pytest.raises(InputError, match=r"gates committed +others than in the commit HEAD .* failed"):
        promote(root)
    promote(root, force="a wider margin, on purpose")
    assert [gate["gate"] for gate in log(root)[1]["gates"] if gate["result"] == "failed"] == ["gates committed"]
    shutil.rmtree(root / ".git")
    with pytest.raises(InputError, match=r"gates committed +no commit holds params\.yaml .* not measured"):
        promote(root, number="1")


def test_a_run_without_metrics_is_no_evidence(root: Path) -> None:
    number = add_version(root, "d4", GOOD, metrics={}, composition="family,source,licence,type,rows\n")
    store = open_store(root)
    found = read_evidence(store.client, tags(store, number))
    assert found.figures == {} and len(found.answers["finetuned"][("secforge-mcq", "loglikelihood")]) == 160
    empty = store.client.create_run("0").info.run_id
    with pytest.raises(InputError, match="has no metrics at its run"):
        read_evidence(store.client, {**tags(store, number), "run_id": empty})


def _null_verdict(path: Path) -> None:
    rows = parquet.read_table(path)
    position = rows.schema.get_field_index("correct")
    parquet.write_table(rows.set_column(position, "correct", pyarrow.array([None] * len(rows), pyarrow.bool_())), path)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("data/evaluate/predictions.parquet", _cut),
        ("data/evaluate/predictions.parquet", _null_verdict),
        ("metrics/validate.json", _cut),
        ("metrics/validate_composition.csv", lambda path: path.write_text("licence,rows\nMIT,many\n")),
    ],
)
def test_a_damaged_artifact_is_named_with_its_run_and_what_to_do(root: Path, name: str, damage: object) -> None:
    store = open_store(root)
    version = tags(store, "1")
    damage(state_dir(root) / "mlartifacts" / version["run_id"] / "artifacts" / name)  # type: ignore[operator]
    with pytest.raises(InputError, match=f"{name} of version 1 of `secforge` .run {version['run_id']}. cannot be read") as caught:
        promote(root, number="1")
    assert "Restore it in MLflow's artifact store, or delete the run and check out its commit a100000000" in str(caught.value)


def test_a_database_that_is_none_is_one_message(root: Path) -> None:
    (state_dir(root) / "mlflow.db").write_bytes(b"no database " * 1000)
    with pytest.raises(InputError, match=r"no MLflow store answers at sqlite:(.|\n)*file is not a database(.|\n)*restore"):
        promote(root)


def test_a_torn_line_spoils_no_other_and_secrets_stay_out_of_the_log(root: Path) -> None:
    (root / "metrics").mkdir()
    (root / LOG).write_text('{"action": "pro')
    key = "sk-" + "a1" * 12
    promote(root, number="1")
    promote(root, number="3", force=f"see http://u:hunter2@host/?token=xyzzy {key} \udcff")
    torn, *whole = (root / LOG).read_text().splitlines()
    assert torn == '{"action": "pro' and [json.loads(line)["champion"]["version"] for line in whole] == ["1", "3"]
    said = "see http://u:***@host/?token=*** *** ?"
    assert json.loads(whole[1])["reason"] == said == tags(open_store(root), "3")["secforge.status_reason"]


def test_a_second_process_on_this_machine_is_told_to_wait_and_not_to_kill(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    for command in ([], ["promote"], ["rollback"]):
        with stage_lock("register"), pytest.raises(BusyError, match=r"another .python -m stages\.register.") as caught:
            main(command)
        assert "Wait until it ends" in str(caught.value) and "kill 1" not in str(caught.value)


@pytest.mark.slow
def test_a_rollback_takes_seconds(root: Path) -> None:
    promote(root, number="1")
    promote(root, number="2")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [sys.executable, "-m", "stages.register", "rollback"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "is `champion` again" in done.stdout, done.stderr
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began < 6  # whatever else this machine does
