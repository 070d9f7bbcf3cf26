"""The pages as a browser without scripts gets them: what they show, what they refuse, and that typed text comes back."""

import re
import time
from collections.abc import Sequence

import pytest

from stages.review.schema import Run
from tests.review.sample import CHOSEN, DOCUMENTED, HOSTILE_TASK, NEW_TASK, SEARCHED, TASKS
from tests.review.web.server import Answer, PageServer

INLINE = re.compile(r"<style|\sstyle=|\son\w+=|<script(?! src=\"/static/)|javascript:", re.IGNORECASE)
TAG = re.compile(r"<[^>]*>")


def tried(server: PageServer, task: str, rows: int = 3) -> Run:
    """A finished run, begun by the form of the page."""
    version = server.bench.current(task)
    chosen = [("row", row.id) for row in server.bench.sample(task, rows)]
    answer = server.post(f"/tasks/{task}/runs", [("version", version.id), *chosen])
    assert answer.status == 303, answer.text
    run_id = answer.headers["location"].rpartition("/")[2]
    until = time.monotonic() + 60
    while server.bench.run(run_id).state == "running" and time.monotonic() < until:
        time.sleep(0.05)
    return server.bench.run(run_id)


def edit(server: PageServer, task: str, changed: Sequence[tuple[str, str]] = ()) -> Answer:
    """The edit form of the present version with `changed` fields."""
    form = server.bench.current(task).form
    fields = {
        "as": "fields", "version": server.bench.current(task).id, "introduction": form.introduction, "steps": "\n".join(form.steps),
        "instructions": "\r\n".join(form.instructions), "answer_line": form.answer_line,
        **{name: "yes" for name in ("search", "document", "rewrite") if getattr(form, name)},
    }  # fmt: skip
    return server.post(f"/tasks/{task}/versions", list((fields | dict(changed)).items()))


def test_the_list_shows_every_task_and_filters(server: PageServer) -> None:
    page = server.get("/").text
    assert all(f'href="/tasks/{task}"' in page for task in TASKS)
    page = server.get("/?q=cwe%20document").text
    assert f'href="/tasks/{DOCUMENTED}"' in page and f'href="/tasks/{SEARCHED}"' not in page
    assert f'href="/tasks/{NEW_TASK}"' in server.get("/?status=none").text
    assert "No task matches" in server.get("/?status=absent").text
    hostile = server.get("/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE").text
    assert "<script>alert" not in hostile and "\u202e" not in hostile


@pytest.mark.parametrize("path", ["/tasks/none", "/tasks/..%2f..%2fetc", "/tasks/%3Cscript%3E", "/runs/none", "/tasks/cve-to-cwe?version=none",
                                  "/tasks/cve-to-cwe/compare?a=1&b=2", "/nothing", "/tasks/none/drafting", "/tasks/none/diff",
                                  "/tasks/cve-to-cwe?size=1e9", "/tasks/cve-to-cwe?seed=-1"])  # fmt: skip
def test_an_unknown_address_is_told_in_words(server: PageServer, path: str) -> None:
    answer = server.get(path)
    assert answer.status == 404
    assert 'role="alert"' in answer.text and "<script>" not in answer.text


def test_an_unknown_row_is_told_on_the_page(server: PageServer) -> None:
    page = server.get(f"/tasks/{SEARCHED}?row=nothing").text
    assert 'role="alert"' in page and 'id="rows"' in page
    other = server.bench.sample(CHOSEN, 1)[0].id
    assert f"belongs to the task ‘{CHOSEN}" in server.get(f"/tasks/{SEARCHED}?row={other}").text.replace("`", "‘")


def test_a_sample_and_a_searched_row_stand_on_the_page(server: PageServer) -> None:
    rows = server.bench.sample(DOCUMENTED, 10)
    page = server.get(f"/tasks/{DOCUMENTED}?size=3&seed=0&row={rows[7].id}").text
    assert page.count('name="row" value="') == 4
    assert "Official entry of" in page and "Reviewers look for the place" in page


def test_hostile_rows_are_shown_as_text(server: PageServer) -> None:
    run = tried(server, HOSTILE_TASK, 6)
    for path in (f"/tasks/{HOSTILE_TASK}?size=10&seed=0", f"/runs/{run.id}", f"/runs/{run.id}/live", "/reading"):
        page = server.get(path).text
        assert not INLINE.search("".join(TAG.findall(page))), path
        assert "\x1b" not in page and "\u202e" not in page and "<script>alert" not in page and "<img" not in page
        assert 'href="javascript' not in page and "tracker.example/p.gif)" not in "".join(
            re.findall(r'(?:href|src)="[^"]*"', page)
        )
    page = server.get(f"/tasks/{HOSTILE_TASK}?size=10&seed=0").text
    assert "&lt;script&gt;alert(&#39;row&#39;)&lt;/script&gt;" in page
    assert '<span class="control" title="RIGHT-TO-LEFT OVERRIDE, shown by its code">U+202E</span>' in page
    assert "{{ 7 * 7 }}" in page and "${jndi:" in page


def test_a_run_shows_what_became_of_each_row(server: PageServer) -> None:
    run = tried(server, SEARCHED, 5)
    page = server.get(f"/runs/{run.id}").text
    results = server.bench.results(run.id)
    assert run.state == "done" and len(results) == 5
    assert page.count('<article class="row"') == 5 and "<ins>" in page
    for result in results:
        for check in result.checks:
            assert check.name in page
        for evidence in result.evidence:
            assert evidence.licence in page
    assert 'rel="noopener noreferrer"' in page
    assert 'data-live=""' in server.get(f"/runs/{run.id}/live").text


def test_no_page_has_inline_script_or_style(server: PageServer) -> None:
    for path in ("/", f"/tasks/{SEARCHED}", f"/tasks/{NEW_TASK}", "/reading", f"/tasks/{SEARCHED}/diff", "/nothing"):
        assert not INLINE.search("".join(TAG.findall(server.get(path).text))), path


def test_an_edit_makes_a_version_and_a_comparison_tells_what_can_be_told(server: PageServer) -> None:
    before = tried(server, CHOSEN)
    first = "Say in one sentence what the question asks for."
    steps = "\n".join([first, *server.bench.current(CHOSEN).form.steps[1:]])
    answer = edit(server, CHOSEN, [("steps", steps)])
    assert answer.status == 303
    version = re.search(r"version=(\w+)", answer.headers["location"])[1]
    assert server.bench.version(version).form.steps[0] == first
    again = server.post(f"/runs/{before.id}/again", [("version", version)])
    run_id = again.headers["location"].rpartition("/")[2]
    while server.bench.run(run_id).state == "running":
        time.sleep(0.05)
    page = server.get(f"/tasks/{CHOSEN}/compare?a={before.version_id}&b={version}").text
    assert "3 rows tried with both" in page and first in page
    for sentence in server.bench.compare(before.version_id, version).words:
        assert sentence.split(".")[0].split("'")[0] in page.replace("&#39;", "'")


@pytest.mark.parametrize("text", ["task: [", "task: cve-to-cwe\nsteps: 7\n", "<script>alert(1)</script>", "&a [*a]", ""])
def test_yaml_that_is_no_format_comes_back_as_typed(server: PageServer, text: str) -> None:
    version = server.bench.current(SEARCHED).id
    answer = server.post(f"/tasks/{SEARCHED}/versions", [("as", "yaml"), ("version", version), ("text", text)])
    assert answer.status == 422
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert re.search(r'<textarea class="code"[^>]*>\n' + re.escape(escaped) + "</textarea>", answer.text)
    assert "line 1" in answer.text or "line 2" in answer.text


def test_fields_that_contradict_each_other_come_back_as_typed(server: PageServer) -> None:
    version, own = server.bench.current(SEARCHED).id, "\nAn introduction <b>of mine</b>"
    fields = [("as", "fields"), ("version", version), ("introduction", own), ("steps", "One.\nTwo."), ("search", "yes")]
    answer = server.post(f"/tasks/{SEARCHED}/versions", fields)
    assert answer.status == 422 and "rewrite" in answer.text
    assert "\n\nAn introduction &lt;b&gt;of mine&lt;/b&gt;</textarea>" in answer.text
    assert 'data-guard="unsaved"' in answer.text


def test_findings_block_approval_and_the_note_comes_back(server: PageServer) -> None:
    edit(server, DOCUMENTED, [("steps", "Only this.")])
    version = server.bench.versions(DOCUMENTED)[0]
    assert version.findings
    fields = [("version", version.id), ("verdict", "approve"), ("note", "Looks <i>good</i>")]
    answer = server.post(f"/tasks/{DOCUMENTED}/decisions", fields)
    assert answer.status == 422 and "Looks &lt;i&gt;good&lt;/i&gt;</textarea>" in answer.text
    assert server.bench.diff(DOCUMENTED) == ""


def test_approval_shows_diff_and_commands_and_commits_nothing(server: PageServer) -> None:
    edit(server, "technique-verdict", [("introduction", "Answers name the finding and say why it holds against a doubter.")])
    version = server.bench.versions("technique-verdict")[0].id
    fields = [("version", version), ("verdict", "approve"), ("note", "read on three rows")]
    answer = server.post("/tasks/technique-verdict/decisions", fields)
    assert (answer.status, answer.headers["location"]) == (303, "/tasks/technique-verdict/diff")
    page = server.get("/tasks/technique-verdict/diff").text
    assert "git commit -m" in page and "stages/formats/library/technique-verdict.yaml" in page
    assert "against a doubter" in page and 'class="plus"' in page and "read on three rows" in page
    assert "not committed" in server.get("/tasks/technique-verdict").text


def test_a_rejection_is_kept_with_its_note(server: PageServer) -> None:
    version = server.bench.current("cvss-vector").id
    fields = [("version", version), ("verdict", "reject"), ("note", "too vague <b>")]
    assert server.post("/tasks/cvss-vector/decisions", fields).status == 303
    page = server.get("/tasks/cvss-vector").text
    assert "too vague &lt;b&gt;" in page and "rejected" in page


def test_a_version_is_decided_on_and_tried_at_its_own_task_only(server: PageServer) -> None:
    version, row = server.bench.current(CHOSEN).id, server.bench.sample(CHOSEN, 1)[0].id
    for path, fields in (("decisions", [("verdict", "approve")]), ("runs", [("row", row)])):
        answer = server.post(f"/tasks/{DOCUMENTED}/{path}", [("version", version), *fields])
        assert answer.status == 422 and "no version" in answer.text
    assert not server.bench.runs(DOCUMENTED) and not server.bench.decisions(DOCUMENTED)


@pytest.mark.parametrize(
    ("path", "fields"),
    [("/tasks/cve-to-cwe/draft", [("examples", "11")]), ("/tasks/cve-to-cwe/draft", [("examples", "")]),
     ("/tasks/cve-to-cwe/runs", []), ("/tasks/cve-to-cwe/runs", [("version", "none"), ("row", "none")]),
     ("/tasks/cve-to-cwe/decisions", [("version", "none"), ("verdict", "approve")]),
     ("/tasks/cve-to-cwe/decisions", [("verdict", "delete")]), ("/tasks/cve-to-cwe/versions", [("as", "json")]),
     ("/reading", [("run", "none"), ("row", "none"), ("verdict", "accept")]), ("/reading", [("verdict", "maybe")])],
)  # fmt: skip
def test_a_wrong_form_is_answered_by_its_page(server: PageServer, path: str, fields: list[tuple[str, str]]) -> None:
    answer = server.post(path, fields)
    assert answer.status == 422
    assert 'role="alert"' in answer.text and "<nav" in answer.text


@pytest.mark.parametrize("path", ["/tasks/none/draft", "/tasks/none/runs", "/runs/none/stop", "/runs/none/rows/none/reading"])
def test_a_form_for_nothing_is_refused(server: PageServer, path: str) -> None:
    assert server.post(path, [("examples", "0"), ("verdict", "accept")]).status in (404, 422)


def test_a_draft_is_followed_and_found_among_the_versions(server: PageServer) -> None:
    assert server.post(f"/tasks/{NEW_TASK}/draft", [("examples", "3"), ("evidence", "yes")]).status == 303
    until = time.monotonic() + 30
    while time.monotonic() < until and 'data-live="/tasks' in server.get(f"/tasks/{NEW_TASK}/drafting").text:
        time.sleep(0.05)
    page = server.get(f"/tasks/{NEW_TASK}").text
    assert "The draft is there." in page or "No usable draft" in page


def test_a_reading_is_blind_and_counted(server: PageServer) -> None:
    tried(server, SEARCHED)
    page = server.get("/reading").text
    hidden = re.search(r'name="run" value="(\w+)"><input type="hidden" name="row" value="(\w+)"', page)
    assert hidden and "actuality" not in page and "unknown-id" not in page and "Grace" not in page
    server.bench.read(hidden[1], hidden[2], "Grace", "accept")
    page = server.get("/reading").text
    assert hidden[2] in page and "Grace" not in page  # what one other person has read comes first, and nobody is named
    seen = server.post(f"/runs/{hidden[1]}/rows/{hidden[2]}/reading", [("verdict", "accept"), ("note", "seen")])
    assert seen.status == 422 and "blind" in seen.text  # the page of a run shows every verdict
    fields = [("run", hidden[1]), ("row", hidden[2]), ("verdict", "reject"), ("note", "drops a fact")]
    assert server.post("/reading", fields).status == 303
    page = server.get("/reading").text
    assert re.search(r'data-label="read twice" class="number">1<.*?data-label="agreed" class="number">0<', page, re.DOTALL)
    again = server.post("/reading", fields)
    assert again.status == 422 and "drops a fact</textarea>" in again.text
