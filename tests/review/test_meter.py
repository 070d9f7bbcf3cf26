"""What a row costs: every request once, by the price of its model, and what of it was really paid."""

import asyncio

import pytest

from stages.llm.client import Reply, Request
from stages.llm.ledger import Ledger
from stages.llm.params import LLMParams, Role
from stages.review.meter import Meter, total
from stages.review.schema import Usage
from stages.review.told import cost
from stages.runtime import Price


class Answering:
    """A client whose answers are in the cache the second time."""

    def __init__(self) -> None:
        self.llm = LLMParams(teacher=Role(model="big"), judge=Role(model="small"))
        self.ledger = Ledger({"big": Price(input=1.0, output=10.0), "small": Price(input=0.1, output=1.0)})
        self.known: set[str] = set()

    async def chat(self, request: Request) -> Reply:
        cached = request.purpose in self.known
        self.known.add(request.purpose)
        return Reply("text", "stop", request.purpose, cached, 1_000_000, 100_000)


def asked(client: Answering, *requests: tuple[str, str]) -> Usage:
    meter = Meter(client)  # type: ignore[arg-type]

    async def ask() -> None:
        for purpose, role in requests:
            await meter.chat(Request(purpose=purpose, messages=[], role=role))  # type: ignore[arg-type]

    asyncio.run(ask())
    return meter.usage()


def test_each_model_has_its_price_and_the_cache_is_free() -> None:
    client = Answering()
    first = asked(client, ("rewrite", "teacher"), ("verdict", "judge"))
    assert (first.calls, first.cached, first.prompt_tokens, first.completion_tokens) == (2, 0, 2_000_000, 200_000)
    assert first.usd == first.usd_paid == pytest.approx(2.0 + 0.2)
    second = asked(client, ("rewrite", "teacher"), ("other", "judge"))
    assert (second.cached, second.usd, second.usd_paid) == (1, pytest.approx(2.2), pytest.approx(0.2))


def test_a_model_without_a_price_has_no_known_cost() -> None:
    client = Answering()
    client.ledger = Ledger({"big": Price(input=1.0, output=10.0)})
    assert asked(client, ("rewrite", "teacher")).usd == pytest.approx(2.0)
    usage = asked(client, ("rewrite", "teacher"), ("verdict", "judge"))
    assert (usage.usd, usage.usd_paid) == (None, None) and "$" not in cost(usage)
    again = asked(client, ("rewrite", "teacher"), ("verdict", "judge"))
    assert (again.usd, again.usd_paid) == (None, 0.0), "what was not asked has cost nothing"
    assert total([usage, again]).usd_paid is None


def test_the_same_request_twice_counts_once_as_it_was_first_answered() -> None:
    usage = asked(Answering(), ("rewrite", "teacher"), ("rewrite", "teacher"))
    assert (usage.calls, usage.cached, usage.usd_paid) == (1, 0, pytest.approx(2.0))


def test_totals_add_up() -> None:
    one = Usage(calls=2, cached=1, prompt_tokens=3, completion_tokens=4, usd=0.5, usd_paid=0.25)
    assert total([one, one]) == Usage(calls=4, cached=2, prompt_tokens=6, completion_tokens=8, usd=1.0, usd_paid=0.5)
    assert total([]) == Usage()
