"""One command, two readers: DVC runs the stage, people name what they want."""

import subprocess
import sys
from pathlib import Path

import pytest

from stages.formats.__main__ import COMMANDS

ROOT = Path(__file__).parents[2]


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stages.formats", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_help_names_every_command() -> None:
    said = " ".join(start("--help").stdout.split())
    assert all(command in said for command in COMMANDS) and "--params" in said


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_known_to_the_terminal(command: str) -> None:
    done = start(command, "--help")
    assert done.returncode == 0 and f"stages.formats {command}" in done.stdout


def test_a_mistyped_command_is_no_build() -> None:
    done = start("lits")
    assert done.returncode == 2 and "lits" in done.stderr and "Traceback" not in done.stderr
