"""Versions: the library's texts, drafts and edits, each kept once and never changed."""

from pathlib import Path

import msgspec
import pytest

from stages.errors import InputError
from stages.formats.library import format_text
from stages.review.bench import Bench
from stages.review.data import Workspace
from stages.review.editions import Editions, content_of, unsigned
from stages.review.schema import Decision
from stages.review.stamps import now
from stages.review.store import ReviewStore
from tests.review.conftest import OpenBench, used
from tests.review.sample import CHOSEN, NEW_TASK, SEARCHED, sample_format


@pytest.fixture
def editions(build: Path) -> Editions:
    return Editions(ReviewStore(build / "review.sqlite"), build / "library", Workspace())


def test_a_library_file_is_one_version_until_it_changes(editions: Editions) -> None:
    first = editions.current(CHOSEN)
    assert first == editions.of_library(CHOSEN) == editions.whole_library()[CHOSEN]
    path = editions.path(CHOSEN)
    path.write_text(path.read_text().replace("Answers of the kind", "All answers of the kind"), encoding="utf-8")
    second = editions.current(CHOSEN)
    assert second.id != first.id and second.form.introduction.startswith("All answers")
    assert [version.id for version in editions.versions(CHOSEN)] == [second.id, first.id]


def test_an_edit_is_unsigned_whatever_its_text_says(editions: Editions) -> None:
    filed = editions.current(CHOSEN)
    text = format_text(msgspec.structs.replace(filed.form, note="as I said", version=9))
    edit = editions.save_text(CHOSEN, text, "Ada", filed)
    form = edit.form
    assert (form.status, form.author, form.reviewer, form.version, form.note) == ("draft", "Ada", "", 0, "")
    assert edit.content == filed.content and edit.id != filed.id, "the same to a model, and a version of its own"


def test_only_what_a_model_sees_is_content() -> None:
    form = sample_format(CHOSEN)
    assert content_of(form) == content_of(unsigned(form, "Bob"))
    assert content_of(form) != content_of(msgspec.structs.replace(form, steps=form.steps[::-1]))


def test_a_child_of_an_approved_version_is_made_from_what_the_approval_wrote(editions: Editions) -> None:
    edit = editions.save_fields(CHOSEN, {"introduction": "Another."}, "Ada", editions.current(CHOSEN))
    assert editions.save_fields(CHOSEN, {}, "Ada", edit).base == edit.base
    decision = Decision(
        task=CHOSEN, version_id=edit.id, verdict="approved", reviewer="Bob", note="", created=now(), sha256="of the file"
    )
    editions.store.add_decision(decision)
    assert editions.save_fields(CHOSEN, {}, "Ada", edit).base == "of the file"


def test_a_parent_is_of_the_same_task_and_a_first_format_has_none(editions: Editions) -> None:
    filed = editions.current(CHOSEN)
    assert editions.parent(CHOSEN, "") == filed and editions.parent(NEW_TASK, "") is None
    with pytest.raises(InputError, match=f"is a format of `{CHOSEN}`"):
        editions.parent(SEARCHED, filed.id)
    with pytest.raises(InputError, match="there is no task"):
        editions.parent("no-such-task", "")


def test_an_edit_is_a_version_and_its_mistakes_name_the_line(build: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        before = bench.current(CHOSEN)
        text = bench.text(before.id)
        edit = bench.save_edit(CHOSEN, text.replace("Explain which other", "Say which other"), "Ada")
        assert (edit.origin, edit.parent, edit.author, edit.base) == ("edit", before.id, "Ada", before.base)
        assert edit.form.status == "draft" and edit.form.reviewer == "" and edit.findings == []
        assert edit.content != before.content and bench.text_diff(before.id, edit.id).count("\n-") == 1
        assert bench.versions(CHOSEN)[0] == edit and bench.version(edit.id) == edit
        with pytest.raises(InputError, match=r"technique-choice\.yaml, line 1"):
            bench.save_edit(CHOSEN, text.replace(f"task: {CHOSEN}", "task: ../../etc/passwd"), "Ada")
        with pytest.raises(InputError, match="line 4"):
            bench.save_edit(CHOSEN, "task: technique-choice\nstatus: draft\nsteps: [\n", "Ada")
        with pytest.raises(InputError, match="bytes"):
            bench.save_edit(CHOSEN, text + "# " + "x" * 70_000, "Ada")
        assert len(bench.versions(CHOSEN)) == 2

    used(open_bench, work)


def test_a_form_of_fields_is_checked(build: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        edit = bench.save_fields(CHOSEN, {"steps": ["One."], "search": True}, "Ada")
        assert edit.form.steps == ["One."] and edit.form.search and edit.findings, "lint findings do not block saving"
        with pytest.raises(InputError, match="flaw"):
            bench.approve(edit.id, "Bob")
        for fields, word in (
            ({"steps": "One."}, "steps"),
            ({"reviewer": "me"}, "reviewer"),
            ({"introduction": "x" * 30_000}, "30,000|20,000"),
        ):
            with pytest.raises(InputError, match=word):
                bench.save_fields(CHOSEN, fields, "Ada")
        new = bench.save_fields(NEW_TASK, {"introduction": "x"}, "Ada")
        assert new.parent == "" and bench.current(NEW_TASK).id == new.id

    used(open_bench, work)
