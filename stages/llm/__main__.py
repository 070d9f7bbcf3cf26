"""The response cache: what is in it, taking it along, bringing it back, tidying it.

stats          answers, tokens and size by purpose
export FILE    all answers as one Parquet table
import FILE... answers of a build (data/*/responses.parquet), so that they are not asked for again. What failed is left
               out and tried again, unless --replay-failures asks for the very same build, without any server
gc             remove failures, and with --days N answers older than that
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from stages.errors import SecForgeError
from stages.llm.cache import ResponseCache, cache_path
from stages.llm.failures import failure_of
from stages.llm.schema import StoredResponse
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
    """One line per purpose and model."""
    counts: Counter[tuple[str, str]] = Counter()
    tokens: Counter[tuple[str, str]] = Counter()
    for one in cache.rows():
        counts[one.namespace, one.model] += 1
        tokens[one.namespace, one.model] += one.prompt_tokens + one.completion_tokens
    print(f"{cache.path}: {sum(counts.values()):,} answers, {cache.path.stat().st_size / 1e6:.1f} MB")
    for (namespace, model), count in sorted(counts.items()):
        print(f"  {namespace:30} {model:30} {count:9,} answers {tokens[namespace, model]:12,} tokens")


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
        if not chosen.replay_failures:
            responses = [one for one in responses if not failure_of(one, allow_truncated=True)]
        cache.store(responses, replay=chosen.replay_failures)
        print(f"[llm] {len(responses):,} answers from {file}")


def collect_garbage(cache: ResponseCache, chosen: argparse.Namespace) -> None:
    """Failures are tried again afterwards."""
    older_than = None if chosen.days is None else time.time() - chosen.days * 86400
    print(f"[llm] {cache.remove(older_than=older_than):,} answers removed")


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
    return parser


if __name__ == "__main__":
    main()
