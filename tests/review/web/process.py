"""The page as a person starts it: a process of its own, in a checkout of its own with the sample build."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.review.web.server import write_repository

ROOT = Path(__file__).parents[3]
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]+)")
COMMAND = [sys.executable, "-m", "stages.review", "--no-browser"]


class Process:
    """`python -m stages.review` in `folder`, from start to kill."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self.arguments = folder, arguments

    def __enter__(self) -> "Process":
        self.log = self.folder / f"server-{time.monotonic_ns()}.log"
        with self.log.open("w") as output:
            self.running = subprocess.Popen(
                [*COMMAND, *self.arguments], cwd=self.folder, stdout=output, stderr=output, env=environment()
            )
        until = time.monotonic() + 30
        while not (found := ADDRESS.search(self.log.read_text())):
            if self.running.poll() is not None or time.monotonic() > until:
                raise RuntimeError(self.log.read_text())
            time.sleep(0.05)
        self.address, self.base, self.token = found[0], f"http://127.0.0.1:{found[1]}", found[2]
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGTERM)

    def stop(self, how: signal.Signals) -> str:
        """End it by a signal; what it printed."""
        if self.running.poll() is None:
            self.running.send_signal(how)
        self.running.wait(20)
        return self.log.read_text()


def environment() -> dict[str, str]:
    """Nobody's git settings, and no cache of compiled files beside the copied code."""
    return os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1"}


def write_checkout(folder: Path, base_url: str) -> None:
    """The code, and the sample build with its library, as a git repository."""
    shutil.copytree(ROOT / "stages", folder / "stages", ignore=shutil.ignore_patterns("__pycache__", "*.yaml.lock", "readings"))
    for file in (folder / "stages/formats/library").glob("*.yaml"):
        file.unlink()
    write_repository(folder, base_url, "stages/formats/library")
