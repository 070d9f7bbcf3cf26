"""Look for benchmark items in any file of rows: `python -m stages.validate contamination --data FILE --benchmark FILE`.

Exits 0 if no row matches, 1 if rows match, 2 if nothing could be checked. Rules and thresholds are those of the
pipeline (defaults of `DecontaminationParams`), so that others can hold their data to the same standard. If there is no
sentence encoder and none can be had, all rules but that of paraphrases run and decide the exit status; report and
printout then say `embedding: NOT checked` and why.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.errors import InputError, SecForgeError
from stages.tables import write_json
from stages.validate.benchmark_index import Item
from stages.validate.encoder_at_hand import encoder_at_hand
from stages.validate.foreign import read_items, to_documents
from stages.validate.leaks import CHECKED, Leaks, find_leaks
from stages.validate.loose_tables import read_records, require_fields
from stages.validate.params import DecontaminationParams
from stages.validate.paraphrase import Encoders
from stages.validate.sweep import sweep

_SHOWN = 10
_LEFT_OUT = "left out by --no-embedding"


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        encoders, why_not = (None, _LEFT_OUT) if options.no_embedding else encoder_at_hand()
        report = check_files(
            options.data, options.benchmark, options.data_field, options.benchmark_field, encoders, why_not, options.sweep
        )
        if options.report:
            write_json(options.report, report)
    except SecForgeError as error:
        print(f"[contamination] {error}", file=sys.stderr)
        return 2
    _print(report)
    return 1 if report["rows_matched"] else 0


def check_files(
    data: Path,
    benchmarks: Sequence[Path],
    data_fields: Sequence[str] = (),
    item_fields: Sequence[str] = (),
    encoders: Encoders | None = None,
    why_not: str = _LEFT_OUT,
    with_sweep: bool = False,
) -> dict[str, Any]:
    """The report: `rows`, `rows_matched`, `by_rule`, `benchmarks`, `matches` and what was not checked."""
    records = read_records(data)
    if not records:
        raise InputError(f"{data} holds no rows: nothing was checked.", remedy="Name a file with rows.")
    require_fields(data, records, data_fields)
    items = [item for path in benchmarks for item in read_items(path, item_fields)]
    params, documents = DecontaminationParams(), to_documents(records, data_fields)
    leaks = find_leaks(documents, items, params, encoders, why_not)
    report = _report(data, len(records), items, leaks)
    return report | {"sweep": sweep(documents, leaks.index, leaks.similar, params)} if with_sweep else report


def _report(data: Path, rows: int, items: Sequence[Item], leaks: Leaks) -> dict[str, Any]:
    found = leaks.contamination
    by_benchmark: dict[str, Any] = {}
    for name, count in sorted(Counter(item.benchmark for item in items).items()):
        mine = [match for match in found.matches if match.benchmark == name]
        touched, matched = len({match.item for match in mine}), len({match.row for match in mine})
        by_benchmark[name] = {"items": count, "items_touched": touched, "rows_matched": matched}
    checked = leaks.embedding == CHECKED
    return {
        "data": data.name,
        "rows": rows,
        "rows_matched": len({match.row for match in found.matches}),
        "by_rule": dict(sorted(Counter(rule for _, rule in {(match.row, match.rule) for match in found.matches}).items())),
        "embedding": CHECKED if checked else f"NOT checked: {leaks.embedding}",
        "benchmarks": by_benchmark,
        "items_not_searchable": [items[number].id for number in leaks.index.unsearchable],
        "rows_with_overlap": found.rows_before_boilerplate,
        "rows_with_overlap_without_boilerplate": found.rows_after_boilerplate,
        "boilerplate_ngrams": found.boilerplate_grams,
        "matches": found.matches,
    }


def _print(report: dict[str, Any]) -> None:
    for match in report["matches"][:_SHOWN]:
        shown = " ".join(match.evidence.split())[:100]
        print(
            f"  row {match.row} holds {match.benchmark} item {match.item} ({match.rule} in {match.level}, overlap {match.overlap:.2f}): {shown}"
        )
    if len(report["matches"]) > _SHOWN:
        print(f"  ... and {len(report['matches']) - _SHOWN:,} more; --report FILE writes all")
    rules = ", ".join(f"{rule} {count:,}" for rule, count in report["by_rule"].items()) or "none"
    print(f"[contamination] {report['rows_matched']:,} of {report['rows']:,} rows match ({rules})")
    for name, one in report["benchmarks"].items():
        print(f"[contamination] {name}: {one['items_touched']:,} of {one['items']:,} items touched")
    if report["items_not_searchable"]:
        print(f"[contamination] NOT checked: {len(report['items_not_searchable']):,} items are too short or all prompt text")
    if report["embedding"] != CHECKED:
        print(f"[contamination] embedding: {report['embedding']}")
    for name, table in report.get("sweep", {}).items():
        for kind, counts in table.items():
            print(f"[contamination] {name}, rows by {kind}: " + ", ".join(f"{value} {rows:,}" for value, rows in counts.items()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stages.validate contamination", description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="rows: JSONL, JSON, CSV, TSV or Parquet")
    parser.add_argument(
        "--benchmark", type=Path, required=True, action="append", metavar="FILE", help="benchmark items; may be repeated"
    )
    parser.add_argument("--report", type=Path, metavar="OUT.json", help="write all matches here")
    parser.add_argument("--no-embedding", action="store_true", help="do not look for paraphrases, which needs an encoder")
    parser.add_argument("--sweep", action="store_true", help="count rows at other thresholds, too")
    parser.add_argument(
        "--data-field", action="append", default=[], metavar="NAME", help="a field of the rows to search (default: all)"
    )
    parser.add_argument(
        "--benchmark-field",
        action="append",
        default=[],
        metavar="NAME",
        help="a field that holds the question (default: guessed)",
    )
    return parser
