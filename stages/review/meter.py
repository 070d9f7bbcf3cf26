"""A client that counts what one row costs; everything else is the client's own."""

import time
from collections.abc import Iterable

from stages.llm.client import Client, Reply, Request
from stages.llm.ledger import Ledger
from stages.llm.params import LLMParams
from stages.llm.used import UsedResponses
from stages.review.schema import Usage


class Meter:
    """Passes requests to `client` and adds up tokens, money and cache hits. One per row; not for several threads."""

    def __init__(self, client: Client) -> None:
        self.client, self.started = client, time.perf_counter()
        self.replies: list[tuple[Request, Reply]] = []

    async def chat(self, request: Request) -> Reply:
        """The client's answer. A failed call has no tokens that anybody could count."""
        reply = await self.client.chat(request)
        self.replies.append((request, reply))
        return reply

    @property
    def llm(self) -> LLMParams:
        """The models in their roles."""
        return self.client.llm

    @property
    def ledger(self) -> Ledger:
        """The client's, shared by all rows."""
        return self.client.ledger

    @property
    def same_model(self) -> bool:
        """Whether teacher and judge are one model."""
        return self.client.same_model

    def used(self) -> UsedResponses:
        """Every response that the client used, not only this row's."""
        return self.client.used()

    @property
    def seconds(self) -> float:
        """Since the meter was made."""
        return time.perf_counter() - self.started

    def usage(self) -> Usage:
        """What has been asked so far; the same request asked twice counts once."""
        unique = {reply.key: (request, reply) for request, reply in reversed(self.replies)}
        costs = {key: self._cost(request, reply) for key, (request, reply) in unique.items()}
        fresh = [key for key, (_, reply) in unique.items() if not reply.cached]
        return Usage(
            calls=len(unique),
            cached=len(unique) - len(fresh),
            prompt_tokens=sum(reply.prompt_tokens for _, reply in unique.values()),
            completion_tokens=sum(reply.completion_tokens for _, reply in unique.values()),
            usd=_sum(costs.values()),
            usd_paid=_sum(costs[key] for key in fresh),
        )

    def _cost(self, request: Request, reply: Reply) -> float | None:
        role = self.client.llm.teacher if request.role == "teacher" else self.client.llm.judge
        if role.model not in self.client.ledger.prices:
            return None
        return self.client.ledger.cost(role.model, reply.prompt_tokens, reply.completion_tokens)


def total(usages: Iterable[Usage]) -> Usage:
    """The sum. Requests that two rows share count twice."""
    found = list(usages)
    return Usage(
        calls=sum(one.calls for one in found),
        cached=sum(one.cached for one in found),
        prompt_tokens=sum(one.prompt_tokens for one in found),
        completion_tokens=sum(one.completion_tokens for one in found),
        usd=_sum(one.usd for one in found),
        usd_paid=_sum(one.usd_paid for one in found),
    )


def _sum(amounts: Iterable[float | None]) -> float | None:
    """None if one of them is not known: a sum without it would pass for the whole."""
    known: list[float] = []
    for amount in amounts:
        if amount is None:
            return None
        known.append(amount)
    return round(sum(sorted(known)), 8)
