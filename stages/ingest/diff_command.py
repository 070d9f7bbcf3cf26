"""`python -m stages.ingest diff`: read the sources that params.yaml names now, and compare them with the last build."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.config import PARAMS_FILE, load_section
from stages.errors import InputError, SecForgeError
from stages.ingest.core import check_declarations, ingest_all, tables
from stages.ingest.diff import Uses, affected, as_data, as_text, compare_sources, linked_ends, touched, uses_of
from stages.ingest.params import IngestParams
from stages.ingest.schema import Entity, Link
from stages.runtime import RuntimeParams
from stages.tables import read_table, write_json


def main(arguments: Sequence[str]) -> None:
    """Print what a rebuild would change; nothing of the build is written."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.ingest diff",
        description="Compare the sources that the params file names now with those of the last build.",
    )
    parser.add_argument("--params", type=Path, default=PARAMS_FILE, help="the params file (default: %(default)s)")
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="folder of the build to compare with (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, help="also write the whole report, every id included, to this file")
    options = parser.parse_args(arguments)
    try:
        _report(options.params, options.data, options.json)
    except SecForgeError as error:
        sys.exit(f"[ingest] {error}")


def _report(params_file: Path, data: Path, json_file: Path | None) -> None:
    before = read_table(data / "ingest/entities.parquet", Entity), read_table(data / "ingest/links.parquet", Link)
    params, runtime = load_section("ingest", IngestParams, params_file), load_section("runtime", RuntimeParams, params_file)
    check_declarations(params)
    made = tables(ingest_all(params, runtime))
    changes = compare_sources(before, (made["entities"][0], made["links"][0]))
    changed, ends = touched(changes), linked_ends(changes)
    rows = affected(_uses(data / "tasks/rows.parquet", "task"), changed, ends)
    items = affected(_uses(data / "benchmarks/items.parquet", "benchmark"), changed, ends)
    print(as_text(changes, rows, items))
    if json_file:
        write_json(json_file, as_data(changes, rows, items))


def _uses(path: Path, owner: str) -> list[Uses]:
    """What the last build made of the entities. Raises InputError where it was not made."""
    import pyarrow.parquet as pq

    try:
        table: list[dict[str, Any]] = pq.read_table(path, columns=[owner, "entity_ids"]).to_pylist()
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read: {error}", remedy="Run `dvc repro tasks benchmarks` or `dvc pull` first."
        ) from error
    return uses_of(table, owner)
