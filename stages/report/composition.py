"""The composition table that `validate` writes."""

import csv
from pathlib import Path

from stages.errors import InputError

COLUMNS = ("family", "source", "licence", "type", "rows")


def read_composition(path: Path) -> list[dict[str, str]]:
    """Its lines, most rows first; none if there is no table. Raises InputError for another table."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        columns, lines = tuple(reader.fieldnames or ()), list(reader)
    if columns != COLUMNS or not all((line["rows"] or "").isdigit() for line in lines):
        raise InputError(f"{path} is no composition table.", allowed=", ".join(COLUMNS), remedy="Run `dvc repro -f validate`.")
    return sorted(lines, key=lambda line: (-int(line["rows"]), *(line[name] or "" for name in COLUMNS[:4])))
