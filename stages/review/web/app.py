"""The review page as a Starlette application: routes, errors, the gate in front of them."""

from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from stages.errors import SecForgeError
from stages.review.bench import Bench
from stages.review.web import decide, overview, reading, runs, task
from stages.review.web.drafting import Drafting
from stages.review.web.forms import status_of
from stages.review.web.render import page
from stages.review.web.security import Gate

STATIC = Path(__file__).parent / "static"
ROUTES = [
    Route("/", overview.overview),
    Route("/tasks/{task}", task.show_task),
    Route("/tasks/{task}/versions", task.save_version, methods=["POST"]),
    Route("/tasks/{task}/draft", task.start_draft, methods=["POST"]),
    Route("/tasks/{task}/drafting", task.live_draft),
    Route("/tasks/{task}/runs", task.start_try, methods=["POST"]),
    Route("/tasks/{task}/compare", runs.compare),
    Route("/tasks/{task}/decisions", decide.decide, methods=["POST"]),
    Route("/tasks/{task}/diff", decide.show_diff),
    Route("/runs/{run}", runs.show_run),
    Route("/runs/{run}/live", runs.live_run),
    Route("/runs/{run}/stop", runs.stop_run, methods=["POST"]),
    Route("/runs/{run}/continue", runs.continue_run, methods=["POST"]),
    Route("/runs/{run}/again", runs.try_again, methods=["POST"]),
    Route("/runs/{run}/rows/{row}/reading", runs.read_row, methods=["POST"]),
    Route("/reading", reading.show_reading),
    Route("/reading", reading.read, methods=["POST"]),
    Mount("/static", StaticFiles(directory=STATIC)),
]


class Desk(msgspec.Struct, frozen=True):
    """What the views share."""

    bench: Bench
    drafting: Drafting
    reviewer: str


def build_app(bench: Bench, token: str, port: int, reviewer: str) -> Gate:
    """The application for the browser of `reviewer`, who holds `token`, at 127.0.0.1:`port`; `bench` is open."""

    app = Starlette(
        routes=ROUTES,
        exception_handlers={SecForgeError: _mendable, HTTPException: _http_error, Exception: _fault},
    )
    app.state.desk = Desk(bench, Drafting(bench), reviewer)
    return Gate(app, token, port)  # outermost: what answers a fault of the program stands behind it too


def _mendable(request: Request, error: Exception) -> Response:
    """An unknown address, mostly: forms that can be sent again are answered by their views."""
    assert isinstance(error, SecForgeError)
    status = 404 if request.method in ("GET", "HEAD") else status_of(error)
    return page(request, "error.html", status=status, heading="That did not work", problem=error)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = SecForgeError(f"{error.status_code}: {error.detail}.", remedy="Go back, or open the list of tasks.")
    response = page(request, "error.html", status=error.status_code, heading="There is no such page", problem=problem)
    response.headers.update(error.headers or {})
    return response


def _fault(request: Request, error: Exception) -> Response:
    """A fault of the program: the traceback is in the terminal, nothing that was kept is lost."""
    problem = SecForgeError(
        f"The program failed: {type(error).__name__}.",
        remedy="The terminal shows where. Nothing that was kept is lost; go back, what you typed is still in the form.",
    )
    return page(request, "error.html", status=500, heading="A fault of the program", problem=problem)
