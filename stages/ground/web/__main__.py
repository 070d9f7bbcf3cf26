"""The store of web snapshots: what is in it, and bringing back what a build used.

stats          searches and pages by outcome, and their size
import FILE... snapshots of a build (data/ground/pages.parquet), so that a rebuild reads them and asks nobody
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from stages.errors import InputError, SecForgeError
from stages.ground.web.schema import Snapshot, flaw_of
from stages.ground.web.store import SnapshotStore, store_path
from stages.tables import read_rows

TOGETHER = 200  # snapshots of one transaction
KINDS = {"search": "searches", "page": "pages"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a SecForgeError is one message and exit 1."""
    chosen = _parser().parse_args(arguments)
    try:
        store = SnapshotStore(store_path())
        try:
            chosen.run(store, chosen)
        finally:
            store.close()
    except SecForgeError as error:
        sys.exit(f"[ground.web] {error}")


def show_stats(store: SnapshotStore, _: argparse.Namespace) -> None:
    """One line per kind and outcome."""
    groups = store.groups()
    for kind, reason, count, size in groups:
        print(f"[ground.web] {KINDS[kind]}: {count:,} {reason or 'kept'}, {size / 1e6:.1f} MB")
    if not groups:
        print("[ground.web] no snapshots are stored")


def import_snapshots(store: SnapshotStore, chosen: argparse.Namespace) -> None:
    """Failures come along: offline they are met again, online those that may pass are tried again."""
    for file in chosen.files:
        if chosen.if_present and not file.exists():
            continue
        found = new = 0
        snapshots = read_rows(file, Snapshot)
        while some := list(itertools.islice(snapshots, TOGETHER)):
            for one in some:
                require_whole(one, file)
            found, new = found + len(some), new + store.store(some)
        if found or not chosen.if_present:
            print(f"[ground.web] {found:,} snapshots from {file}, {new:,} of them new")


def require_whole(one: Snapshot, file: Path) -> None:
    """Raises InputError for a snapshot that was changed after it was taken."""
    flaw = flaw_of(one)
    if flaw:
        raise InputError(
            f"{file}, snapshot {one.key!r} is damaged: {flaw}.", remedy="Fetch the file again (`dvc pull`), or delete it."
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stages.ground.web", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    commands.add_parser("stats").set_defaults(run=show_stats)
    bring = commands.add_parser("import")
    bring.add_argument("files", type=Path, nargs="+")
    bring.add_argument("--if-present", action="store_true", help="pass over files that do not exist")
    bring.set_defaults(run=import_snapshots)
    return parser


if __name__ == "__main__":
    main()
