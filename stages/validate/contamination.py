"""Look for benchmark items in any file of rows: `python -m stages.validate contamination --data FILE --benchmark FILE`.

Exits 0 if no row matches, 1 if rows match, 2 if nothing could be checked. Rules and thresholds are those of the
pipeline (defaults of `DecontaminationParams`), so that others can hold their data to the same standard.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.errors import InputError, SecForgeError
from stages.tables import write_json
from stages.validate.benchmark_index import Item, build_index, identifiers_in
from stages.validate.decontaminate import Contamination, Document, find_contamination
from stages.validate.loose_tables import Record, read_records, require_fields, strings
from stages.validate.params import DecontaminationParams

# The first of these that a benchmark has is its question; a bare `prompt` repeats instructions, so it comes late.
QUESTION_FIELDS = ("question", "description", "problem", "query", "input", "text", "instruction", "prompt", "content")
ID_FIELDS = ("id", "row_id", "item_id", "question_id", "qid", "uid", "index")
_SHOWN = 10


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        report = check_files(options.data, options.benchmark, options.data_field, options.benchmark_field)
        if options.report:
            write_json(options.report, report)
    except SecForgeError as error:
        print(f"[contamination] {error}", file=sys.stderr)
        return 2
    _print(report)
    return 1 if report["rows_matched"] else 0


def check_files(
    data: Path, benchmarks: Sequence[Path], data_fields: Sequence[str] = (), item_fields: Sequence[str] = ()
) -> dict[str, Any]:
    """The report: `rows`, `rows_matched`, `by_rule`, `benchmarks`, `matches` and what was not searchable."""
    records = read_records(data)
    if not records:
        raise InputError(f"{data} holds no rows: nothing was checked.", remedy="Name a file with rows.")
    require_fields(data, records, data_fields)
    items = [item for path in benchmarks for item in read_items(path, item_fields)]
    params = DecontaminationParams()
    index = build_index(items, params)
    found = find_contamination(to_documents(records, data_fields), index, params)
    return _report(data, len(records), items, [items[number].id for number in index.unsearchable], found)


def read_items(path: Path, fields: Sequence[str] = ()) -> list[Item]:
    """Items of a benchmark file; CVE ids are taken from every column, so a bare URL column counts."""
    records = read_records(path)
    if not records:
        raise InputError(f"{path} holds no items: the benchmark was NOT checked.", remedy="Name a file with items.")
    require_fields(path, records, fields)
    chosen = list(fields) or [_guess(path, records)]
    items = []
    for name, record in zip(_ids(records), records, strict=True):
        text = "\n".join(one for field in chosen for one in strings(record.get(field)))
        named = frozenset(identifiers_in("\n".join(strings(record))))
        items.append(Item(id=name, benchmark=path.name, subject=f"{path.name}\x00{name}", text=text, identifiers=named))
    return items


def to_documents(records: Sequence[Record], fields: Sequence[str] = ()) -> list[Document]:
    """Rows as documents: the named fields, or every field that holds text, each its own level.

    Only rows of this project tell their subject document; elsewhere each row is a document of its own.
    """
    documents = []
    for name, record in zip(_ids(records), records, strict=True):
        chosen = fields or [field for field in record if field not in ID_FIELDS]
        texts = {str(field): list(strings(record.get(field))) for field in chosen}
        subject = str(record["subject"]) if "entity_ids" in record and record.get("subject") else ""
        documents.append(Document(id=name, subject=subject, texts=texts))
    return documents


def _report(data: Path, rows: int, items: Sequence[Item], hidden: list[str], found: Contamination) -> dict[str, Any]:
    by_benchmark: dict[str, Any] = {}
    for name, count in sorted(Counter(item.benchmark for item in items).items()):
        mine = [match for match in found.matches if match.benchmark == name]
        touched, matched = len({match.item for match in mine}), len({match.row for match in mine})
        by_benchmark[name] = {"items": count, "items_touched": touched, "rows_matched": matched}
    return {
        "data": data.name,
        "rows": rows,
        "rows_matched": len({match.row for match in found.matches}),
        "by_rule": dict(sorted(Counter(rule for _, rule in {(match.row, match.rule) for match in found.matches}).items())),
        "benchmarks": by_benchmark,
        "items_not_searchable": hidden,
        "rows_with_overlap": found.rows_before_boilerplate,
        "rows_with_overlap_without_boilerplate": found.rows_after_boilerplate,
        "boilerplate_ngrams": found.boilerplate_grams,
        "matches": found.matches,
    }


def _guess(path: Path, records: Sequence[Record]) -> str:
    """The field that holds the question, whatever its case."""
    known = {name.casefold(): name for record in reversed(records) for name in record if isinstance(name, str)}
    for field in QUESTION_FIELDS:
        if field in known and any(isinstance(record.get(known[field]), str) for record in records):
            return known[field]
    raise InputError(
        f"{path}: cannot tell which field is the question.",
        allowed=", ".join(sorted(known.values())),
        remedy="Name it with --benchmark-field.",
    )


def _ids(records: Sequence[Record]) -> list[str]:
    """The records' own ids where each has one and all differ, else places in the file, counted from 1."""
    for field in ID_FIELDS:
        values = [next((value for name, value in record.items() if str(name).casefold() == field), None) for record in records]
        if all(isinstance(value, str | int) and value != "" for value in values) and len(set(map(str, values))) == len(records):
            return [str(value) for value in values]
    return [f"#{number}" for number in range(1, len(records) + 1)]


def _print(report: dict[str, Any]) -> None:
    for match in report["matches"][:_SHOWN]:
        print(
            f"  row {match.row} holds {match.benchmark} item {match.item} ({match.rule} in {match.level}, overlap {match.overlap:.2f}): {match.evidence[:100]}"
        )
    if len(report["matches"]) > _SHOWN:
        print(f"  ... and {len(report['matches']) - _SHOWN:,} more; --report FILE writes all")
    rules = ", ".join(f"{rule} {count:,}" for rule, count in report["by_rule"].items()) or "none"
    print(f"[contamination] {report['rows_matched']:,} of {report['rows']:,} rows match ({rules})")
    for name, one in report["benchmarks"].items():
        print(f"[contamination] {name}: {one['items_touched']:,} of {one['items']:,} items touched")
    if report["items_not_searchable"]:
        print(f"[contamination] NOT checked: {len(report['items_not_searchable']):,} items are too short or all prompt text")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stages.validate contamination", description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="rows: JSONL, JSON, CSV, TSV or Parquet")
    parser.add_argument(
        "--benchmark", type=Path, required=True, action="append", metavar="FILE", help="benchmark items; may be repeated"
    )
    parser.add_argument("--report", type=Path, metavar="OUT.json", help="write all matches here")
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
