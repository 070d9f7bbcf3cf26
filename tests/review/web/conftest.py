"""One server for the tests of a module: starting costs more than asking."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_openai import FakeOpenAI
from tests.fake_teacher import behaviour
from tests.review.web.server import PageServer, write_repository


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """The page over the sample build, with a model server behind it."""
    folder, before = tmp_path_factory.mktemp("review"), Path.cwd()
    with FakeOpenAI(behaviour=behaviour) as model:
        write_repository(folder, model.base_url)
        os.chdir(folder)
        try:
            with PageServer(folder) as running:
                yield running
        finally:
            os.chdir(before)
