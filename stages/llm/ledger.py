"""What the calls of a stage came to: figures of the build (deterministic) and figures of this run (not).

The figures of the build count every request that the build used, whether it was answered now or found in the
cache, so that a cold and a warm run report the same.
"""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from stages.llm.schema import StoredResponse
from stages.runtime import Price


class Ledger:
    """Counts requests, tokens, money and failures of one stage, by purpose."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self._prices = prices
        self._used: dict[str, tuple[StoredResponse, str]] = {}  # key -> response, failure reason or ""
        self._unparsed: Counter[str] = Counter()
        self.started = time.monotonic()
        self.hits = self.calls = self.retries = 0  # of this run
        self.tokens, self.usd, self.seconds = 0, 0.0, 0.0  # of this run's calls

    def use(self, response: StoredResponse, failure: str = "") -> None:
        """The build used this response, or met this failure. Asking twice for the same counts once."""
        self._used[response.key] = (response, failure)

    def parse_failed(self, purpose: str) -> None:
        """An answer of `purpose` was whole but its form could not be read."""
        self._unparsed[purpose] += 1

    def spend(self, response: StoredResponse, seconds: float) -> None:
        """One call that was really made, and how long it took."""
        self.calls += 1
        self.tokens += response.prompt_tokens + response.completion_tokens
        self.usd += self.cost(response.model, response.prompt_tokens, response.completion_tokens)
        self.seconds += seconds

    def cost(self, model: str, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars by the price table; a model without a price costs nothing."""
        price = self._prices.get(model, Price())
        return (prompt_tokens * price.input + completion_tokens * price.output) / 1e6

    def used(self) -> list[StoredResponse]:
        """Every response the build used, sorted by key."""
        return [response for _, (response, _) in sorted(self._used.items())]

    def metrics(self) -> dict[str, Any]:
        """Deterministic figures, in total and by purpose; `usd` only where the params name a price."""
        purposes = sorted({response.namespace for response, _ in self._used.values()} | set(self._unparsed))
        return self._figures(None) | {"by_purpose": {purpose: self._figures(purpose) for purpose in purposes}}

    def timings(self) -> dict[str, float]:
        """Figures of this run: cache hits, calls made, retries, seconds spent waiting for answers, seconds in all."""
        return {
            "hits": self.hits,
            "calls": self.calls,
            "retries": self.retries,
            "tokens_paid": self.tokens,
            "usd_paid": round(self.usd, 6),
            "call_seconds": round(self.seconds, 3),
            "seconds": round(time.monotonic() - self.started, 3),
        }

    def _figures(self, purpose: str | None) -> dict[str, Any]:
        used = [(one, failure) for one, failure in self._used.values() if purpose in (None, one.namespace)]
        failures = Counter(failure for _, failure in used if failure)
        figures: dict[str, Any] = {
            "requests": len(used),
            "prompt_tokens": sum(one.prompt_tokens for one, _ in used),
            "completion_tokens": sum(one.completion_tokens for one, _ in used),
            "failed": sum(failures.values()),
            "failures": dict(sorted(failures.items())),
            "truncated": sum(one.finish_reason == "length" for one, _ in used),
            "parse_failures": sum(self._unparsed.values()) if purpose is None else self._unparsed[purpose],
        }
        if self._prices:
            costs = sorted(self.cost(one.model, one.prompt_tokens, one.completion_tokens) for one, _ in used)
            figures["usd"] = round(sum(costs), 6)
        return figures
