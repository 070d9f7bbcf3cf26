"""Approving and rejecting a version; what approval changed, and the commands that commit it."""

import shlex

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stages.errors import SecForgeError
from stages.review.web.forms import read_form
from stages.review.web.render import page
from stages.review.web.task import task_page, version_of

FILE = "stages/formats/library/{task}.yaml"


async def decide(request: Request) -> Response:
    """Approve or reject the version named in the form; the note is kept either way."""
    desk, task = request.app.state.desk, request.path_params["task"]
    form = await read_form(request)
    note = form.one("note").strip()
    try:
        version = (await run_in_threadpool(version_of, desk.bench, task, form.one("version"))).id
        if form.choice("verdict", ("approve", "reject")) == "reject":
            await run_in_threadpool(desk.bench.reject, version, desk.reviewer, note)
            return RedirectResponse(f"/tasks/{task}?version={version}#decisions", status_code=303)
        await run_in_threadpool(desk.bench.approve, version, desk.reviewer, note)
    except SecForgeError as error:
        return await task_page(request, task, error, form, "decide")
    return RedirectResponse(f"/tasks/{task}/diff", status_code=303)


def show_diff(request: Request) -> Response:
    """What git sees of the task's file, and how to commit it: that stays with the person."""
    bench, task = request.app.state.desk.bench, request.path_params["task"]
    bench.versions(task)  # an unknown task is an error
    decisions = bench.decisions(task)
    return page(
        request, "diff.html", here="tasks", task=task, diff=bench.diff(task), commands=commands(task),
        decision=next((decision for decision in decisions if decision.verdict == "approved"), None),
    )  # fmt: skip


def commands(task: str) -> list[str]:
    """The exact commands, safe to paste."""
    file = shlex.quote(FILE.format(task=task))
    return [f"git add -- {file}", f"git commit -m {shlex.quote(f'Format of {task}: reviewed')} -- {file}"]
