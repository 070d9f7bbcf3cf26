"""What the choice of an engine needs: Ray where it was asked for, and a server that several processes can ask."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from stages.engine.cluster import secret_names
from stages.engine.engine import open_engine
from stages.engine.messages import ANSWERS, Done, Stop, stop_of, unwrap
from stages.engine.ray_engine import BLOCK, RayEngine
from stages.engine.worker import Orders
from stages.errors import LLMError, ParamsError
from stages.llm.client import Reply
from stages.llm.failures import CallFailed
from stages.llm.params import LLMParams, Role
from stages.llm.spool import Codec, Spool
from stages.llm.watch import Figures, log_path, read_log
from stages.runtime import Endpoint, Endpoints, RuntimeParams

SERVED = LLMParams(teacher=Role(provider="openai", model="m"), judge=Role(provider="openai", model="m"))


class Row(msgspec.Struct, frozen=True):
    number: int


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


class FakeClient:
    """As RayClient: its figures are those of the last look."""

    stage = "test"

    looked = False

    def figures(self) -> Figures:
        return Figures(calls=100 * self.looked, hits=0, tokens=0, usd=None, in_flight=0)

    async def look(self) -> None:
        self.looked = True


def mapped(client: FakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, lost: int = 0, fails: str = "") -> None:
    """Four rows under a RayEngine, of which `lost` have no outcome."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stages.engine.ray_engine.POLL", 0.01)
    codec = Codec(Row)

    async def outcomes(*_: object) -> AsyncIterator[Done]:
        for row in range(4 - lost):
            await asyncio.sleep(0.03)
            yield Done(row, codec.encode(Row(row)), False, [])

    async def go() -> None:
        engine = RayEngine(None, None, client, RuntimeParams())  # type: ignore[arg-type]
        monkeypatch.setattr(engine, "_outcomes", outcomes)
        spool = Spool(tmp_path / "rows.spool", codec, 4)
        with pytest.raises(LLMError, match=fails) if fails else nullcontext():
            await engine.map_rows(list(map(Row, range(4))), None, spool, label="test")  # type: ignore[arg-type]
            assert list(spool) == list(map(Row, range(4)))

    asyncio.run(go())


def test_calls_made_before_the_rows_are_not_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped(FakeClient(), tmp_path, monkeypatch)
    assert list(read_log(log_path("test")))[-1]["calls"] == 0


def test_a_row_without_an_outcome_ends_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped(FakeClient(), tmp_path, monkeypatch, lost=2, fails="(?s)2 of 4 rows came back from no process.*again")


def test_rows_go_to_the_store_block_by_block() -> None:
    told: list[str] = []

    class Items(Codec[Row]):
        def encode(self, value: Row | CallFailed) -> bytes:
            told.append("row")
            return super().encode(value)

    context = SimpleNamespace(enable_progress_bars=True)
    dataset = SimpleNamespace(map_batches=lambda *_, **__: sum(stored))
    data = SimpleNamespace(
        DataContext=SimpleNamespace(get_current=lambda: context), ActorPoolStrategy=dict, from_arrow_refs=lambda refs: dataset
    )
    stored: list[int] = []

    def put(table: object) -> int:
        told.append("block")
        stored.append(table.num_rows)  # type: ignore[attr-defined]
        return len(stored)

    pytest.importorskip("pyarrow")
    engine = RayEngine(SimpleNamespace(data=data, put=put), None, FakeClient(), RuntimeParams())  # type: ignore[arg-type]
    orders = Orders(None, SERVED, None, Codec(Row), Codec(Row), 4, "")
    assert engine._dataset(list(map(Row, range(2 * BLOCK + 3))), Items(Row), orders, 1) == 2 * BLOCK + 3
    assert stored == [BLOCK, BLOCK, 3] and told[: BLOCK + 1] == ["row"] * BLOCK + ["block"]
