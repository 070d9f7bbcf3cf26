"""The final set as a folder that `datasets.load_dataset` reads: `python -m stages.validate export FOLDER`.

Two configurations of the same rows, each with the splits `train` and `validation`: `chat` (messages) and
`prompt_completion`. Rows that `validate.licences.splits` keeps apart are in configurations of their own, named after their
licence class (`chat-share-alike`), with a NOTICE each (`NOTICE-share-alike`). README.md is the card, NOTICE what the
sources ask, build.json what exactly the set was made from.
It is a command and no output of the stage: the graph needs no second and third copy of every row.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stages.enrich.schema import EnrichedRow
from stages.errors import InputError, SecForgeError
from stages.ground.schema import Evidence
from stages.ingest.schema import Entity
from stages.licences import STRICTNESS, load_classes, strictest
from stages.tables import file_sha256, read_table, write_json, write_text
from stages.validate.card import CARD, size_category
from stages.validate.chain import APART, ROWS, SETS, origins
from stages.validate.notice import notice, used_entities
from stages.validate.web_pages import as_entities

if TYPE_CHECKING:
    import pyarrow as pa

SPLITS = dict(zip(("train", "validation"), SETS, strict=True))
CONFIGS = ("chat", "prompt_completion")
PARTS = (*CONFIGS, *(f"{name}-{kind}" for name in (*CONFIGS, "NOTICE") for kind in STRICTNESS))
MANIFEST = Path("data/validate/manifest.json")
Batches = Callable[[int], Iterable["pa.RecordBatch"]]  # at most so many rows each
BUILD = "build.json"
EVIDENCE = "data/ground/evidence.parquet"
_BATCH = 10_000
_KEPT = ("id", "task", "family", "key_kind", "answer_key", "decision", "licences")


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m stages.validate export", description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="new, empty, or an earlier export")
    options = parser.parse_args(arguments)
    try:
        counts = export(options.folder)
    except SecForgeError as error:
        print(f"[export] {error}", file=sys.stderr)
        return 2
    sizes = ", ".join(f"{split} {count:,}" for split, count in counts.items())
    print(f'[export] {options.folder}: {sizes}; load_dataset("{options.folder}", "chat") or "prompt_completion"')
    return 0


def export(folder: Path) -> dict[str, int]:
    """Write the whole folder, or nothing; returns rows by split. Raises InputError if the build is not whole."""
    return write_folder(folder, PARTS, _write)


def write_folder(folder: Path, parts: Sequence[str], write: Callable[[Path], dict[str, int]]) -> dict[str, int]:
    """`folder` as `write` fills a new one with `parts`, card, NOTICE and build file; or nothing. Returns what `write` does.

    Raises InputError if the build is not whole, or if the folder holds anything else.
    """
    _require_place(folder, parts)
    require_outputs(MANIFEST, [*SETS, str(CARD)])
    temporary = folder.absolute().with_name(f".{folder.absolute().name}.{os.getpid()}.tmp")
    try:
        counts = write(temporary)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return counts


def _write(folder: Path) -> dict[str, int]:
    counts = {split: _write_set(folder, split, path) for split, path in SPLITS.items()} | _write_apart(folder)
    build = exact_build()
    write_json(folder / BUILD, build)
    write_text(folder / "NOTICE", _notice(one for path in SETS for one in _ids(path)))
    body = CARD.read_text(encoding="utf-8").split("---\n", 2)[-1].strip()
    files = {(path.parent.name, path.stem) for path in folder.glob("*/*.parquet")}
    write_text(folder / "README.md", f"{front_matter(files, sum(counts.values()))}\n\n{body}\n\n{build_section(build)}")
    return counts


def _write_set(folder: Path, split: str, path: str) -> int:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    return _write_split(folder, CONFIGS, split, file.metadata.num_rows, file.iter_batches)


def _write_apart(folder: Path) -> dict[str, int]:
    """Configurations and NOTICE of each licence class that is kept apart; rows by class and split."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    require_outputs(MANIFEST, [APART])
    table, counts = pq.read_table(APART), {}
    for kind in sorted(set(table["licence_class"].to_pylist())):
        mine = table.filter(pc.equal(table["licence_class"], kind))
        for split, path in SPLITS.items():
            rows = mine.filter(pc.equal(mine["split"], Path(path).stem))
            configs = [f"{config}-{kind}" for config in CONFIGS]
            counts[f"{kind} {split}"] = _write_split(folder, configs, split, rows.num_rows, rows.to_batches)
        write_text(folder / f"NOTICE-{kind}", _notice(mine["id"].to_pylist()))
    return counts


def _write_split(folder: Path, configs: Sequence[str], split: str, rows: int, batches: Batches) -> int:
    """Both forms of one split, in the order of CONFIGS; an empty split has no file."""
    classes = load_classes()
    for form, config in zip(CONFIGS, configs, strict=True) if rows else ():
        target = folder / config / f"{split}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_batches(target, (_batch(batch, form, classes) for batch in batches(_BATCH)))
    return rows


def _write_batches(target: Path, batches: Iterator["pa.Table"]) -> None:
    import pyarrow.parquet as pq

    first = next(batches)
    with pq.ParquetWriter(target, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for batch in batches:
            writer.write_table(batch)


def _batch(batch: "pa.RecordBatch", config: str, classes: dict[str, str]) -> "pa.Table":
    """The rows of one batch in the columns of one configuration."""
    import pyarrow as pa

    rows = batch.to_pylist()
    kept = {name: batch.column(name) for name in _KEPT}
    kept["licence_class"] = pa.array([strictest(row["licences"], classes) for row in rows], pa.string())
    if config == "chat":
        turn = pa.struct([("role", pa.string()), ("content", pa.string())])
        text = {"messages": pa.array([_messages(row) for row in rows], pa.list_(turn))}
    else:
        text = {"prompt": batch.column("instruction"), "completion": batch.column("answer")}
    return pa.table({"id": kept.pop("id"), **text, **kept})


def _messages(row: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"role": "user", "content": row["instruction"]}, {"role": "assistant", "content": row["answer"]}]


def front_matter(files: Set[tuple[str, str]], rows: int) -> str:
    """The card's metadata (https://huggingface.co/docs/hub/datasets-cards); `files` are the (configuration, split) that exist."""
    listed = ""
    for config in sorted({config for config, _ in files}, key=PARTS.index):
        paths = "".join(f"  - split: {one}\n    path: {config}/{one}.parquet\n" for one in SPLITS if (config, one) in files)
        default = "  default: true\n" if config == CONFIGS[0] else ""
        listed += f"- config_name: {config}\n{default}  data_files:\n{paths}"
    return (
        "---\npretty_name: SecForge instruction data\nlanguage:\n- en\nlicense: other\nlicense_name: per-row\nlicense_link: NOTICE\n"
        "task_categories:\n- text-generation\n- question-answering\ntags:\n- cybersecurity\n- instruction-tuning\n"
        "multilinguality:\n- monolingual\nsource_datasets:\n- original\n"
        f"size_categories:\n- {size_category(rows)}\nconfigs:\n{listed}---"
    )


def exact_build() -> dict[str, Any]:
    """What the set was made from: commit, lock file, params, sources with versions and pinned files."""
    ingest = Path("metrics/ingest.json")
    sources = _decoded(ingest).get("sources", {}) if ingest.exists() else {}
    pinned = origins()
    return {
        "commit": _git("rev-parse", "HEAD") or "not in git",
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "dvc_lock_sha256": file_sha256("dvc.lock") if Path("dvc.lock").exists() else "",
        "outputs": _decoded(MANIFEST)["outputs"],
        "params": {path.parent.name: _decoded(path).get("config", {}) for path in sorted(Path("data").glob("*/manifest.json"))},
        "sources": {
            name: {"version": one.get("version", ""), "read_from": pinned.get(name, [])} for name, one in sources.items()
        },
    }


def build_section(build: Mapping[str, Any]) -> str:
    """The end of a card: commit, lock file and sources."""
    lines = [f"| {name} | {one['version']} | {'; '.join(one['read_from'])} |" for name, one in build["sources"].items()]
    changed = ", with uncommitted changes" if build["uncommitted_changes"] else ""
    return (
        "## Exact build\n\n"
        f"Commit `{build['commit']}`{changed}; `dvc.lock` has the SHA-256 `{build['dvc_lock_sha256'] or 'none'}`. "
        f"`{BUILD}` holds the params of every stage and the hash of every file.\n\n"
        "| source | version | read from |\n| --- | --- | --- |\n" + "\n".join(lines) + "\n"
    )


def _notice(ids: Iterable[str]) -> str:
    """Read in one go: entities and the enriched rows stay in memory only for this."""
    kept = set(ids)
    rows = [row for path in ROWS if Path(path).exists() for row in read_table(path, EnrichedRow) if row.id in kept]
    shown = {(row.id, passage) for row in rows if row.decision == "rewritten" for passage in row.evidence_ids}
    return notice_of(rows, shown)


def notice_of(rows: Sequence[EnrichedRow], shown: Set[tuple[str, str]]) -> str:
    """The NOTICE of `rows` and of the passages that texts were made from; `shown` holds (row id, passage id)."""
    told: dict[str, list[str]] = defaultdict(list)
    for one in read_table(EVIDENCE, Evidence) if shown else ():
        if (one.row_id, one.passage_id) in shown:
            told[one.row_id].append(one.entity_id)
    used = used_entities([[*row.entity_ids, *told[row.id]] for row in rows])
    entities = [*read_table("data/graph/entities.parquet", Entity), *as_entities(used)]
    return notice(used, entities, origins())


def _ids(path: str) -> list[str]:
    import pyarrow.parquet as pq

    return pq.read_table(path, columns=["id"])["id"].to_pylist()


def _decoded(path: Path) -> dict[str, Any]:
    return msgspec.json.decode(path.read_bytes())


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, timeout=30)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _require_place(folder: Path, parts: Sequence[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file.", remedy="Name a folder.")
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if held and not {BUILD, "NOTICE"} <= held <= {BUILD, "NOTICE", "README.md", *parts}:
        raise InputError(
            f"{folder} holds other files.", allowed="a new folder, an empty one, or an earlier export", remedy="Name another."
        )


def require_outputs(manifest: Path, paths: Sequence[str]) -> None:
    """`paths` are those that the stage of `manifest` finished, byte for byte. Raises InputError."""
    stage = manifest.parent.name
    if not manifest.exists():
        raise InputError(f"{manifest} does not exist.", remedy=f"Run `dvc repro {stage}`.")
    outputs = _decoded(manifest)["outputs"]
    for path in paths:
        if not Path(path).exists() or file_sha256(path) != outputs.get(path, {}).get("sha256"):
            raise InputError(f"{path} is not what the last run of {stage} wrote.", remedy=f"Run `dvc repro {stage}`.")
