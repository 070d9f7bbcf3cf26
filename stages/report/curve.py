"""The training curve as an SVG path in a unit square of 1000 x 300; the axis labels are HTML, readable at any width."""

import csv
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.errors import InputError

WIDTH, HEIGHT = 1000.0, 300.0


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One drawn line and the range of its axes."""

    name: str
    path: str  # the `d` of an SVG path
    first: float
    last: float
    low: float
    high: float
    steps: int  # the last step


def read_curves(path: Path) -> list[Curve]:
    """A curve for each loss column of the table at `path`; none if there is no table."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if "loss" in name] if rows else []
    drawn = [_curve(name, _points(rows, name, path)) for name in columns]
    return [curve for curve in drawn if curve is not None]


def _points(rows: Sequence[dict[str, str]], column: str, path: Path) -> list[tuple[float, float]]:
    try:
        return [(float(row["step"]), float(row[column])) for row in rows if row.get(column)]
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path} is not a table of steps and losses: {error}", remedy="`dvc repro finetune` writes it again."
        ) from error


def _curve(name: str, points: Sequence[tuple[float, float]]) -> Curve | None:
    if len(points) < 2:
        return None
    values = [value for _, value in points]
    low, high, last_step = min(values), max(values), max(step for step, _ in points)
    first_step = min(step for step, _ in points)
    across, up = WIDTH / ((last_step - first_step) or 1.0), HEIGHT / ((high - low) or 1.0)
    places = (f"{(step - first_step) * across:.1f},{HEIGHT - (value - low) * up:.1f}" for step, value in points)
    return Curve(
        name=name, path="M" + " L".join(places), first=values[0], last=values[-1], low=low, high=high, steps=int(last_step)
    )
