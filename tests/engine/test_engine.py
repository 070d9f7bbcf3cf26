"""What the choice of an engine needs: Ray where it was asked for, and a server that several processes can ask."""

import asyncio
import sys
from pathlib import Path

import pytest

from stages.engine.cluster import secret_names
from stages.engine.engine import open_engine
from stages.engine.messages import ANSWERS, Stop, stop_of, unwrap
from stages.errors import LLMError, ParamsError
from stages.llm.client import Reply
from stages.llm.failures import CallFailed
from stages.llm.params import LLMParams, Role
from stages.runtime import Endpoint, Endpoints, RuntimeParams

SERVED = LLMParams(teacher=Role(provider="openai", model="m"), judge=Role(provider="openai", model="m"))


def opened(llm: LLMParams, runtime: RuntimeParams) -> None:
    async def go() -> None:
        async with open_engine("ground", llm, runtime, Path("models/base")):
            raise AssertionError("it opened")

    asyncio.run(go())


def test_without_ray_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ParamsError, match=r"(?s)Ray cannot be imported.*\.\[ray\].*local"):
        opened(SERVED, RuntimeParams(engine="ray"))


@pytest.mark.parametrize("role", ["teacher", "judge"])
def test_the_embedded_model_is_refused_in_words(role: str) -> None:
    llm = LLMParams(**{"teacher": SERVED.teacher, "judge": SERVED.judge, role: Role()})
    with pytest.raises(ParamsError, match="(?s)nothing to spread.*local"):
        opened(llm, RuntimeParams(engine="ray"))


def test_every_variable_that_holds_a_key_is_known() -> None:
    endpoint = Endpoint(base_url="https://models.example.org/v1", api_key_env="A_KEY")
    other = Endpoint(base_url="https://judge.example.org/v1", api_key_env="B_KEY")
    open_one = Endpoint(base_url="http://127.0.0.1:1/v1")
    runtime = RuntimeParams(endpoints=Endpoints(teacher=[endpoint, open_one], judge=[other, endpoint]))
    assert secret_names(runtime) == ["A_KEY", "B_KEY"]


def test_what_processes_say_to_each_other_arrives_as_it_was() -> None:
    reply = Reply("text", "stop", "ab", False, 3, 4)
    assert unwrap(ANSWERS.decode(ANSWERS.encode(reply))) == reply
    with pytest.raises(CallFailed, match="timeout: slow"):
        unwrap(ANSWERS.decode(ANSWERS.encode(CallFailed("timeout", "slow"))))
    error = LLMError("the budget is spent.", allowed="10", remedy="raise it.")
    with pytest.raises(LLMError) as raised:
        unwrap(ANSWERS.decode(ANSWERS.encode(stop_of(error))))
    assert str(raised.value) == str(error)
    assert isinstance(stop_of(error), Stop)
