"""Kept and refused rewrites as preference pairs for DPO: `python -m stages.validate export-preferences FOLDER`.

A folder that `datasets.load_dataset` reads, in the conversational form that TRL's DPOTrainer takes: `prompt`, `chosen`
and `rejected` are lists of chat messages. The same pairs stand in `jsonl/`, one object a line. Which refusals make a
pair is in `preferences.py`; texts that are rejected pass the same filters as the set, so that nothing leaks here.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.enrich.schema import EnrichedRow, RewriteAttempt
from stages.errors import InputError, SecForgeError
from stages.ground.schema import Evidence
from stages.licences import load_classes, strictest
from stages.tables import content_id, read_table, write_json, write_text
from stages.validate.benchmark_hashes import load_hashes
from stages.validate.card import size_category
from stages.validate.export import (
    BUILD,
    EVIDENCE,
    MANIFEST,
    SPLITS,
    build_section,
    exact_build,
    notice_of,
    require_outputs,
    write_folder,
)
from stages.validate.inspect_tables import PATHS
from stages.validate.params import ValidateParams
from stages.validate.preferences import NO_PAIR, Found, Judge, Preference, preferences, presentable
from stages.validate.schema import TrainingRow

PARTS = ("preferences", "jsonl")
ROWS, ATTEMPTS = PATHS["rows"], "data/enrich/attempts.parquet"
MADE_BY = Path("data/enrich/manifest.json")
JUDGE = Path("metrics/enrich.json")
_SPLIT_OF = {"train": "train", "dev": "validation"}
_ABOUT = (
    "# Preference pairs\n\nEach pair has a question (`prompt`), the answer that the instruction set gives (`chosen`) and one that "
    "is worse (`rejected`), as chat messages. `kind` says in what: `key` another final answer, `ids` an identifier that is "
    "invented or has no source, `facts` a statement that is false or has no source, `format` steps left out, text below the answer or talk about the "
    "making of the answer, `readability` less readable by a judge that was asked in both orders. `reasons` are the checks that "
    "refused the text; where they are empty, the rejected text is the original answer, which is right but less readable.\n\n"
    "**Rejected texts are wrong on purpose: they name false keys, facts and identifiers. They are no answers.** They passed the "
    "same filters for safety, licences and benchmarks as the instruction set."
)


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m stages.validate export-preferences", description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="new, empty, or an earlier export of preferences")
    folder = parser.parse_args(arguments).folder
    try:
        counts = export_preferences(folder)
    except SecForgeError as error:
        print(f"[export-preferences] {error}", file=sys.stderr)
        return 2
    sizes = ", ".join(f"{split} {count:,}" for split, count in counts.items())
    print(f'[export-preferences] {folder}: {sizes}; load_dataset("{folder}")')
    return 0


def export_preferences(folder: Path) -> dict[str, int]:
    """Write the whole folder, or nothing; returns pairs by split. Raises InputError if the build is not whole or has no pair."""
    return write_folder(folder, PARTS, _write)


def _write(folder: Path) -> dict[str, int]:
    require_outputs(MADE_BY, [ROWS, ATTEMPTS])
    training = {row.id: (name, row) for name in ("train", "dev") for row in read_table(PATHS[name], TrainingRow)}
    rows = read_table(ROWS, EnrichedRow)
    found = find_pairs(training, rows)
    if not found.pairs:
        raise InputError(
            f"no rewrite of this build makes a preference pair (left out: {_told(found.left_out) or 'nothing was tried'}).",
            remedy="Rewrite more rows (ground.rows), or with an abler teacher.",
        )
    for split in SPLITS:
        _write_split(folder, split, [pair for pair in found.pairs if _SPLIT_OF[pair.split] == split])
    build, filled = exact_build(), [split for split in SPLITS if (folder / PARTS[0] / f"{split}.parquet").exists()]
    write_json(folder / BUILD, build)
    named = {pair.row_id for pair in found.pairs}
    shown = {(pair.row_id, passage) for pair in found.pairs for passage in pair.passages}
    write_text(folder / "NOTICE", notice_of([row for row in rows if row.id in named], shown))
    write_text(folder / "README.md", f"{_front_matter(filled, len(found.pairs))}\n\n{_card(found)}\n\n{build_section(build)}")
    return {split: sum(_SPLIT_OF[pair.split] == split for pair in found.pairs) for split in SPLITS}


def find_pairs(training: Mapping[str, tuple[str, TrainingRow]], rows: Sequence[EnrichedRow]) -> Found:
    """All pairs of this build, with the params that validated it; a judge that failed its examination prefers nothing."""
    examined = msgspec.json.decode(JUDGE.read_bytes()).get("calibration") if JUDGE.exists() else None
    passed = bool(examined and examined.get("passed"))
    config = msgspec.json.decode(MANIFEST.read_bytes())["config"]["validate"]
    params = msgspec.convert(config, ValidateParams, strict=False)
    attempts, evidence = read_table(ATTEMPTS, RewriteAttempt), read_table(EVIDENCE, Evidence)
    keep = msgspec.json.decode(MADE_BY.read_bytes())["config"]["enrich"]["keep"]
    found = preferences(training, rows, attempts, evidence, Judge(passed, keep["factuality"]))
    clean = [msgspec.structs.replace(row, answer=training[row.id][1].answer) for row in rows if row.id in training]
    return presentable(found, clean, read_table(PATHS["items"], BenchmarkItem), params, load_hashes())


def record(pair: Preference, classes: dict[str, str]) -> dict[str, Any]:
    """One pair as DPOTrainer reads it, with what leads back to its row."""
    return {
        "id": content_id("preference", pair.row_id, pair.rejected),
        "prompt": [{"role": "user", "content": pair.prompt}],
        "chosen": [{"role": "assistant", "content": pair.chosen}],
        "rejected": [{"role": "assistant", "content": pair.rejected}],
        "kind": pair.kind,
        "reasons": pair.reasons,
        "row_id": pair.row_id,
        "task": pair.task,
        "family": pair.family,
        "licences": pair.licences,
        "licence_class": strictest(pair.licences, classes),
    }


def _write_split(folder: Path, split: str, pairs: Iterable[Preference]) -> None:
    """Both files of one split; an empty split has none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    records = [record(pair, load_classes()) for pair in pairs]
    if not records:
        return
    turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    lists = {
        "prompt": turns,
        "chosen": turns,
        "rejected": turns,
        "reasons": pa.list_(pa.string()),
        "licences": pa.list_(pa.string()),
    }
    schema = pa.schema([(name, lists.get(name, pa.string())) for name in records[0]])
    target = folder / PARTS[0] / f"{split}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(records, schema=schema), target, compression="zstd")
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    write_text(folder / PARTS[1] / f"{split}.jsonl", lines)


def _front_matter(splits: Sequence[str], pairs: int) -> str:
    files = "".join(f"  - split: {split}\n    path: {PARTS[0]}/{split}.parquet\n" for split in splits)
    return (
        "---\npretty_name: SecForge preference pairs\nlanguage:\n- en\nlicense: other\nlicense_name: per-row\nlicense_link: NOTICE\n"
        "task_categories:\n- text-generation\ntags:\n- cybersecurity\n- dpo\n- preference\n"
        f"size_categories:\n- {size_category(pairs)}\nconfigs:\n- config_name: default\n  data_files:\n{files}---"
    )


def _card(found: Found) -> str:
    kinds = Counter(pair.kind for pair in found.pairs)
    reasons = Counter(reason for pair in found.pairs for reason in pair.reasons)
    tables = [
        _table("Pairs by kind", kinds),
        _table("Reasons of refused texts", reasons),
        _table("Left out", found.left_out, NO_PAIR),
    ]
    return "\n\n".join([_ABOUT, *tables])


def _table(title: str, counts: Mapping[str, int], why: Mapping[str, str] | None = None) -> str:
    lines = "\n".join(
        f"| {name} | {count:,} |" + (f" {why.get(name, '')} |" if why else "")
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    head = "| | texts | why |\n| --- | --- | --- |" if why else "| | texts |\n| --- | --- |"
    return f"## {title}\n\n{head}\n{lines or '| none | 0 |'}"


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
