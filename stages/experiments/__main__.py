"""Experiments: every arm is a real `dvc exp run`, the results are a table of figures with intervals."""

import argparse
import signal
import sys
from pathlib import Path

from stages.errors import SecForgeError
from stages.experiments.command import list_experiments, run_experiment, show_table


def main() -> None:
    """Entry of `python -m stages.experiments`."""
    parser = argparse.ArgumentParser(prog="python -m stages.experiments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="experiments and their questions")
    run = commands.add_parser("run", help="run every arm that is not done, then write the table")
    run.add_argument("name")
    run.add_argument("--jobs", type=_count, default=1, help="arms at a time (default: %(default)s; each loads its own model)")
    run.add_argument("--now", action="store_true", help="without the queue: `dvc exp run --temp`, arm by arm")
    commands.add_parser("table", help="write the table out of what is done").add_argument("name")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` stops an arm as Ctrl-C does
    try:
        print(_answer(arguments, Path()))
    except SecForgeError as error:
        sys.exit(f"[experiments] {error}")
    except KeyboardInterrupt:
        sys.exit("[experiments] stopped; arms in the queue go on, arms that are done stay done. Run the same command to go on.")


def _answer(arguments: argparse.Namespace, root: Path) -> str:
    if arguments.command == "list":
        return list_experiments(root)
    if arguments.command == "table":
        return show_table(arguments.name, root)
    return run_experiment(arguments.name, root, arguments.jobs, arguments.now, _say)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of arms; allowed: 1 or more")
    return int(text)


def _say(line: str) -> None:
    print(f"[experiments] {line}", flush=True)


if __name__ == "__main__":
    main()
