"""One task: its format, rows to try it on, drafting, editing, all versions, runs and decisions."""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stages.errors import InputError, SecForgeError
from stages.formats.schema import Format
from stages.ingest.schema import Passage
from stages.review.bench import Bench
from stages.review.schema import Run, Version
from stages.review.web.forms import Form, read_form, status_of, whole_number
from stages.review.web.render import page
from stages.tasks.schema import InstructionRow

SIZES = (3, 5, 10, 20)  # rows of a sample
EXAMPLES = range(11)  # the paper drafts from 0 to 10
PASSAGES = 5  # of evidence that a drafter is shown where it is shown any
SEEDS = range(1_000_000)


class Choice(msgspec.Struct, frozen=True):
    """Rows that may be tried, and which of them are ticked."""

    rows: list[InstructionRow]
    documents: dict[str, list[Passage]]
    ticked: set[str]
    size: int
    seed: int
    told: str  # where they come from


class Fields(msgspec.Struct, frozen=True):
    """The edit form's values."""

    introduction: str
    steps: str
    instructions: str
    answer_line: str
    search: bool
    document: bool
    rewrite: bool


async def show_task(request: Request) -> Response:
    """`?version=`, `?size=&seed=` or `?run=` for the rows, `?row=` for one more."""
    return await task_page(request, request.path_params["task"])


async def task_page(
    request: Request, task: str, problem: SecForgeError | None = None, typed: Form | None = None, part: str = ""
) -> Response:
    """The page; after a refused form with its `problem`, what was `typed`, and the `part` of the page it came from."""
    desk = request.app.state.desk
    values = await run_in_threadpool(_values, desk.bench, task, request, typed)
    drafting = desk.drafting.state(task)
    status = status_of(problem) if problem else 200
    return page(
        request, "task.html", status=status, here="tasks", problem=problem or values.pop("row_problem"), typed=typed, part=part,
        drafting=drafting, sizes=SIZES, examples=EXAMPLES, **{key: value for key, value in values.items() if key != "row_problem"},
    )  # fmt: skip


def _values(bench: Bench, task: str, request: Request, typed: Form | None) -> dict[str, Any]:
    card = next((card for card in bench.tasks() if card.task == task), None)
    if card is None:
        raise InputError(f"There is no task `{task[:80]}` in this build.", remedy="Open the list of tasks.")
    versions, runs = bench.versions(task), bench.runs(task)
    version = _shown(bench, task, versions, request, typed)
    choice, row_problem = _choice(bench, task, runs, request, typed) if card.rows else (None, None)
    return {
        "card": card,
        "version": version,
        "versions": versions,
        "numbers": numbers(versions),
        "version_figures": {one.id: bench.figures(one.id) for one in versions},
        "runs": runs,
        "decisions": bench.decisions(task),
        "diff": bench.diff(task),
        "choice": choice,
        "row_problem": row_problem,
        "fields": _fields(typed, version.form if version else None),
        "text": typed.one("text") if typed and "text" in typed.fields else bench.text(version.id) if version else "",
    }


def numbers(versions: list[Version]) -> dict[str, int]:
    """What people call a version: its place in the order in which they were made, from 1."""
    return {version.id: len(versions) - place for place, version in enumerate(versions)}


def version_of(bench: Bench, task: str, asked: str) -> Version:
    """The version `asked` of `task`. Raises InputError if the task has none of that id."""
    found = next((version for version in bench.versions(task) if version.id == asked), None)
    if found is None:
        raise InputError(f"`{task[:80]}` has no version `{asked[:40]}`.", remedy="Choose one from the task's list of versions.")
    return found


def _shown(bench: Bench, task: str, versions: list[Version], request: Request, typed: Form | None) -> Version | None:
    """The version that a refused form came from, else the one that the address names, else the present one."""
    sent = next((version for version in versions if typed and version.id == typed.one("version")), None)
    asked = request.query_params.get("version", "")
    if sent or not versions:
        return sent
    return version_of(bench, task, asked) if asked else bench.current(task)


def _choice(
    bench: Bench, task: str, runs: list[Run], request: Request, typed: Form | None
) -> tuple[Choice, SecForgeError | None]:
    query, problem = request.query_params, None
    size = whole_number(query.get("size", "5"), "size", range(1, 51))
    seed = whole_number(query.get("seed", "0"), "seed", SEEDS)
    earlier = next((run for run in runs if run.id == query.get("run", "")), runs[0] if runs and "seed" not in query else None)
    chosen = typed.many("row") if typed else []
    if chosen:
        rows, told = [bench.row(row_id) for row_id in chosen], "Your choice."
    elif earlier:
        rows = known_rows(bench, earlier.row_ids)
        told = "The rows of the last try, so that versions can be compared on the same rows."
    else:
        rows, told = bench.sample(task, size, seed), f"Sample {seed + 1}."
    ticked = {row.id for row in rows}
    try:
        extra = _searched(bench, task, query.get("row", "").strip())
    except SecForgeError as error:
        extra, problem = [], error
    rows = [*extra, *(row for row in rows if row.id not in {one.id for one in extra})]
    ticked |= {row.id for row in extra}
    return Choice(rows, {row.id: bench.documents(row) for row in rows}, ticked, size, seed, told), problem


def known_rows(bench: Bench, row_ids: Sequence[str]) -> list[InstructionRow]:
    """Rows that this build still has: a try may be older than the build."""
    return [row for row in (find_row(bench, row_id) for row_id in row_ids) if row]


def find_row(bench: Bench, row_id: str) -> InstructionRow | None:
    """None if this build has no such row that may be shown."""
    try:
        return bench.row(row_id)
    except InputError:
        return None


def _searched(bench: Bench, task: str, row_id: str) -> list[InstructionRow]:
    if not row_id:
        return []
    row = bench.row(row_id)
    if row.task != task:
        raise InputError(f"Row `{row_id[:40]}` belongs to the task `{row.task}`.", remedy="Open that task to try the row.")
    return [row]


def _fields(typed: Form | None, form: Format | None) -> Fields:
    if typed and "introduction" in typed.fields:
        texts = (typed.one(name) for name in ("introduction", "steps", "instructions", "answer_line"))
        return Fields(*texts, *(typed.flag(name) for name in ("search", "document", "rewrite")))
    if form is None:
        return Fields("", "", "", "", search=False, document=False, rewrite=True)
    return Fields(
        form.introduction, "\n".join(form.steps), "\n".join(form.instructions), form.answer_line, form.search, form.document,
        form.rewrite,
    )  # fmt: skip


async def save_version(request: Request) -> Response:
    """The edit form, as fields or as YAML: a new version, or the page with what was typed and what is wrong with it."""
    desk, task = request.app.state.desk, request.path_params["task"]
    form = await read_form(request)
    parent = form.one("version")
    try:
        if form.choice("as", ("fields", "yaml")) == "yaml":
            version = await run_in_threadpool(desk.bench.save_edit, task, form.one("text"), desk.reviewer, parent)
        else:
            version = await run_in_threadpool(desk.bench.save_fields, task, _fields_of(form), desk.reviewer, parent)
    except SecForgeError as error:
        return await task_page(request, task, error, form, form.one("as"))
    return RedirectResponse(f"/tasks/{task}?version={version.id}#rows", status_code=303)


def _fields_of(form: Form) -> dict[str, Any]:
    return {
        "introduction": form.one("introduction").strip(),
        "steps": form.lines("steps"),
        "instructions": form.lines("instructions"),
        "answer_line": form.one("answer_line").strip(),
        **{name: form.flag(name) for name in ("search", "document", "rewrite")},
    }


async def start_draft(request: Request) -> Response:
    """Begin a draft; the task's page follows it."""
    desk, task = request.app.state.desk, request.path_params["task"]
    form = await read_form(request)
    try:
        examples = form.number("examples", EXAMPLES)
        await run_in_threadpool(_values, desk.bench, task, request, None)  # an unknown task is refused before a model is asked
        desk.drafting.start(task, examples, PASSAGES if form.flag("evidence") else 0, desk.reviewer)
    except SecForgeError as error:
        return await task_page(request, task, error, form, "draft")
    return RedirectResponse(f"/tasks/{task}#draft", status_code=303)


def live_draft(request: Request) -> Response:
    """The part of the page that tells of a draft."""
    task = request.path_params["task"]
    state = request.app.state.desk.drafting.state(task)
    if state is None:
        raise InputError(f"No draft was begun for `{task[:80]}`.", remedy="Begin one on the task's page.")
    return page(request, "drafting.html", drafting=state, task=task)


async def start_try(request: Request) -> Response:
    """Try a version on the ticked rows; the run's page follows it."""
    desk, task = request.app.state.desk, request.path_params["task"]
    form = await read_form(request)
    try:
        version = await run_in_threadpool(version_of, desk.bench, task, form.one("version"))
        run = desk.bench.start_run(version.id, form.many("row"), desk.reviewer)
    except SecForgeError as error:
        return await task_page(request, task, error, form, "try")
    return RedirectResponse(f"/runs/{run.id}", status_code=303)
