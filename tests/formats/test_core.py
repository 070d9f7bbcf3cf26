"""The policy decides between library, draft and template answer; nothing is lost without a reason."""

from stages.formats.core import choose_formats, describe
from stages.formats.lint import lint_format
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
    found = describe(choice.formats, choice.rejects, LIBRARY, ["a", "b"])
    assert found["status"] == {"approved": 1, "draft": 1} and found["library"] == {"files": 3, "unused": 1}
    assert found["flags"] == {"search": 2, "document": 0, "rewrite": 2}


def test_lint_names_every_flaw_and_leaves_unused_formats_alone() -> None:
    bad = make_format(introduction=" ", steps=["One.", "one. "] * 5, instructions=[""], answer_line="Answer: x", reviewer="")
    assert lint_format(bad) == [
        "approved-without-reviewer", "bad-answer-line", "empty-sentence", "no-introduction", "repeated-sentence", "too-many-steps",
    ]  # fmt: skip
    assert lint_format(make_format(rewrite=False, steps=[])) == []
