"""Runs, results and versions for tests, each complete, each changed by keywords."""

from stages.formats.schema import Format
from stages.review.editions import content_of
from stages.review.schema import RowResult, Run, Usage, Version
from stages.review.stamps import new_id, now


def make_run(**changed: object) -> Run:
    values = {
        "id": new_id(), "task": "t", "version_id": "v", "row_ids": ["row"], "author": "Ada", "created": now(), "state": "running",
        "done": 0, "total": 1, "error": "", "settings": {}, "calibration": {}, "usage": Usage(),
    }  # fmt: skip
    return Run(**{**values, **changed})  # type: ignore[arg-type]


def make_result(run_id: str, row_id: str, **changed: object) -> RowResult:
    values = {
        "run_id": run_id, "row_id": row_id, "evidence": [], "shown": [], "queries": [], "kept_queries": [], "rewrite": "text",
        "kept": True, "reasons": [], "checks": [], "readability": "tie", "places": ["tie", "tie"], "factuality": 9, "tried": None,
        "seconds": 0.1, "cached": 0, "usage": Usage(calls=2, prompt_tokens=10, usd=0.1), "error": "",
    }  # fmt: skip
    return RowResult(**{**values, **changed})  # type: ignore[arg-type]


def make_version(version_id: str, form: Format, **changed: object) -> Version:
    values = {
        "id": version_id, "task": form.task, "form": form, "origin": "edit", "parent": "", "base": "", "content": content_of(form),
        "author": "Ada", "created": now(), "findings": [],
    }  # fmt: skip
    return Version(**{**values, **changed})  # type: ignore[arg-type]
