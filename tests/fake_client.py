"""A client in memory, for tests of cores: the same `chat` and ledger as the real one, no cache, no server."""

from collections.abc import Callable

from stages.llm.client import CallFailed, Reply, Request
from stages.llm.ledger import Ledger
from stages.llm.params import LLMParams
from stages.llm.schema import StoredResponse
from stages.tables import content_id

Answer = Callable[[Request], str | None]


class FakeClient:
    """Answers by a function of the request; None means that the call failed for good."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.requests, self.ledger, self.llm = answer, [], Ledger({}), LLMParams()
        self.responses: dict[str, StoredResponse] = {}
        self.finish_reason = "stop"  # of every reply

    async def chat(self, request: Request) -> Reply:
        self.requests.append(request)
        text = self.answer(request)
        if text is None:
            raise CallFailed("server-error", "the fake refused")
        key = content_id(request.purpose, str(request.attempt), str(request.messages))
        self.responses[key] = StoredResponse(
            key=key,
            namespace=request.purpose,
            model="fake",
            text=text,
            finish_reason=self.finish_reason,
            prompt_tokens=1,
            completion_tokens=1,
        )
        self.ledger.use(self.responses[key])
        return Reply(text, self.finish_reason, key, False, 1, 1)

    def used(self) -> list[StoredResponse]:
        return [response for _, response in sorted(self.responses.items())]


def by_behaviour(behaviour: Callable[[list[dict[str, str]]], str]) -> Answer:
    """An answer function from a behaviour of the fake server."""
    return lambda request: behaviour(request.messages)
