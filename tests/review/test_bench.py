"""The bench over the real path: what is tried is what the build does, and nothing is lost or left hanging."""

import asyncio
import os
from pathlib import Path

import pytest
from aiohttp import web

from stages.enrich.run import run_enrich
from stages.enrich.schema import EnrichedRow
from stages.errors import InputError
from stages.formats.library import format_text, load_library
from stages.formats.schema import Format
from stages.ground.run import run_ground
from stages.review.bench import Bench
from stages.stage import Stage
from stages.tables import Reject, read_table, write_table
from tests.fake_openai import FakeOpenAI, Fault
from tests.fake_teacher import behaviour, honest
from tests.ground.web.site import Site, about
from tests.obedient import Obedient
from tests.review.conftest import OpenBench, tried, used
from tests.review.sample import (
    CHOSEN,
    DOCUMENTED,
    HOSTILE,
    HOSTILE_TASK,
    JUDGED,
    NEW_TASK,
    ROWS,
    SEARCHED,
    UNTOUCHED,
    write_build,
    write_params,
)


def test_a_try_goes_through_grounding_rewriting_checks_and_judge(served: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        run = await tried(bench, bench.current(SEARCHED), ROWS)
        assert (run.state, run.done, run.error) == ("done", ROWS, "")
        assert run.calibration["passed"] and run.settings["llm"]["teacher"]["model"] == "teacher"
        results = bench.results(run.id)
        assert [result.row_id for result in results] == run.row_ids
        assert {result.kept for result in results} == {True, False}
        assert any(result.evidence and result.queries for result in results)
        for result in results:
            assert result.tried and result.checks and result.usage.calls >= 2  # phrases and rewrite; more where nothing fails
            assert all(check.words for check in result.checks if not check.passed)
            assert not result.kept or (result.readability == "rewritten" and result.places == ["B", "A"])
        assert run.usage.usd > sum(result.usage.usd for result in results) > 0, "the calibration is paid for as well"
        assert bench.figures(run.version_id).n == ROWS

    used(open_bench, work)


def test_a_grounding_document_is_shown_and_used(served: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        run = await tried(bench, bench.current(DOCUMENTED), 2)
        for result in bench.results(run.id):
            [document] = bench.documents(bench.row(result.row_id))
            assert result.evidence[0].passage_id == document.id and not result.evidence[0].query
            assert result.shown[0] == document.id

    used(open_bench, work)


def test_what_was_tried_is_not_asked_again_by_the_build(served: Path, server: FakeOpenAI, open_bench: OpenBench) -> None:
    write_build(served, tasks=(SEARCHED,), held_out=False)

    async def work(bench: Bench) -> None:
        edit = bench.save_fields(SEARCHED, {"introduction": "Shows the root cause and what follows from it."}, "Ada")
        run = await tried(bench, edit, ROWS)
        assert run.usage.cached == 0
        bench.approve(edit.id, "Bob")

    used(open_bench, work)
    asked = server.calls
    write_table("data/formats/formats.parquet", [load_library(served / "library")[SEARCHED]], Format)
    run_ground(Stage("ground"))
    run_enrich(Stage("enrich"))
    enriched = [row for row in read_table("data/enrich/rows.parquet", EnrichedRow) if row.decision != "not-selected"]
    assert server.calls == asked and len(enriched) == ROWS - 1, "the build leaves out the row of the dev split"


def test_a_second_try_of_the_same_rows_costs_nothing(served: Path, server: FakeOpenAI, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        first = await tried(bench, bench.current(CHOSEN))
        asked = server.calls
        second = await tried(bench, bench.current(CHOSEN))
        assert server.calls == asked and second.usage.cached == second.usage.calls
        assert second.usage.usd == first.usage.usd and second.usage.usd_paid == 0

    used(open_bench, work)


def test_hostile_rows_are_kept_as_they_are(served: Path, open_bench: OpenBench, owned: Path) -> None:
    async def work(bench: Bench) -> None:
        run = await tried(bench, bench.current(HOSTILE_TASK), ROWS)
        assert run.state == "done" and run.done == ROWS
        assert not any(result.error for result in bench.results(run.id))

    used(open_bench, work)
    assert not owned.exists()
    assert all(name.isascii() and "alert" not in name for name in os.listdir(served / ".dvc" / "secforge"))


def test_an_order_in_a_row_or_in_evidence_changes_no_verdict(build: Path, open_bench: OpenBench) -> None:
    order = HOSTILE["injection"]
    assert behaviour([{"role": "user", "content": order}]) == "approved", "this server obeys what stands outside the fences"
    asked: list[str] = []
    obedient = Obedient(honest)

    def listening(messages: list[dict[str, str]]) -> str:
        asked.append("".join(message["content"] for message in messages))
        return obedient(messages)

    async def work(bench: Bench) -> None:
        rows = [row.id for row in bench.sample(HOSTILE_TASK, ROWS) if order in row.instruction]
        run = await bench.wait(bench.start_run(bench.current(HOSTILE_TASK).id, rows, "Ada").id)
        for result in bench.results(run.id):
            assert not result.error and result.rewrite not in ("", "approved")
            assert result.factuality in (None, 1, 4, 9) and set(result.places) <= {"A", "B", "tie"}

    with FakeOpenAI(behaviour=listening) as server:
        write_params(build, server.base_url)
        used(open_bench, work)
    assert sum(order in text for text in asked) >= 3, "row and evidence did reach the model"
    assert not obedient.obeyed


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("429", "rate-limited"),
        ("500", "server-error"),
        ("garbage", "bad-response"),
        ("shape", "bad-response"),
        ("empty", "empty"),
    ],
)
def test_a_call_that_fails_stands_in_its_row(build: Path, open_bench: OpenBench, fault: str, reason: str) -> None:
    with FakeOpenAI(behaviour=behaviour, faults=[Fault(fault, pattern="Release 1 of")]) as server:  # type: ignore[arg-type]
        write_params(build, server.base_url, retries=1)

        async def work(bench: Bench) -> None:
            run = await tried(bench, bench.current(CHOSEN), ROWS)
            failed = [result for result in bench.results(run.id) if result.error]
            assert run.state == "done" and run.done == ROWS, run.error
            assert len(failed) == 1 and reason in failed[0].error and not failed[0].kept and failed[0].tried is None
            server.faults.clear()
            bench.continue_run(run.id)
            run = await bench.wait(run.id)
            assert not any(result.error for result in bench.results(run.id)) and run.state == "done"
            with pytest.raises(InputError, match="nothing to go on with"):
                bench.continue_run(run.id)

        used(open_bench, work)


def test_a_silent_server_ends_the_wait(build: Path, open_bench: OpenBench) -> None:
    with FakeOpenAI(behaviour=behaviour, faults=[Fault("silence")]) as server:
        write_params(build, server.base_url, timeout=0.3, retries=0)

        async def work(bench: Bench) -> None:
            run = await tried(bench, bench.current(CHOSEN), 2)
            assert run.state in ("failed", "done")
            assert run.error or all("timeout" in result.error for result in bench.results(run.id))

        used(open_bench, work)


def test_a_wrong_key_fails_the_run_with_a_message_and_without_the_key(
    build: Path, open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeOpenAI(behaviour=behaviour, key="right") as server:
        monkeypatch.setenv("TEACHER_KEY", "wrong-secret-key")
        write_params(build, server.base_url, key="TEACHER_KEY")

        async def work(bench: Bench) -> None:
            run = await tried(bench, bench.current(CHOSEN), 2)
            assert run.state == "failed" and "api_key_env" in run.error and "wrong-secret-key" not in run.error
            monkeypatch.setenv("TEACHER_KEY", "right")
            bench.continue_run(run.id)
            run = await bench.wait(run.id)
            assert (run.state, run.done, run.error) == ("done", 2, ""), "the key was mended while the page was open"

        used(open_bench, work)


def test_no_endpoint_at_all_is_a_message(build: Path, open_bench: OpenBench) -> None:
    (build / "params.yaml").write_text(
        "llm: {teacher: {provider: openai, model: t}, judge: {provider: openai, model: j}}\n", encoding="utf-8"
    )

    async def work(bench: Bench) -> None:
        run = await tried(bench, bench.current(CHOSEN), 1)
        assert run.state == "failed" and "runtime.endpoints" in run.error

    used(open_bench, work)


def test_two_experts_try_and_edit_at_once_and_nothing_is_lost(served: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        async with open_bench() as other:
            a, b = bench.current(CHOSEN), other.current(SEARCHED)
            runs = await asyncio.gather(tried(bench, a, ROWS, "Ada"), tried(other, b, ROWS, "Bob"), tried(bench, b, 5, "Ada"))
            edits = await asyncio.gather(
                *(
                    asyncio.to_thread(one.save_fields, CHOSEN, {"introduction": f"Text {number}."}, name)
                    for number in range(10)
                    for one, name in ((bench, "Ada"), (other, "Bob"))
                )
            )
            assert [run.state for run in runs] == ["done"] * 3
            assert len({edit.id for edit in edits}) == 20 and len(bench.versions(CHOSEN)) == 21
            assert bench.versions(CHOSEN) == other.versions(CHOSEN)

    used(open_bench, work)


def test_a_draft_is_kept_and_may_be_approved(served: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        draft = await bench.draft(NEW_TASK, 3, 2, "Ada")
        assert not isinstance(draft, Reject)
        assert draft.origin == "draft" and draft.form.drafted_with == "teacher" and draft.form.prompt_sha256
        edit = bench.save_fields(NEW_TASK, {"introduction": "What the owner must know."}, "Bob", draft.id)
        assert edit.form.drafted_with == "teacher", "an edit does not hide who wrote the draft"
        await tried(bench, edit, 3)
        bench.approve(edit.id, "Eve", "good enough")
        approved = bench.current(NEW_TASK)
        assert approved.origin == "library" and approved.content == edit.content
        assert len(approved.form.tried_on) == 3 and approved.form.note == "good enough" and approved.form.version == 1
        assert bench.figures(approved.id).n == 3, "versions of equal content share their tries"
        with pytest.raises(InputError, match="0 to 10"):
            await bench.draft(NEW_TASK, 11, 0, "Ada")

    used(open_bench, work)


def test_what_does_not_exist_is_a_message(served: Path, open_bench: OpenBench) -> None:
    async def work(bench: Bench) -> None:
        version, row = bench.current(CHOSEN), bench.sample(CHOSEN, 1)[0]
        foreign = bench.sample(JUDGED, 1)[0].id
        hostile = "x' OR 1=1; --"
        for call in (
            lambda: bench.current("no-such-task"), lambda: bench.current("../../etc/passwd"), lambda: bench.versions("no-such-task"),
            lambda: bench.version(hostile), lambda: bench.run(hostile), lambda: bench.results(hostile), lambda: bench.row(hostile),
            lambda: bench.runs("../x"), lambda: bench.decisions("a/b"), lambda: bench.diff("../x"), lambda: bench.sample("no-such-task", 1),
            lambda: bench.start_run(version.id, [], "Ada"), lambda: bench.start_run(version.id, [foreign], "Ada"),
            lambda: bench.start_run(version.id, [row.id, "held-out"], "Ada"), lambda: bench.start_run(version.id, [row.id], " "),
            lambda: bench.start_run(bench.current(UNTOUCHED).id, [bench.sample(UNTOUCHED, 1)[0].id], "Ada"),
            lambda: bench.start_run(version.id, [f"{number}" for number in range(501)], "Ada"),
            lambda: bench.compare(version.id, bench.current(JUDGED).id), lambda: bench.approve(version.id, "\x1b[31mBob"),
            lambda: bench.reject(version.id, "Bob", "x" * 3000), lambda: bench.read("no-run", row.id, "Bob", "accept"),
            lambda: bench.save_edit(CHOSEN, "", "Ada"), lambda: bench.save_edit("no-such-task", format_text(version.form), "Ada"),
            lambda: bench.save_edit(JUDGED, bench.text(bench.current(JUDGED).id), "Ada", version.id),
        ):  # fmt: skip
            with pytest.raises(InputError):
                call()
        assert bench.runs(CHOSEN) == []

    used(open_bench, work)


def test_a_try_searches_the_web_as_the_build_does_and_the_build_asks_nobody_again(
    served: Path, server: FakeOpenAI, open_bench: OpenBench
) -> None:
    write_build(served, tasks=(SEARCHED,), held_out=False)
    with Site() as site:
        write_params(served, server.base_url)
        search_web(served / "params.yaml", site)

        async def work(bench: Bench) -> None:
            run = await tried(bench, bench.current(SEARCHED), ROWS)
            found = [one for result in bench.results(run.id) for one in result.evidence if one.entity_id.startswith("web:")]
            assert run.state == "done" and found and {one.licence for one in found} == {"CC-BY-4.0"}

        used(open_bench, work)
        asked = len(site.asked)
        assert asked > 1
        write_table("data/formats/formats.parquet", [load_library(served / "library")[SEARCHED]], Format)
        run_ground(Stage("ground"))
        assert len(site.asked) == asked


def search_web(params: Path, site: Site) -> None:
    """Switch the web on: every query finds one page of `site`."""
    page = site.page("localhost", "/page", about("injection", "detection", "hollowing", "gardening"))

    async def results(request: web.Request) -> web.Response:
        return web.json_response({"results": [{"url": page, "title": "A page"}]})

    site.provider = results
    text = params.read_text()
    access = f'{{base_url: "{site.address("127.0.0.1", "")}", delay: 0.0, query_delay: 0.0, private_hosts: [localhost]}}'
    search = "{provider: searxng, licences: {localhost: CC-BY-4.0}}"
    assert text.count("ground: {") == 1 and text.count("runtime:\n") == 1
    params.write_text(
        text.replace("ground: {", f"ground: {{web: {search}, ").replace("runtime:\n", f"runtime:\n  web: {access}\n")
    )
