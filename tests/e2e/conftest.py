"""One toy repository, built once by a real `dvc repro`, is shared by the tests that only read it."""

from collections.abc import Iterator

import pytest

from tests.e2e.toy_repository import ToyRepository, start_server
from tests.fake_openai import FakeOpenAI


@pytest.fixture(scope="session")
def server() -> Iterator[FakeOpenAI]:
    with start_server() as running:
        yield running


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, server: FakeOpenAI) -> ToyRepository:
    repository = ToyRepository(tmp_path_factory.mktemp("toy") / "repository", server.base_url)
    repository.dvc("repro")
    repository.commit("built")
    return repository
