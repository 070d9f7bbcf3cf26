"""Figures of the other stages' metrics files, looked up by path; a figure that a build did not make is None."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stages.errors import InputError

Figures = Mapping[str, Any]


def read_figures(folder: Path, stages: Iterable[str]) -> dict[str, Figures]:
    """The `<stage>.json` of each of `stages` that `folder` holds, and no other file."""
    return {stage: _read(folder / f"{stage}.json") for stage in stages if (folder / f"{stage}.json").exists()}


def dig(figures: Any, path: str) -> Any:
    """The value at a dotted path, None where any part of it is missing."""
    for part in path.split("."):
        if not isinstance(figures, Mapping) or part not in figures:
            return None
        figures = figures[part]
    return figures


def first(figures: Any, *paths: str) -> Any:
    """The value at the first path that has one."""
    return next((value for path in paths if (value := dig(figures, path)) is not None), None)


def counts(value: Any) -> dict[str, int]:
    """`value` as counts by name, most frequent first, nested names joined by ` / `; empty if it holds none."""
    found: dict[str, int] = {}
    for name, inner in value.items() if isinstance(value, Mapping) else ():
        if isinstance(inner, Mapping):
            found.update({f"{name} / {key}": count for key, count in counts(inner).items()})
        elif isinstance(inner, int) and not isinstance(inner, bool):
            found[str(name)] = inner
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def leaves(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Every figure with its dotted name, as text, for the list of all figures at the end of the page."""
    if isinstance(value, Mapping):
        return [leaf for name in sorted(value) for leaf in leaves(value[name], f"{prefix}.{name}" if prefix else str(name))]
    if isinstance(value, list):
        return [(prefix, json.dumps(value, ensure_ascii=False))]
    return [(prefix, f"{value:.6g}" if isinstance(value, float) else str(value))]


def _read(path: Path) -> Figures:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not JSON: {error}", remedy=f"`dvc repro {path.stem}` writes it again.") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} holds no named figures.", remedy=f"`dvc repro {path.stem}` writes it again.")
    return value
