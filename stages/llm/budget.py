"""The budget of a stage: a call that could pass it is not made."""

import asyncio
import time

from stages.errors import LLMError
from stages.llm.ledger import Ledger
from stages.runtime import Budget

MESSAGE_TOKENS = 8  # a chat template's own tokens per message, at most


class BudgetGuard:
    """Reserves the most that a call can cost before it is made, and gives the rest back after it.

    The tokens of a prompt are bounded by its bytes; the bound tightens as the server reports what prompts had.
    """

    def __init__(self, budget: Budget, ledger: Ledger, stage: str) -> None:
        self.budget, self.ledger, self.stage = budget, ledger, stage
        self._reserved_tokens, self._reserved_usd = 0, 0.0
        self._in_flight, self._released = 0, asyncio.Event()
        self._tokens_per_byte, self._largest, self._seen = 1.0, 0.0, 0

    async def reserve(self, model: str, prompt_bytes: int, messages: int, max_tokens: int) -> tuple[int, float]:
        """Set the most that a call can cost apart, after waiting for calls in flight if only they stand in the way.

        Raises LLMError if the call could pass the budget.
        """
        while True:
            prompt = int(prompt_bytes * self._tokens_per_byte) + MESSAGE_TOKENS * (messages + 1)
            tokens, usd = prompt + max_tokens, self.ledger.cost(model, prompt, max_tokens)
            self.seconds_left()
            if self._fits(tokens, usd):
                break
            if not self._in_flight:
                raise self._passed(tokens, usd)
            self._released.clear()
            await self._released.wait()
        self._in_flight += 1
        self._reserved_tokens += tokens
        self._reserved_usd += usd
        return tokens, usd

    def release(self, reserved: tuple[int, float]) -> None:
        """The call is over; what it did cost is in the ledger."""
        self._in_flight -= 1
        self._released.set()
        self._reserved_tokens -= reserved[0]
        self._reserved_usd -= reserved[1]

    def learn(self, prompt_bytes: int, prompt_tokens: int) -> None:
        """A server counted the tokens of a prompt: after eight of them the largest ratio, and a quarter, is the bound."""
        ratio = 1.25 * prompt_tokens / max(1, prompt_bytes)
        self._seen += 1
        self._largest = max(self._largest, ratio)
        if self._seen >= 8:
            self._tokens_per_byte = min(1.0, self._largest)

    def check_price(self, model: str) -> None:
        """Raises LLMError if money is limited and nothing says what `model` costs: it would never stop."""
        if self.budget.usd and model not in self.ledger.prices:
            raise LLMError(
                f"{self.stage}: the budget of {self.budget.usd:g} usd cannot be kept, because the price of {model} is not known.",
                remedy=f"Add `{model}: {{input: ..., output: ...}}` (US dollars per million tokens) to runtime.prices in params.yaml.",
            )

    def seconds_left(self) -> float | None:
        """Seconds until the budget ends, None without a limit. Raises LLMError at its end."""
        if not self.budget.seconds:
            return None
        spent = time.monotonic() - self.ledger.started
        if spent >= self.budget.seconds:
            raise self._spent("seconds", round(spent, 1), self.budget.seconds)
        return self.budget.seconds - spent

    def _fits(self, tokens: int, usd: float) -> bool:
        within_tokens = not self.budget.tokens or self.ledger.tokens + self._reserved_tokens + tokens <= self.budget.tokens
        within_usd = not self.budget.usd or self.ledger.usd + self._reserved_usd + usd <= self.budget.usd
        return within_tokens and within_usd

    def _passed(self, tokens: int, usd: float) -> LLMError:
        if self.budget.tokens and self.ledger.tokens + tokens > self.budget.tokens:
            return self._spent("tokens", self.ledger.tokens, self.budget.tokens)
        return self._spent("usd", round(self.ledger.usd, 6), self.budget.usd)

    def _spent(self, what: str, spent: float, limit: float) -> LLMError:
        return LLMError(
            f"{self.stage}: {spent:g} of {limit:g} {what} of the budget are spent, and the next call could pass it.",
            allowed=f"runtime.budget.{what} = {limit:g}",
            remedy="Every finished call is kept: raise the budget in params.yaml (0 means no limit) and run the same command again.",
        )
