"""A run: its progress while it goes on, what it did to each row, another try on the same rows, two versions compared."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stages.enrich.format_figures import figures
from stages.errors import SecForgeError
from stages.review.bench import Bench
from stages.review.web.forms import Form, read_form, status_of
from stages.review.web.render import page
from stages.review.web.task import find_row, numbers, version_of


def show_run(request: Request) -> Response:
    """The run's page."""
    return run_page(request, request.path_params["run"])


def run_page(
    request: Request, run_id: str, problem: SecForgeError | None = None, typed: Form | None = None, row: str = ""
) -> Response:
    """The page; after a refused reading of `row` with its `problem` and what was `typed`."""
    values = _values(request.app.state.desk.bench, run_id)
    status = status_of(problem) if problem else 200
    return page(
        request,
        "run.html",
        status=status,
        here="tasks",
        problem=problem,
        typed=typed,
        typed_row=row,
        read=request.query_params.get("read", "")[:80],
        **values,
    )


def live_run(request: Request) -> Response:
    """The part of the page that changes while the run goes on."""
    values = _values(request.app.state.desk.bench, request.path_params["run"])
    return page(request, "live.html", typed=None, typed_row="", **values)


def _values(bench: Bench, run_id: str) -> dict[str, Any]:
    run = bench.run(run_id)
    results = {result.row_id: result for result in bench.results(run_id)}
    versions = bench.versions(run.task)
    return {
        "run": run,
        "rows": [(row_id, find_row(bench, row_id), results.get(row_id)) for row_id in run.row_ids],
        "version": bench.version(run.version_id),
        "versions": versions,
        "numbers": numbers(versions),
        "figures": figures([result.tried for result in results.values() if result.tried]),
        "failed": sum(bool(result.error) for result in results.values()),
    }


async def stop_run(request: Request) -> Response:
    """Interrupt it; finished rows stay."""
    return await _change(request, "stop")


async def continue_run(request: Request) -> Response:
    """Go on with the rows that have no result."""
    return await _change(request, "continue_run")


async def _change(request: Request, method: str) -> Response:
    run_id = request.path_params["run"]
    try:
        getattr(request.app.state.desk.bench, method)(run_id)
    except SecForgeError as error:
        return await run_in_threadpool(run_page, request, run_id, error)
    return RedirectResponse(f"/runs/{run_id}", status_code=303)


async def try_again(request: Request) -> Response:
    """Try another version, chosen in the form, on the same rows."""
    desk, run_id = request.app.state.desk, request.path_params["run"]
    form = await read_form(request)
    try:
        earlier = await run_in_threadpool(desk.bench.run, run_id)
        run = desk.bench.start_run(form.one("version"), earlier.row_ids, desk.reviewer)
    except SecForgeError as error:
        return await run_in_threadpool(run_page, request, run_id, error)
    return RedirectResponse(f"/runs/{run.id}", status_code=303)


async def read_row(request: Request) -> Response:
    """The reviewer's own verdict on one row, beside all others: a first reading only, because it is not blind."""
    desk, run_id, row_id = request.app.state.desk, request.path_params["run"], request.path_params["row"]
    form = await read_form(request)
    try:
        verdict = form.choice("verdict", ("accept", "reject"))
        await run_in_threadpool(desk.bench.read, run_id, row_id, desk.reviewer, verdict, form.one("note").strip(), blind=False)
    except SecForgeError as error:
        return await run_in_threadpool(run_page, request, run_id, error, form, row_id)
    return RedirectResponse(f"/runs/{run_id}?read={row_id}#row-{row_id}", status_code=303)


def compare(request: Request) -> Response:
    """`?a=&b=`: two versions of a task on the rows that were tried with both; the older one is A."""
    bench, task = request.app.state.desk.bench, request.path_params["task"]
    versions = bench.versions(task)
    order = numbers(versions)
    chosen = [version_of(bench, task, request.query_params.get(side, "")) for side in ("a", "b")]
    chosen.sort(key=lambda version: order[version.id])
    return page(
        request, "compare.html", here="tasks", task=task, versions=versions, numbers=order, a=chosen[0], b=chosen[1],
        comparison=bench.compare(chosen[0].id, chosen[1].id), diff=bench.text_diff(chosen[0].id, chosen[1].id),
        figures_a=bench.figures(chosen[0].id), figures_b=bench.figures(chosen[1].id),
    )  # fmt: skip
