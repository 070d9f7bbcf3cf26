"""A clone of the repository in which experiments are queued and run.

`dvc exp run --queue` and `--temp` write the arm's params into the params.yaml of the repository they are called in, detach
its HEAD and take both back; killed in between, they leave both behind. So they are called in a clone under .dvc/tmp: the
user's own files are never touched. The clone shares DVC's cache, and with it every response that was ever paid for, and
finished experiments are fetched back as refs, where `dvc exp show` finds them.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from stages.errors import BusyError, InputError
from stages.state import state_dir

FOLDER = Path(".dvc") / "tmp" / "secforge-experiments"
OWN = "data/own"  # the user's own records: git does not hold them, but a build reads them
IDENTITY = ("user.name", "user.email")
PATIENCE = 60.0  # seconds; queueing an arm takes a few


class Workspace:
    """The clone of the repository at `root`; `folder` is its own."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.folder = self.root / FOLDER / "repository"
        self.own: list[str] = []  # files of the user's that git ignores, copied into every arm
        self._locks: tuple[int, ...] = ()  # held by every command that is started meanwhile, even if this process is killed

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else brings the clone to another commit or queues in it; a killed command is waited for, too."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with (self.folder.parent / "lock").open("a") as file:
            _hold(file.fileno())
            self._locks = (file.fileno(),)
            try:
                yield
            finally:
                self._locks = ()

    def prepare(self, commit: str) -> None:
        """Make the clone, or bring it to `commit`. Whatever a kill left in it is thrown away; queue and experiments stay."""
        if not (self.folder / ".git").is_dir():
            shutil.rmtree(self.folder, ignore_errors=True)
            git(self.root, "clone", "-q", "--shared", "--no-checkout", str(self.root), str(self.folder))
        (self.folder / ".git" / "index.lock").unlink(missing_ok=True)
        git(self.folder, "checkout", "-q", "--force", "--detach", commit)
        for key in IDENTITY:
            value = git(self.root, "config", "--get", key, check=False).strip()
            git(self.folder, "config", key, value or f"{key.partition('.')[2]}@secforge.invalid")
        self._share_cache()
        self._copy_own()

    def dvc(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A dvc command in the clone."""
        return dvc(self.folder, *arguments, check=check, inherited=self._locks)

    def start(self, log: TextIO, *arguments: str) -> subprocess.Popen[str]:
        """A long dvc command in the clone, which writes to `log` and is not stopped by a signal to this process's group."""
        return subprocess.Popen(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=self.folder,
            env=environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            pass_fds=self._locks,
        )

    def fetch(self, experiments: Sequence[str]) -> dict[str, str]:
        """Bring finished experiments into the user's repository: name -> commit."""
        found = refs(self.folder)
        for name in experiments:
            if name in found:
                git(self.root, "fetch", "-q", str(self.folder), f"+{found[name][0]}:{found[name][0]}")
        return {name: found[name][1] for name in experiments if name in found}

    def _share_cache(self) -> None:
        """The cache of the user's repository, and beside it the state folder with every model response."""
        local = self.folder / ".dvc" / "config.local"
        own = self.root / ".dvc" / "config.local"
        if own.exists():
            shutil.copy(own, local)
        self.dvc("cache", "dir", "--local", str(cache_dir(self.root)))

    def _copy_own(self) -> None:
        """Files under data/own that git ignores are part of the user's build, hence of every arm."""
        listed = git(self.root, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", OWN)
        self.own = sorted(name for name in listed.split("\0") if name)
        for name in self.own:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.root / name, self.folder / name)


def cache_dir(root: Path) -> Path:
    """DVC's cache directory: `state_dir` lies beside it."""
    told = dvc(root, "cache", "dir").stdout.strip()
    path = (root / told).resolve()
    if path.parent != state_dir(root).parent:
        raise InputError(
            f"{path} is DVC's cache directory, but the state of stages lies in {state_dir(root)}.",
            remedy="Set cache.dir in .dvc/config.local.",
        )
    return path


def refs(folder: Path) -> dict[str, tuple[str, str]]:
    """Experiments of a repository: name -> ref, commit."""
    lines = git(folder, "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps").splitlines()
    pairs = [line.split(" ", 1) for line in lines]
    return {ref.rpartition("/")[2]: (ref, commit) for commit, ref in pairs if ref.count("/") == 4}


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Output of a git command. Raises InputError with git's own words if it fails."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise InputError(
            f"`git {' '.join(arguments)}` failed: {done.stderr.strip()[-600:]}", remedy="Run from the root of the repository."
        )
    return done.stdout


def dvc(folder: Path, *arguments: str, check: bool = True, inherited: Sequence[int] = ()) -> subprocess.CompletedProcess[str]:
    """A dvc command, run by this very Python. Raises InputError with its last words if it fails.

    Its output goes to files: `queue start` leaves workers behind that would hold a pipe open until the queue is empty.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        where = {"cwd": folder, "env": environment(), "stdout": out, "stderr": err, "pass_fds": inherited}
        code = subprocess.run(command, check=False, **where).returncode
        out.seek(0)
        err.seek(0)
        done = subprocess.CompletedProcess(command, code, out.read(), err.read())
    if check and done.returncode:
        said = (done.stdout + done.stderr).strip()[-1500:]
        raise InputError(f"`dvc {' '.join(arguments)}` failed:\n{said}", remedy="Mend what it names, then run the command again.")
    return done


def _hold(descriptor: int) -> None:
    """Lock an open file, waiting for a while. Raises BusyError if another process keeps it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)
    raise BusyError(
        "another process queues experiments, or runs them with --now.",
        remedy="Wait until it is done, or stop it; then run the same command again.",
    )


def environment() -> dict[str, str]:
    """For dvc and the stages it starts: `python` is this Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"}
