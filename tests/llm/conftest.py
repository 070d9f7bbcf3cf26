"""A client in an empty repository, against the fake server or a tiny model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stages.llm.client import Client, open_client
from stages.llm.params import LLMParams, Role
from stages.runtime import Endpoint, Endpoints, RuntimeParams
from tests.fake_openai import FakeOpenAI
from tests.tiny_model import make_tiny_model


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of every test; the response cache lies in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random llama model with a tokenizer."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


OpenClient = Callable[..., Client]


@pytest.fixture
def served() -> OpenClient:
    """`served(server, retries=2, ...)`: a client whose teacher and judge are behind the fake server."""

    def open_served(
        *servers: FakeOpenAI, model: str = "fake", temperature: float = 0.2, key: str = "", **runtime: object
    ) -> Client:
        role = Role(provider="openai", model=model, temperature=temperature, repetition_penalty=1.0)
        endpoints = [Endpoint(base_url=server.base_url, api_key_env=key) for server in servers]
        settings = {"timeout": 2.0, "retries": 2, "endpoints": Endpoints(teacher=endpoints, judge=endpoints)} | runtime
        return open_client("enrich", LLMParams(teacher=role, judge=role), RuntimeParams(**settings), Path("models/base"))

    return open_served
