"""The policy decides between library, draft and template answer; nothing is lost without a reason."""

from stages.formats.core import choose_formats, describe
from tests.formats.test_readings import read_twice
from tests.toy_rows import make_format

LIBRARY = {
    "a": make_format("a"),
    "b": make_format("b", status="draft", reviewer=""),
    "unused": make_format("unused"),
}


def test_approved_takes_reviewed_files_only_and_names_the_rest() -> None:
    choice = choose_formats(["a", "b", "c"], LIBRARY, "approved")
    assert [form.task for form in choice.formats] == ["a"] and choice.to_draft == []
    assert [(reject.record, reject.reason) for reject in choice.rejects] == [
        ("b", "no-approved-format"),
        ("c", "no-approved-format"),
    ]


def test_approved_or_draft_drafts_what_the_library_lacks() -> None:
    choice = choose_formats(["c", "b", "a"], LIBRARY, "approved-or-draft")
    assert [form.task for form in choice.formats] == ["a", "b"] and choice.to_draft == ["c"] and not choice.rejects


def test_draft_ignores_the_library() -> None:
    choice = choose_formats(["a", "b", "c"], LIBRARY, "draft")
    assert choice.formats == [] and choice.to_draft == ["a", "b", "c"]


def test_metrics_count_status_flags_and_unused_files() -> None:
    choice = choose_formats(["a", "b"], LIBRARY, "approved-or-draft")
    found = describe(choice.formats, choice.rejects, LIBRARY, {"a": True, "b": False})
    assert found["status"] == {"approved": 1, "draft": 1} and found["library"] == {"files": 3, "unused": 1}
    assert found["flags"] == {"search": 2, "document": 0, "rewrite": 2}


def test_metrics_tell_what_each_policy_would_do() -> None:
    found = describe([], [], LIBRARY, {"a": True, "b": True, "c": True})["policies"]
    assert found["approved"] == {"library": 1, "to_draft": 0, "template": 2}
    assert found["approved-or-draft"] == {"library": 2, "to_draft": 1, "template": 0}
    assert found["draft"] == {"library": 0, "to_draft": 3, "template": 0}


def test_metrics_lint_a_format_by_what_its_task_is() -> None:
    flaws = {keyed: describe([LIBRARY["a"]], [], LIBRARY, {"a": keyed})["lint"] for keyed in (True, False)}
    assert "no-conclusion-rule" in flaws[True] and "needless-answer-line" in flaws[False]


def test_metrics_hold_the_agreement_of_the_readers() -> None:
    found = describe([], [], LIBRARY, {"a": True}, read_twice("aa ar"))["agreement"]
    assert found["all"]["pairs"] == 2 and found["tasks"]["a-b"]["share"] == 0.5
