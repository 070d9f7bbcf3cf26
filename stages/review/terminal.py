"""The review on the terminal: `python -m stages.formats list | show | lint | draft | try | compare | approve | reject | diff | read`.

The same bench as the page: versions, runs and decisions made here are seen there.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str], *, library: Path | None = None, readings: Path | None = None) -> int:
    """Run one command and return the exit code: 0, or 1 after a message. `library` and `readings` stand in for git's folders."""
    chosen = build_parser().parse_args(argv)
    from stages.errors import SecForgeError
    from stages.review.commands import run_command
    from stages.review.printing import tell

    try:
        return run_command(chosen, library=library, readings=readings)
    except SecForgeError as error:
        tell(f"[formats] {error}", file=sys.stderr)
    except KeyboardInterrupt:
        tell("[formats] stopped; finished rows are kept, `try --continue RUN` goes on.", file=sys.stderr)
    except BrokenPipeError:
        sys.stderr.close()
    return 1


def build_parser() -> argparse.ArgumentParser:
    """All commands; nothing heavy is imported for `--help`."""
    parser = argparse.ArgumentParser(prog="python -m stages.formats", description="Try, edit and approve reasoning formats.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _reading_commands(commands)
    _trying_commands(commands)
    _deciding_commands(commands)
    return parser


def _reading_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    listed = _command(commands, "list", "all tasks with status, rows and figures of their last run")
    listed.add_argument("--family", default="", help="only the tasks of this family")
    _json(listed)
    show = _command(commands, "show", "the text of a format, or all that is known of a task")
    show.add_argument("task", metavar="TASK")
    show.add_argument("--version", default="", metavar="ID", help="another version than the library's")
    show.add_argument("--all", action="store_true", help="versions, runs and decisions instead of the text")
    _json(show)
    lint = _command(commands, "lint", "what is to be mended in formats; exit code 1 if there is anything")
    lint.add_argument("tasks", nargs="*", metavar="TASK", help="none: every file of the library")
    lint.add_argument("--file", type=Path, help="a file that is not in the library, of the one TASK named")
    _json(lint)
    diff = _command(commands, "diff", "what git sees of a task's file, or how two versions differ")
    diff.add_argument("task", metavar="TASK")
    diff.add_argument("versions", nargs="*", metavar="VERSION", help="two ids")


def _trying_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    draft = _command(commands, "draft", "let the teacher draft a format and print it")
    draft.add_argument("task", metavar="TASK")
    draft.add_argument("--examples", type=int, metavar="N", help="instructions that it sees, 0-10 (default: as in params.yaml)")
    draft.add_argument("--evidence", type=int, metavar="N", help="passages that it sees (default: as in params.yaml)")
    draft.add_argument("--write", action="store_true", help="also write it to the library as a draft, or to --out")
    draft.add_argument("--out", type=Path, metavar="FILE", help="with --write: this file instead of the library")
    _name(draft, "--author")
    _json(draft)
    tried = _command(commands, "try", "ground, rewrite, check and judge real rows with a format")
    tried.add_argument("task", metavar="TASK")
    rows = tried.add_mutually_exclusive_group()
    rows.add_argument("--rows", type=int, default=3, metavar="N", help="how many, by content hash (default: %(default)s)")
    rows.add_argument("--row", action="append", metavar="ID", help="this row; may be given several times")
    rows.add_argument("--continue", dest="run", metavar="RUN", help="go on with an interrupted or failed run of this task")
    tried.add_argument("--seed", type=int, default=0, help="another number draws other rows (default: %(default)s)")
    _version(tried)
    _name(tried, "--author")
    _json(tried)
    compare = _command(commands, "compare", "two versions on the rows that were tried with both")
    compare.add_argument("task", metavar="TASK")
    compare.add_argument("versions", nargs=2, metavar="VERSION")
    _json(compare)


def _deciding_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    approve = _command(commands, "approve", "write a format to the library as approved and show what git sees; commits nothing")
    approve.add_argument("task", metavar="TASK")
    _version(approve)
    approve.add_argument("--reviewer", required=True, metavar="NAME")
    approve.add_argument("--note", default="")
    reject = _command(commands, "reject", "record that a version must not be used")
    reject.add_argument("task", metavar="TASK")
    reject.add_argument("--version", required=True, metavar="ID")
    reject.add_argument("--reviewer", required=True, metavar="NAME")
    reject.add_argument("--note", default="")
    read = _command(commands, "read", "read rewrites blindly as a first or second reader")
    read.add_argument("--reader", required=True, metavar="NAME")
    read.add_argument("--run", default="", metavar="RUN", help="with --row and --verdict: record one reading and end")
    read.add_argument("--row", default="", metavar="ID")
    read.add_argument("--verdict", default="", choices=["accept", "reject"])
    read.add_argument("--note", default="")
    _json(read)


def _command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for a script")


def _version(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", default="", metavar="ID", help="a version (default: the library's text)")
    which.add_argument("--file", type=Path, metavar="PATH", help="a file of yours; it is kept as a version")


def _name(parser: argparse.ArgumentParser, option: str) -> None:
    parser.add_argument(option, default="", metavar="NAME", help="who you are (default: git's user.name)")
