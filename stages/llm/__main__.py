"""The response cache: what is in it, taking it along, bringing it back, tidying it.

stats          answers, tokens and size by purpose; what the shared cache holds
export FILE    all answers as one Parquet table
import FILE... answers of a build (data/*/responses.parquet), so that they are not asked for again. What failed is left
               out and tried again, unless --replay-failures asks for the very same build, without any server
gc             remove failures, and with --days N answers older than that
batch status   what waits in request files (runtime.batch_files); `batch import FILE...` brings the answers of a batch
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from stages.config import load_section
from stages.errors import SecForgeError
from stages.llm.batch_commands import add_batch_commands
from stages.llm.cache import ResponseCache, cache_path, shared_path
from stages.llm.database import connect_read_only
from stages.llm.failures import failure_of
from stages.llm.schema import StoredResponse
from stages.runtime import RuntimeParams
from stages.tables import read_table, write_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a SecForgeError is one message and exit 1."""
    chosen = _parser().parse_args(arguments)
    try:
        cache = ResponseCache(cache_path())
        try:
            chosen.run(cache, chosen)
        finally:
            cache.close()
    except SecForgeError as error:
        sys.exit(f"[llm] {error}")


def show_stats(cache: ResponseCache, _: argparse.Namespace) -> None:
    """One line per purpose and model, and one for the cache that the team shares, if `params.yaml` names one."""
    groups = cache.groups()
    print(f"{cache.path}: {sum(one.answers for one in groups):,} answers, {_megabytes(cache):.1f} MB")
    for one in groups:
        useless = f", {one.failed:,} of no use (gc removes them)" if one.failed else ""
        cut = f", {one.cut:,} cut" if one.cut else ""
        print(f"  {one.namespace:30} {one.model:30} {one.answers:9,} answers {one.tokens:12,} tokens{cut}{useless}")
    shared = shared_path(load_section("runtime", RuntimeParams)) if Path("params.yaml").is_file() else None
    if shared:
        team = connect_read_only(shared)
        print(f"{shared} (shared, read only): {team.execute('SELECT COUNT(*) FROM responses').fetchone()[0]:,} answers")
        team.close()


def export_answers(cache: ResponseCache, chosen: argparse.Namespace) -> None:
    """The whole cache as a table that `import` reads."""
    print(f"[llm] {write_table(chosen.file, cache.rows(), StoredResponse):,} answers to {chosen.file}")


def import_answers(cache: ResponseCache, chosen: argparse.Namespace) -> None:
    """Add the answers of tables; a failure only with `--replay-failures`, because most would not happen again.

    A cut answer is used only where its purpose takes one, as in the build that it comes from.
    """
    for file in chosen.files:
        if chosen.if_present and not file.exists():
            continue
        responses = read_table(file, StoredResponse)
        found = len(responses)
        if not chosen.replay_failures:
            responses = [one for one in responses if not failure_of(one, allow_truncated=True)]
        new = cache.store(responses, replay=chosen.replay_failures)
        left_out = f", {found - len(responses):,} failures left out" if found > len(responses) else ""
        print(f"[llm] {len(responses):,} answers from {file}, {new:,} of them new{left_out}")


def collect_garbage(cache: ResponseCache, chosen: argparse.Namespace) -> None:
    """Failures are tried again afterwards."""
    older_than = None if chosen.days is None else time.time() - chosen.days * 86400
    before = _megabytes(cache)
    removed = cache.remove(older_than=older_than)
    kept, freed = sum(one.answers for one in cache.groups()), max(0.0, before - _megabytes(cache))
    print(f"[llm] {removed:,} answers removed, {kept:,} kept, {freed:.1f} MB freed")


def _megabytes(cache: ResponseCache) -> float:
    files = [cache.path.with_name(cache.path.name + suffix) for suffix in ("", "-wal")]
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stages.llm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    commands.add_parser("stats").set_defaults(run=show_stats)
    export = commands.add_parser("export")
    export.add_argument("file", type=Path)
    export.set_defaults(run=export_answers)
    bring = commands.add_parser("import")
    bring.add_argument("files", type=Path, nargs="+")
    bring.add_argument("--if-present", action="store_true", help="pass over files that do not exist")
    bring.add_argument("--replay-failures", action="store_true", help="import failures too: the build meets them again")
    bring.set_defaults(run=import_answers)
    collect = commands.add_parser("gc")
    collect.add_argument("--days", type=float, help="also remove answers stored longer ago than this")
    collect.set_defaults(run=collect_garbage)
    add_batch_commands(commands)
    return parser


if __name__ == "__main__":
    main()
