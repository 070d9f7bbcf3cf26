"""A small build in the working directory, its library in a git checkout, and the fake teacher behind a real server."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from stages.review.bench import Bench
from stages.review.schema import Run, Version
from stages.review.terminal import main
from tests.fake_openai import FakeOpenAI
from tests.fake_teacher import behaviour
from tests.review.sample import write_build, write_library, write_params

ROOT = Path(__file__).parents[2]
OpenBench = Callable[[], AbstractAsyncContextManager[Bench]]
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    """A teacher and judge that answer at once."""
    with FakeOpenAI(behaviour=behaviour) as running:
        yield running


@pytest.fixture
def owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the hostile row's shell command makes wherever a shell reads it: it must never be there."""
    monkeypatch.setenv("OWNED", str(tmp_path / "owned"))
    return tmp_path / "owned"


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The build without a params file: for what asks no model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    write_build(tmp_path)
    write_library(tmp_path / "library")
    return tmp_path


@pytest.fixture
def served(build: Path, server: FakeOpenAI) -> Path:
    """The build with the server as teacher and judge."""
    write_params(build, server.base_url)
    return build


@pytest.fixture
def open_bench(build: Path) -> OpenBench:
    """`async with open_bench() as bench`, as often as there are experts."""
    return lambda: Bench(library=build / "library", readings=build / "readings")


@pytest.fixture
def checkout(build: Path) -> Path:
    """The build with its library committed."""
    git(build, "init", "-q")
    git(build, "add", "library")
    git(build, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "library")
    return build


@pytest.fixture
def say(checkout: Path, served: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """`say("list", "--json")`: exit code, what was printed, what was said beside it."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments, library=checkout / "library", readings=checkout / "readings")
        said = capsys.readouterr()
        assert "\x1b" not in said.out and "\u202e" not in said.out, "a control character reached the terminal"
        return code, said.out, said.err

    return run


def git(folder: Path, *arguments: str) -> str:
    """What git says."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def used(open_bench: OpenBench, work: Callable[[Bench], Awaitable[None]]) -> None:
    """Do `work` with a bench that is open."""

    async def inside() -> None:
        async with open_bench() as bench:
            await work(bench)

    asyncio.run(inside())


async def tried(bench: Bench, version: Version, rows: int = 4, author: str = "Ada") -> Run:
    """The first `rows` rows of the task, tried to the end."""
    run = bench.start_run(version.id, [row.id for row in bench.sample(version.task, rows)], author)
    assert run.state == "running" and run.total == rows
    return await bench.wait(run.id)


def environment() -> dict[str, str]:
    """Of another process that imports the project from wherever it runs."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}
