"""Make `previous` the champion again; the champion that was becomes `previous`, so that a second call undoes the first."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.errors import InputError
from stages.register.aliases import CHAMPION, PREVIOUS, move_champion
from stages.register.history import append, mark, now
from stages.register.store import open_store
from stages.register.tracking import resolve


def main(arguments: Sequence[str]) -> str:
    """Entry of the command: the text to print."""
    parser = argparse.ArgumentParser(prog="python -m stages.register rollback", description=__doc__)
    parser.add_argument("--reason", default="", help="recorded in the promotion log")
    return rollback(Path.cwd(), parser.parse_args(arguments).reason)


def rollback(root: Path, reason: str = "") -> str:
    """Swap `champion` and `previous`. Raises InputError if there is none of them."""
    store = open_store(root)
    champion, former = (resolve(store.client, store.params.model, alias) for alias in (CHAMPION, PREVIOUS))
    if champion["version"] == former["version"]:
        raise InputError(
            f"`{CHAMPION}` and `{PREVIOUS}` are both version {champion['version']}: a promotion was interrupted.",
            remedy="`python -m stages.register promote --version N` with the version that should be champion.",
        )
    move_champion(store.client, store.params.model, champion["version"], former["version"])
    time = now()
    mark(store, former, "champion", time)
    mark(store, champion, "rolled back", time, reason)
    append(store, "rollback", former, champion, time, reason, ())
    return (
        f"[register] version {former['version']} ({former['variant']} of {former['commit'][:10]}) is `{CHAMPION}` again, "
        f"version {champion['version']} is `{PREVIOUS}`; commit {store.log.relative_to(root)}"
    )
