"""The commands, as a person or a script uses them: exit codes, JSON, and no escape sequence on any terminal."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fake_openai import FakeOpenAI, Fault
from tests.review.conftest import Say, environment, git
from tests.review.sample import CHOSEN, HOSTILE_TASK, NEW_TASK, SEARCHED, TASKS


def test_list_is_a_table_and_json(say: Say) -> None:
    code, said, _ = say("list")
    assert code == 0 and all(task in said for task in TASKS) and "7 tasks, 5 with an approved format" in said
    cards = json.loads(say("list", "--json", "--family", "hostile")[1])
    assert [card["task"] for card in cards] == [HOSTILE_TASK]


def test_try_shows_rewrites_checks_and_verdicts(say: Say) -> None:
    code, said, beside = say("try", SEARCHED, "--rows", "10", "--author", "Ada")
    assert code == 0 and "done, 10 of 10 rows" in said and "judge's examination: 16 of 16 right, passed" in said
    assert "+### 1." in said and "more readable in both orders" in said and "facts 9 of 10" in said
    assert "not kept: " in said and "«" in said, "the words that failed a check"
    run = beside.split()[2].rstrip(":")
    code, _, beside = say("try", SEARCHED, "--continue", run)
    assert code == 1 and "nothing to go on with" in beside
    assert "10/10" in say("show", SEARCHED, "--all")[1]


def test_hostile_rows_are_printed_as_text(say: Say) -> None:
    code, said, _ = say("try", HOSTILE_TASK, "--rows", "10", "--author", "Ada")
    assert code == 0 and "<script>" in said and "\\x1b[2J" in said and "\\u202e" in said


def test_edit_in_an_editor_try_compare_approve_diff(say: Say, checkout: Path) -> None:
    text = say("show", CHOSEN)[1].replace("Explain which other reading fails and why.", "Say for each other option why it fails.")
    mine = checkout / "mine.yaml"
    mine.write_text(text, encoding="utf-8")
    assert say("lint", CHOSEN, "--file", str(mine))[0] == 0
    first = json.loads(say("try", CHOSEN, "--rows", "4", "--author", "Ada", "--json")[1])
    second = json.loads(say("try", CHOSEN, "--rows", "4", "--author", "Ada", "--file", str(mine), "--json")[1])
    versions = (first["run"]["version_id"], second["run"]["version_id"])
    assert second["run"]["state"] == "done" and second["figures"]["n"] == 4
    assert "4 row(s) tried with both" in say("compare", CHOSEN, *versions)[1]
    assert "+  - Say for each other option why it fails." in say("diff", CHOSEN, *versions)[1]
    code, _, beside = say("approve", CHOSEN, "--reviewer", "Bob")
    assert code == 1 and "approved already" in beside
    code, shown, beside = say("approve", CHOSEN, "--file", str(mine), "--reviewer", "Bob", "--note", "better")
    assert code == 0 and "+reviewer: Bob" in shown and "nothing is committed: git add -- " in beside
    assert say("diff", CHOSEN)[1].strip() == shown.strip() and "library/technique-choice.yaml" in git(checkout, "status", "-s")
    assert say("reject", CHOSEN, "--version", versions[0], "--reviewer", "Bob", "--note", "old")[0] == 0
    assert {one["verdict"] for one in json.loads(say("show", CHOSEN, "--all", "--json")[1])["decisions"]} == {
        "approved",
        "rejected",
    }


def test_draft_prints_and_writes_only_where_nobody_has_approved(say: Say, checkout: Path) -> None:
    code, said, beside = say("draft", NEW_TASK, "--examples", "2", "--author", "Ada", "--write")
    assert code == 0 and said.startswith("task: new-task") and "written to" in beside
    assert "status: draft" in (checkout / "library" / "new-task.yaml").read_text()
    assert say("approve", NEW_TASK, "--reviewer", "Bob")[0] == 0, "the library's own draft"
    code, _, beside = say("draft", NEW_TASK, "--write", "--author", "Ada")
    assert code == 1 and "is approved" in beside
    assert say("draft", NEW_TASK, "--write", "--out", str(checkout / "d.yaml"), "--author", "Ada")[0] == 0
    assert (checkout / "d.yaml").read_text().startswith("task: new-task")


def test_out_is_refused_before_a_model_is_asked(say: Say, checkout: Path, server: FakeOpenAI) -> None:
    filed = checkout / "library" / f"{SEARCHED}.yaml"
    before = filed.read_bytes()
    for arguments in (["--out", "d.yaml"], ["--write", "--out", "."], ["--write", "--out", str(filed)]):
        code, said, beside = say("draft", SEARCHED, *arguments)
        assert code == 1 and said == "" and beside.startswith("[formats] ")
    assert filed.read_bytes() == before and server.calls == 0 and not (checkout / "d.yaml").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "no-such-task"), ("show", "../../etc/passwd"), ("try", CHOSEN, "--row", "nothing"), ("try", CHOSEN, "--rows", "0"),
        ("try", CHOSEN, "--file", "no-such-file"), ("compare", CHOSEN, "a", "b"), ("diff", CHOSEN, "one"),
        ("approve", CHOSEN, "--version", "\x1b[31m", "--reviewer", "Bob"), ("try", CHOSEN, "--continue", "nothing"),
        ("read", "--reader", " "), ("read", "--reader", "Ada", "--verdict", "accept"), ("lint", "no-such-task"),
        ("lint", "../../params"), ("draft", NEW_TASK, "--examples", "99"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_message_and_exit_code_1(say: Say, arguments: tuple[str, ...]) -> None:
    code, said, beside = say(*arguments)
    assert code == 1 and said == "" and beside.startswith("[formats] ") and "\x1b" not in beside and "Traceback" not in beside


def test_a_failed_run_exits_with_1_and_says_why(say: Say, checkout: Path) -> None:
    (checkout / "params.yaml").write_text(
        "llm: {teacher: {provider: openai, model: t}, judge: {provider: openai, model: j}}", encoding="utf-8"
    )
    code, said, _ = say("try", CHOSEN, "--rows", "1", "--author", "Ada")
    assert code == 1 and "failed" in said and "runtime.endpoints" in said


def test_rows_without_a_result_exit_with_1(say: Say, server: FakeOpenAI) -> None:
    server.faults.append(Fault("empty", pattern="Release 1 of"))
    code, said, beside = say("try", CHOSEN, "--rows", "10", "--author", "Ada")
    assert code == 1 and "done, 10 of 10 rows" in said and "1 row(s) have no result" in beside and "--continue" in beside
    server.faults[0] = Fault("500")
    code, _, beside = say("draft", NEW_TASK, "--author", "Ada")
    assert code == 1 and "runtime.endpoints.teacher" in beside


def test_a_library_file_that_cannot_be_read_hides_no_other(say: Say, checkout: Path) -> None:
    (checkout / "library" / "folder.yaml").mkdir()
    (checkout / "library" / "No Name.yaml").touch()
    code, said, _ = say("list")
    assert code == 0 and "folder.yaml cannot be read: Is a directory" in said and "'No Name' is no task name" in said
    assert SEARCHED in said
    code, said, beside = say("show", "folder")
    assert code == 1 and said == "" and "cannot be read" in beside


def test_help_is_instant_and_loads_nothing_heavy(checkout: Path) -> None:
    started = time.perf_counter()
    code = "import sys; from stages.review.terminal import build_parser; build_parser(); print(len(sys.modules), 'msgspec' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True).stdout
    assert said.split()[1] == "False" and time.perf_counter() - started < 2
