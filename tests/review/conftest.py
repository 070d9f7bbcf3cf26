"""A small build in the working directory, its library in a git checkout, and the fake teacher behind a real server."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from stages.review.bench import Bench
from tests.fake_openai import FakeOpenAI
from tests.fake_teacher import behaviour
from tests.review.sample import write_build, write_library, write_params

OpenBench = Callable[[], AbstractAsyncContextManager[Bench]]


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    """A teacher and judge that answer at once."""
    with FakeOpenAI(behaviour=behaviour) as running:
        yield running


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


def git(folder: Path, *arguments: str) -> str:
    """What git says."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout
