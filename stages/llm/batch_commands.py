"""`python -m stages.llm batch ...`: what waits in request files, and the answers to it."""

import argparse
from pathlib import Path
from typing import Any

from stages.config import PARAMS_FILE, load_section
from stages.errors import LLMError
from stages.llm.batch import SUBMIT, request_files, requests_of
from stages.llm.cache import ResponseCache
from stages.runtime import RuntimeParams


def add_batch_commands(commands: Any) -> None:
    """`batch status` and `batch import`, below the commands of the cache."""
    batch = commands.add_parser("batch", description=SUBMIT)
    parts = batch.add_subparsers(required=True)
    status = parts.add_parser("status", help="request files, and how many of their requests have an answer")
    status.add_argument("folder", type=Path, nargs="?", help="default: runtime.batch_files of params.yaml")
    status.set_defaults(run=show_status)
    bring = parts.add_parser("import", help="store the answers in a provider's output and error files", description=SUBMIT)
    bring.add_argument("files", type=Path, nargs="+", metavar="RESULTS.jsonl")
    bring.add_argument("--folder", type=Path, help="of the request files; default: runtime.batch_files of params.yaml")
    bring.set_defaults(run=import_batch)


def show_status(cache: ResponseCache, chosen: argparse.Namespace) -> None:
    """One line per request file."""
    folder = _folder(chosen.folder)
    files = request_files(folder)
    if not files:
        print(f"[llm] {folder}: no request waits")
    for file in files:
        asked = list(requests_of(file.path))
        answered = sum(cache.get(one.key.hex()) is not None for one in asked)
        models = ", ".join(sorted({one.model for one in asked}))
        size = file.path.stat().st_size / 1e6
        known = f", {answered:,} of them answered meanwhile" if answered else ""
        print(f"[llm] {file.path}: {len(asked):,} requests, {size:.1f} MB, {models}{known}")


def import_batch(cache: ResponseCache, chosen: argparse.Namespace) -> None:
    """Read all files, then say what still waits."""
    from stages.llm.batch_results import Results, described

    folder = _folder(chosen.folder)
    results = Results(folder, cache, _secrets())
    try:
        for path in chosen.files:
            print(f"[llm] {path}: {described(results.read(path))}")
    finally:
        left = results.settle()
    for path, count in left:
        print(f"[llm] {path}: {count:,} requests still wait")
    if not left:
        print("[llm] no request waits: run the same command as before again")


def _runtime() -> RuntimeParams:
    return load_section("runtime", RuntimeParams) if PARAMS_FILE.is_file() else RuntimeParams()


def _folder(named: Path | None) -> Path:
    """Raises LLMError if there is no folder."""
    batch_files = _runtime().batch_files if named is None else ""
    if named is None and not batch_files:
        raise LLMError(
            "no folder of request files is named.", remedy="Set runtime.batch_files in params.yaml, or name it in the command."
        )
    folder = named or Path(batch_files).expanduser()
    if not folder.is_dir():
        raise LLMError(f"{folder} is no folder.", remedy="Run the stage first: it writes the requests.")
    return folder


def _secrets() -> list[str]:
    """Keys that no answer may hold, as far as they are set here."""
    from stages.llm.transport import secrets_of

    found, endpoints = [], _runtime().endpoints
    for endpoint in (*endpoints.teacher, *endpoints.judge):
        try:
            found += secrets_of(endpoint)
        except LLMError:  # its key is not set in this shell, so nothing could be told
            continue
    return found
