"""Endpoints that refuse, overflow, stay silent or die: their limits, rests and retries, against real servers."""

import asyncio
import time
from pathlib import Path

import pytest

from stages.errors import LLMError
from stages.llm.client import CallFailed, Client, Reply, open_client
from stages.llm.params import LLMParams, Role
from stages.llm.refusals import LONGEST_DELAY, seconds_of
from stages.runtime import Budget, Endpoint, Endpoints, Price, RuntimeParams
from tests.fake_openai import FakeOpenAI, Fault
from tests.llm.conftest import OpenClient
from tests.llm.test_client import answer, ask, chat_all


def client_of(*servers: FakeOpenAI, slots: int = 16, **runtime: object) -> Client:
    """A client whose endpoints take `slots` calls each."""
    role = Role(provider="openai", model="fake", repetition_penalty=1.0)
    endpoints = [Endpoint(base_url=server.base_url, max_concurrency=slots) for server in servers]
    settings = {"timeout": 5.0, "endpoints": Endpoints(teacher=endpoints)} | runtime
    return open_client("enrich", LLMParams(teacher=role), RuntimeParams(**settings), Path("models/base"))


def texts_of(replies: list[Reply | CallFailed]) -> list[str]:
    return [reply.text if isinstance(reply, Reply) else reply.reason for reply in replies]


def test_a_single_refusal_delays_only_its_own_call() -> None:
    with FakeOpenAI(latency=0.02, faults=[Fault("429", pattern="^7$", times=1, retry_after="3")]) as server:
        client, done = client_of(server, slots=8), {}

        async def run() -> None:
            async with client:

                async def one(number: int) -> None:
                    await client.chat(ask(number))
                    done[number] = time.monotonic() - started

                started = time.monotonic()
                await asyncio.gather(*[one(number) for number in range(40)])

        asyncio.run(run())
    refused = done.pop(7)
    assert refused >= 3 and max(done.values()) < refused - 1  # had all waited, they would have come after it


def test_a_row_that_rests_leaves_its_place_to_another() -> None:
    with FakeOpenAI(latency=0.01, faults=[Fault("429", pattern="^[0-3]$", times=1, retry_after="2")]) as server:
        started = time.monotonic()
        replies = chat_all(client_of(server), list(range(40)), concurrency=4)
        assert time.monotonic() - started < 7  # one rest (and the imports of a first call), not four one after the other
        assert server.by_text and list(server.by_text)[:4] != ["0", "1", "2", "3"]
    assert texts_of(replies) == [answer(number) for number in range(40)]


def test_a_server_with_less_room_than_was_said_loses_no_row_and_few_calls() -> None:
    with FakeOpenAI(latency=0.05, capacity=24) as server:
        client = client_of(server, slots=32)
        replies = chat_all(client, list(range(800)), concurrency=40)
        assert texts_of(replies) == [answer(number) for number in range(800)]
        assert (
            client.ledger.timings()["refusals"] == server.calls - 800 < 0.12 * 800
        )  # 16 or so; more where a busy machine lets a probe pass
        assert max(server.by_text.values()) == 1  # none asked for again after it was answered


def test_an_overloaded_server_is_left_alone_for_the_time_it_names() -> None:
    with FakeOpenAI(faults=[Fault("status", pattern="^0$", times=1, status=503, retry_after="1")]) as server:
        client, times = client_of(server, slots=4), []

        async def run() -> None:
            async with client:
                first = asyncio.create_task(client.chat(ask(0)))
                await asyncio.sleep(0.3)
                started = time.monotonic()
                await asyncio.gather(*[client.chat(ask(number)) for number in range(1, 6)])
                times.append(time.monotonic() - started)
                await first

        asyncio.run(run())
    assert 0.6 < times[0] < 3


def test_a_dead_endpoint_draws_no_calls_away_from_those_that_work() -> None:
    with FakeOpenAI() as dead:
        pass
    with FakeOpenAI(latency=0.01) as one, FakeOpenAI(latency=0.01) as two:
        client = client_of(dead, one, two, slots=4)
        replies = chat_all(client, list(range(200)), concurrency=12)
        assert texts_of(replies) == [answer(number) for number in range(200)]
        assert client.ledger.timings()["retries"] < 60 and one.answered > 50 and two.answered > 50


def test_each_endpoint_keeps_its_own_limit() -> None:
    with FakeOpenAI(latency=0.02) as one, FakeOpenAI(latency=0.02) as two:
        client = client_of(one, slots=2)
        client.runtime = RuntimeParams(
            endpoints=Endpoints(
                teacher=[
                    Endpoint(base_url=one.base_url, max_concurrency=2),
                    Endpoint(base_url=two.base_url, max_concurrency=7),
                ]
            )
        )
        chat_all(client, list(range(90)), concurrency=30)
        assert (one.most_in_flight, two.most_in_flight) == (2, 7)


def test_a_cancelled_run_ends_at_once_and_keeps_what_it_has() -> None:
    with FakeOpenAI(faults=[Fault("silence", pattern="slow")]) as server:

        async def run(client: Client) -> None:
            async with client:
                await client.chat(ask("fast"))
                await asyncio.gather(*[client.chat(ask(f"slow {number}")) for number in range(30)])

        async def cancel() -> float:
            task = asyncio.create_task(run(client_of(server, slots=4, timeout=60.0)))
            await asyncio.sleep(0.5)
            started = time.monotonic()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return time.monotonic() - started

        assert asyncio.run(cancel()) < 10  # and not the minute that the server may take
        calls = server.calls
        assert chat_all(client_of(server), ["fast"])[0].cached and server.calls == calls


def test_a_place_given_to_a_call_that_was_cancelled_goes_to_the_next() -> None:
    with FakeOpenAI(latency=0.05) as server:

        async def run() -> str:
            async with client_of(server, slots=1) as client:
                tasks = [asyncio.create_task(client.chat(ask(number))) for number in range(6)]
                await asyncio.sleep(0.02)
                for asked in list(client._asked.values())[1:5]:
                    asked.cancel()
                return (await tasks[5]).text

        assert asyncio.run(run()) == answer(5)


def test_money_cannot_be_limited_where_no_price_is_known() -> None:
    with FakeOpenAI() as server:
        with pytest.raises(LLMError, match=r"(?s)price of fake is not known.*runtime.prices"):
            chat_all(client_of(server, budget=Budget(usd=1.0)), ["a"])
        assert server.calls == 0
        assert chat_all(client_of(server, budget=Budget(usd=1.0), prices={"fake": Price()}), ["a"])[0].text == answer("a")


def test_a_password_in_an_address_is_used_and_never_told(capfd: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI(key="x") as server:
        role = Role(provider="openai", model="fake")
        address = server.base_url.replace("http://", "http://user:long-hidden-password@")
        runtime = RuntimeParams(endpoints=Endpoints(teacher=[Endpoint(base_url=address)]))
        with pytest.raises(LLMError, match="API key provided: Basic dXNlcjpsb25n") as refused:
            chat_all(open_client("enrich", LLMParams(teacher=role), runtime, Path("models/base")), ["a"])
    assert "hidden" not in str(refused.value) + "".join(capfd.readouterr())


@pytest.mark.parametrize("status", [301, 302, 307])
def test_no_redirect_is_followed(served: OpenClient, status: int) -> None:
    with FakeOpenAI(faults=[Fault("status", status=status)]) as server:
        assert chat_all(served(server), ["a"])[0].reason == "bad-request"
        assert server.calls == 1


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0.5", 0.5),
        ("-3", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", LONGEST_DELAY),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
    ],
)
def test_a_delay_is_a_number_or_a_date_and_never_endless(said: str, seconds: float | None) -> None:
    assert seconds_of(said, now=lambda: 60.0) == seconds
