"""Merge a profile into params.yaml, or say what a build would cost before anything is paid."""

import argparse
import sys

from stages.errors import SecForgeError
from stages.profiles.command import apply_and_report, estimate_and_report


def main() -> None:
    """Entry of `python -m stages.profiles`."""
    parser = argparse.ArgumentParser(prog="python -m stages.profiles", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("apply", help="merge a profile into params.yaml").add_argument("profile", nargs="?", default="")
    commands.add_parser("estimate", help="tokens, money, hours, disk").add_argument("profile", nargs="?", default="")
    arguments = parser.parse_args()
    try:
        print({"apply": apply_and_report, "estimate": estimate_and_report}[arguments.command](arguments.profile))
    except SecForgeError as error:
        sys.exit(f"[profiles] {error}")


if __name__ == "__main__":
    main()
