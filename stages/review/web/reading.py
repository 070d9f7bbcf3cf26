"""The second reader: one rewrite at a time, without the first reader's verdict, the judge's, or any check."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stages.errors import SecForgeError
from stages.review.web.forms import Form, read_form, status_of
from stages.review.web.render import page


def show_reading(request: Request) -> Response:
    """The next pair for this reviewer."""
    return _page(request)


def _page(request: Request, problem: SecForgeError | None = None, typed: Form | None = None) -> Response:
    desk = request.app.state.desk
    pair = desk.bench.next_reading(desk.reviewer)
    status = status_of(problem) if problem else 200
    return page(
        request, "reading.html", status=status, here="reading", problem=problem, typed=typed, pair=pair,
        agreement=desk.bench.agreement(),
    )  # fmt: skip


async def read(request: Request) -> Response:
    """Keep the verdict and show the next pair."""
    desk = request.app.state.desk
    form = await read_form(request)
    try:
        verdict = form.choice("verdict", ("accept", "reject"))
        await run_in_threadpool(
            desk.bench.read, form.one("run"), form.one("row"), desk.reviewer, verdict, form.one("note").strip()
        )
    except SecForgeError as error:
        return await run_in_threadpool(_page, request, error, form)
    return RedirectResponse("/reading", status_code=303)
