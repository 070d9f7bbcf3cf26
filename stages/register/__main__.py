"""Register the committed build in MLflow: one run per commit, one model version per variant, alias `candidate`.

`python -m stages.register COMMAND --help`, of which COMMAND is
card: the model card of the committed build;
promote: make a version the champion if every gate lets it;
resolve: commit, DVC path and local folder of an alias;
rollback: make the former champion champion again;
serve: an OpenAI-compatible server for an alias on loopback.
"""

import argparse
import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stages.errors import BusyError, SecForgeError
from stages.state import stage_lock

COMMANDS = ("card", "promote", "resolve", "rollback", "serve")  # modules of this package
CHANGING = ("promote", "rollback")  # one at a time on this machine, and not while a build is registered


def main(arguments: list[str]) -> str:
    """Entry of `python -m stages.register`: the text to print. Run it without a command after `git commit`."""
    if arguments[:1] and arguments[0] in COMMANDS:
        command = importlib.import_module(f"stages.register.{arguments[0]}")
        if arguments[0] not in CHANGING:
            return command.main(arguments[1:])
        with _alone():
            return command.main(arguments[1:])
    argparse.ArgumentParser(
        prog="python -m stages.register", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(arguments)
    from stages.register.command import register_build

    with _alone():
        return register_build(Path.cwd())


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of `register`, whose holder may be moving an alias: nobody is told to kill it."""
    with ExitStack() as held:
        try:
            held.enter_context(stage_lock("register"))
        except BusyError:
            raise BusyError(
                "another `python -m stages.register` registers, promotes or rolls back in this workspace.",
                remedy="Wait until it ends, then run the same command again. Do not kill it: it may be moving an alias.",
            ) from None
        yield


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except SecForgeError as error:
        sys.exit(f"[register] {error}")
    finally:
        gc.freeze()  # else Python's end looks through all of MLflow for garbage: a second
