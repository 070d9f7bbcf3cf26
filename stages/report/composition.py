"""The composition tables that `validate` writes."""

import csv
from pathlib import Path

from stages.errors import InputError

DIMENSION_COLUMNS = ("dimension", "value", "rows", "share")
COLUMNS = ("family", "source", "licence", "type", "rows")


def read_composition(path: Path) -> list[dict[str, str]]:
    """Its lines, most rows first; none if there is no table. Raises InputError for another table."""
    lines = _read(path, COLUMNS)
    return sorted(lines, key=lambda line: (-int(line["rows"]), *(line[name] or "" for name in COLUMNS[:4])))


def read_dimensions(path: Path) -> dict[str, list[dict[str, str]]]:
    """Property -> its lines in the order of the table; none if there is no table. Raises InputError for another table."""
    found: dict[str, list[dict[str, str]]] = {}
    for line in _read(path, DIMENSION_COLUMNS):
        found.setdefault(line["dimension"], []).append(line)
    return found


def _read(path: Path, wanted: tuple[str, ...]) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        columns, lines = tuple(reader.fieldnames or ()), list(reader)
    if columns != wanted or not all((line["rows"] or "").isdigit() for line in lines):
        raise InputError(f"{path} is no composition table.", allowed=", ".join(wanted), remedy="Run `dvc repro -f validate`.")
    return lines
