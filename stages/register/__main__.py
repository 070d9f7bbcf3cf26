"""Register the committed build in MLflow: one run per commit, one model version per variant, alias `candidate`.

`python -m stages.register COMMAND --help`, of which COMMAND is
card: the model card of the committed build;
promote: make a version the champion if every gate lets it;
resolve: commit, DVC path and local folder of an alias;
rollback: make the former champion champion again;
serve: an OpenAI-compatible server for an alias on loopback.
"""

import argparse
import importlib
import sys
from pathlib import Path

from stages.errors import SecForgeError
from stages.state import stage_lock

COMMANDS = ("card", "promote", "resolve", "rollback", "serve")  # modules of this package
CHANGING = ("promote", "rollback")  # one at a time on this machine, and not while a build is registered


def main(arguments: list[str]) -> str:
    """Entry of `python -m stages.register`: the text to print. Run it without a command after `git commit`."""
    if arguments[:1] and arguments[0] in COMMANDS:
        command = importlib.import_module(f"stages.register.{arguments[0]}")
        if arguments[0] not in CHANGING:
            return command.main(arguments[1:])
        with stage_lock("register"):
            return command.main(arguments[1:])
    argparse.ArgumentParser(
        prog="python -m stages.register", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(arguments)
    from stages.register.command import register_build

    with stage_lock("register"):
        return register_build(Path.cwd())


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except SecForgeError as error:
        sys.exit(f"[register] {error}")
