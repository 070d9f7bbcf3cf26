"""What one row leaves behind on its way through the stage: the keys of its calls in their order, and counted events."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from stages.llm.asking import Answer, Chat, Shape, ask
from stages.llm.client import Request

Value = TypeVar("Value")


class Trail:
    """One for each row; every question of the row is asked through it, so that none is missing in the provenance."""

    def __init__(self, client: Chat) -> None:
        self.client = client
        self.keys: list[str] = []
        self.counts: Counter[str] = Counter()

    async def ask(self, request: Request, read: Callable[[str], Value | None], shape: Shape[Value]) -> Answer[Value]:
        """As `stages.llm.asking.ask`. Raises CallFailed."""
        answer = await ask(self.client, request, read, shape)
        self.keys += answer.keys
        return answer
