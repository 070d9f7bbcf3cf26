"""Register the committed build in MLflow: one run per commit, one model version per variant, alias `candidate`."""

import argparse
import sys
from pathlib import Path

from stages.errors import SecForgeError
from stages.register.command import register_build, resolve_alias
from stages.state import stage_lock


def main() -> None:
    """Entry of `python -m stages.register`: run it after `git commit`."""
    parser = argparse.ArgumentParser(prog="python -m stages.register", description=__doc__)
    parser.add_argument("--resolve", metavar="ALIAS", help="print commit, DVC path and folder of a registered alias")
    alias = parser.parse_args().resolve
    try:
        with stage_lock("register"):
            print(resolve_alias(Path.cwd(), alias) if alias else register_build(Path.cwd()))
    except SecForgeError as error:
        sys.exit(f"[register] {error}")


if __name__ == "__main__":
    main()
