"""Approval writes what was tried and nothing else, shows git's view, and never runs over somebody else's change."""

import subprocess
import sys
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.formats.library import load_library, read_format, same_content
from stages.formats.lint import lint
from stages.review.approve import LibraryChanged, git_diff
from stages.review.bench import Bench
from tests.review.conftest import OpenBench, environment, git, used
from tests.review.sample import CHOSEN, HOSTILE_TASK, NEW_TASK

APPROVER = """
import asyncio, sys
from pathlib import Path
from stages.review.approve import LibraryChanged
from stages.review.bench import Bench
async def main():
    async with Bench(library=Path("library"), readings=Path("readings")) as bench:
        try:
            bench.approve(sys.argv[1], sys.argv[2])
            print("approved")
        except LibraryChanged as error:
            print("changed")
asyncio.run(main())
"""


def test_the_diff_of_a_tracked_file_is_plain(checkout: Path, open_bench: OpenBench) -> None:
    git(checkout, "config", "diff.external", f"touch {checkout}/never")
    git(checkout, "config", "color.diff", "always")
    (checkout / "library" / ".gitattributes").write_text("*.yaml diff=evil\n")
    git(checkout, "config", "diff.evil.textconv", "sh -c 'touch owned'")

    async def work(bench: Bench) -> None:
        edit = bench.save_fields(CHOSEN, {"introduction": "Say <script>alert(1)</script> \x1b[31mred."}, "Ada")
        assert lint(edit.form) == edit.findings
        edit = bench.save_fields(CHOSEN, {"introduction": "Choose, and say why the others fail."}, "Ada")
        shown = bench.approve(edit.id, "Bob", "clear")
        assert "\n-introduction: Answers" in shown and "\n+introduction: Choose" in shown and "\x1b" not in shown
        assert bench.diff(CHOSEN) == shown and bench.diff(HOSTILE_TASK) == ""
        form = load_library(checkout / "library")[CHOSEN]
        assert (form.status, form.reviewer, form.author, form.version, form.note) == ("approved", "Bob", "Ada", 2, "clear")
        assert same_content(form, edit.form)
        [decision] = bench.decisions(CHOSEN)
        assert decision.diff == shown and decision.sha256 == form.sha256

    used(open_bench, work)
    assert not (checkout / "never").exists() and not (checkout / "library" / "owned").exists()
    assert git(checkout, "log", "--oneline").count("\n") == 1, "nothing is committed"


def test_a_new_file_and_a_folder_outside_git_have_a_diff_too(checkout: Path, open_bench: OpenBench, tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        form = bench.current(HOSTILE_TASK).form
        fields = {name: getattr(form, name) for name in ("introduction", "steps", "instructions")}
        edit = bench.save_fields(NEW_TASK, fields, "Ada")
        shown = bench.approve(edit.id, "Bob")
        assert "new file mode" in shown and "+task: new-task" in shown

    used(open_bench, work)
    (checkout / ".git").rename(checkout / "nogit")
    shown = git_diff(checkout / "library" / f"{CHOSEN}.yaml")
    assert "not in a git checkout" in shown and f"task: {CHOSEN}" in shown
    assert "does not exist" in git_diff(checkout / "nowhere" / "x.yaml")


def test_the_second_of_two_experts_is_told_what_has_changed(checkout: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        async with open_bench() as other:
            ada = bench.save_fields(CHOSEN, {"introduction": "Ada's text is this."}, "Ada")
            bob = other.save_fields(CHOSEN, {"introduction": "Bob's text is that."}, "Bob")
            bench.approve(ada.id, "Ada")
            with pytest.raises(LibraryChanged, match="version 2, approved, by Ada") as refused:
                other.approve(bob.id, "Bob")
            assert "+introduction: Ada's text is this." in refused.value.diff
            assert read_format(checkout / "library" / f"{CHOSEN}.yaml").author == "Ada" and len(bench.decisions(CHOSEN)) == 1
            again = other.save_fields(CHOSEN, {"introduction": "Bob's text is that."}, "Bob", other.current(CHOSEN).id)
            other.approve(again.id, "Bob")
            assert read_format(checkout / "library" / f"{CHOSEN}.yaml").version == 3

    used(open_bench, work)


def test_one_may_go_on_from_the_version_that_one_approved(checkout: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        first = bench.save_fields(CHOSEN, {"introduction": "The first text."}, "Ada")
        bench.approve(first.id, "Ada")
        second = bench.save_fields(CHOSEN, {"introduction": "The second text."}, "Ada", first.id)
        bench.approve(second.id, "Ada")
        (checkout / "library" / f"{CHOSEN}.yaml").unlink()
        third = bench.save_fields(CHOSEN, {"introduction": "The third text."}, "Ada", second.id)
        with pytest.raises(LibraryChanged, match="it is gone"):
            bench.approve(third.id, "Ada")

    used(open_bench, work)


def test_an_edit_made_in_an_editor_is_a_change_too(checkout: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        edit = bench.save_fields(CHOSEN, {"introduction": "From the page."}, "Ada")
        path = checkout / "library" / f"{CHOSEN}.yaml"
        path.write_text(path.read_text().replace("Answers of the kind", "All answers of the kind"))
        with pytest.raises(LibraryChanged):
            bench.approve(edit.id, "Ada")
        assert bench.current(CHOSEN).form.introduction.startswith("All answers")

    used(open_bench, work)


def test_of_approvals_in_several_processes_one_wins(checkout: Path, open_bench: OpenBench) -> None:
    ids: list[str] = []

    async def work(bench: Bench) -> None:
        ids.extend(bench.save_fields(CHOSEN, {"introduction": f"Text number {n}."}, "Ada").id for n in range(3))

    used(open_bench, work)
    started = [
        subprocess.Popen([sys.executable, "-c", APPROVER, one, "Ada"], env=environment(), stdout=subprocess.PIPE, text=True)
        for one in ids
    ]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in started)
    assert said == ["approved", "changed", "changed"]
    assert read_format(checkout / "library" / f"{CHOSEN}.yaml").version == 2


def test_flaws_refuse_an_approval_by_name(build: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        edit = bench.save_fields(CHOSEN, {"introduction": ""}, "Ada")
        with pytest.raises(InputError, match="(?s)cannot be approved.*ntroduction"):
            bench.approve(edit.id, "Bob")
        assert bench.decisions(CHOSEN) == [] and read_format(build / "library" / f"{CHOSEN}.yaml").version == 1

    used(open_bench, work)
