"""Look for benchmark items in any file of rows: `python -m stages.validate contamination --data FILE --benchmark FILE`.

Exits 0 if no row matches, 1 if rows match, 2 if rows or a benchmark could not be checked, whatever the cause. Rules and thresholds are those of the
pipeline (defaults of `DecontaminationParams`), so that others can hold their data to the same standard. If there is no
sentence encoder and none can be had, all rules but that of paraphrases run and decide the exit status; report and
printout then say `embedding: NOT checked` and why.
"""

import argparse
import os
import re
import sys
import traceback
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
from stages.validate.overlap import Document
from stages.validate.params import DecontaminationParams
from stages.validate.paraphrase import Encoders
from stages.validate.sweep import sweep

_SHOWN = 10
_WORD = re.compile(r"\w")
_LEFT_OUT = "left out by --no-embedding"


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status. No failure of any kind may look like status 1, `rows match`."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except SecForgeError as error:
        print(f"[contamination] {_printable(str(error))}", file=sys.stderr)
    except Exception as error:
        if not isinstance(error, OSError):
            traceback.print_exc()
        print(f"[contamination] NOT checked: {type(error).__name__}: {_printable(str(error))}", file=sys.stderr)
    return 2


def _run(options: argparse.Namespace) -> int:
    if options.report:
        _require_writable(options.report)
    encoders, why_not = (None, _LEFT_OUT) if options.no_embedding else encoder_at_hand()
    report = check_files(
        options.data, options.benchmark, options.data_field, options.benchmark_field, encoders, why_not, options.sweep
    )
    if options.report:
        write_json(options.report, report)
    _print(report)
    return 1 if report["rows_matched"] else 2 if report["not_checked"] else 0


def check_files(
    data: Path,
    benchmarks: Sequence[Path],
    data_fields: Sequence[str] = (),
    item_fields: Sequence[str] = (),
    encoders: Encoders | None = None,
    why_not: str = _LEFT_OUT,
    with_sweep: bool = False,
) -> dict[str, Any]:
    """The report: `rows`, `rows_matched`, `by_rule`, `benchmarks`, `matches` and what was not checked. Writes nothing."""
    records = read_records(data)
    if not records:
        raise InputError(f"{data} holds no rows: nothing was checked.", remedy="Name a file with rows.")
    require_fields(data, records, data_fields)
    items = [item for path, name in benchmark_names(benchmarks).items() for item in read_items(path, item_fields, name)]
    params, documents = DecontaminationParams(), to_documents(records, data_fields)
    leaks = find_leaks(documents, items, params, encoders, why_not)
    report = _report(data, documents, items, leaks)
    return report | {"sweep": sweep(documents, leaks.index, leaks.similar, params)} if with_sweep else report


def benchmark_names(paths: Sequence[Path]) -> dict[Path, str]:
    """File -> its name, with as many of its folders as tell it from the others; a file that is given twice counts once."""
    files = {path.resolve(): path for path in paths}
    names: dict[Path, str] = {}
    for whole, path in files.items():
        others = [other.parts for other in files if other != whole]
        depth = next((n for n in range(1, len(whole.parts)) if not any(whole.parts[-n:] == one[-n:] for one in others)), 1)
        names[path] = "/".join(whole.parts[-depth:])
    return names


def _report(data: Path, documents: Sequence[Document], items: Sequence[Item], leaks: Leaks) -> dict[str, Any]:
    found = leaks.contamination
    by_benchmark: dict[str, Any] = {}
    for name, count in sorted(Counter(item.benchmark for item in items).items()):
        mine = [match for match in found.matches if match.benchmark == name]
        touched, matched = len({match.item for match in mine}), len({match.row for match in mine})
        by_benchmark[name] = {"items": count, "items_touched": touched, "rows_matched": matched}
    checked = leaks.embedding == CHECKED
    empty = sum(not _has_text(document) for document in documents)
    return {
        "data": data.name,
        "rows": len(documents),
        "rows_without_text": empty,
        "not_checked": _not_checked(data, len(documents) - empty, items, leaks),
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


def _not_checked(data: Path, rows_with_text: int, items: Sequence[Item], leaks: Leaks) -> list[str]:
    """The files of which nothing could be compared, with the reason."""
    hidden = set(leaks.index.unsearchable)
    searched = {item.benchmark for number, item in enumerate(items) if number not in hidden}
    names = sorted({item.benchmark for item in items} - searched)
    found = [f"{name}: every item is too short or all prompt text" for name in names]
    return found if rows_with_text else [f"{data.name}: no row holds text", *found]


def _has_text(document: Document) -> bool:
    return any(_WORD.search(text) for texts in document.texts.values() for text in texts)


def _require_writable(path: Path) -> None:
    """Raise InputError if no report can be written to `path`, before minutes are spent on it."""
    folder = next(one for one in path.absolute().parents if one.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"The report {path} cannot be written.", remedy="Name a file in a folder of yours with --report.")


def _printable(text: str) -> str:
    """`text` as the terminal can show it, one line, without control characters."""
    plain = "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
    encoding = sys.stdout.encoding or "utf-8"
    return plain.encode(encoding, "replace").decode(encoding)


def _print(report: dict[str, Any]) -> None:
    for match in report["matches"][:_SHOWN]:
        shown = " ".join(match.evidence.split())[:100]
        place = f"row {match.row} holds {match.benchmark} item {match.item}"
        print(_printable(f"  {place} ({match.rule} in {match.level}, overlap {match.overlap:.2f}): {shown}"))
    if len(report["matches"]) > _SHOWN:
        print(f"  ... and {len(report['matches']) - _SHOWN:,} more; --report FILE writes all")
    rules = ", ".join(f"{rule} {count:,}" for rule, count in report["by_rule"].items()) or "none"
    print(f"[contamination] {report['rows_matched']:,} of {report['rows']:,} rows match ({rules})")
    for name, one in report["benchmarks"].items():
        print(f"[contamination] {_printable(name)}: {one['items_touched']:,} of {one['items']:,} items touched")
    if report["rows_without_text"]:
        print(f"[contamination] NOT checked: {report['rows_without_text']:,} rows hold no text")
    for reason in report["not_checked"]:
        print(_printable(f"[contamination] NOT checked: {reason}"), file=sys.stderr)
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
