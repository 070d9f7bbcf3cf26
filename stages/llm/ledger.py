"""What the calls of a stage came to: figures of the build (deterministic) and figures of this run (not).

The figures of the build count every request that the build used, whether it was answered now or found in the
cache, so that a cold and a warm run report the same. Texts stay in the cache and counts in a file: memory does not
grow with the calls.
"""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from stages.llm.counted import Counted, Kind, Sum
from stages.llm.failures import failure_of
from stages.llm.schema import StoredResponse
from stages.runtime import Price


def cost_of(price: Price, prompt_tokens: int, completion_tokens: int) -> float:
    """US dollars."""
    return (prompt_tokens * price.input + completion_tokens * price.output) / 1e6


class Ledger:
    """Counts requests, tokens, money and failures of one stage, by purpose."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self.prices = prices
        self._used = Counted()
        self._kept: dict[bytes, StoredResponse] = {}  # those that the cache may not hold, or give up for a better one
        self._unparsed: Counter[str] = Counter()
        self.started = time.monotonic()
        self.hits = self.calls = self.retries = self.refusals = 0  # of this run
        self.tokens, self.usd, self.seconds = 0, 0.0, 0.0  # of this run's calls

    def use(self, response: StoredResponse, failure: str = "") -> None:
        """The build used this response, or met this failure. Asking twice for the same counts once."""
        kind = Kind(response.namespace, response.model, response.finish_reason, failure)
        key = bytes.fromhex(response.key)
        self._used.put(key, kind, response.prompt_tokens, response.completion_tokens)
        if failure_of(response, allow_truncated=False):
            self._kept[key] = response

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
        return cost_of(self.prices.get(model, Price()), prompt_tokens, completion_tokens)

    def used(self) -> tuple[bytes, dict[str, StoredResponse]]:
        """Keys of every response the build used, sorted, 32 bytes each, and those responses that are no whole answers, by key."""
        return self._used.keys(), {one.key: one for one in self._kept.values()}

    def metrics(self) -> dict[str, Any]:
        """Deterministic figures, in total and by purpose; `usd` only where the params name a price."""
        sums = self._used.sums()
        purposes = sorted({one.kind.purpose for one in sums} | set(self._unparsed))
        by_purpose = {purpose: self._figures(sums, purpose) | self._usd(purpose) for purpose in purposes}
        return self._figures(sums, None) | self._usd() | {"by_purpose": by_purpose}

    def timings(self) -> dict[str, float]:
        """Figures of this run: cache hits, calls made, attempts repeated and refused (429, 503), seconds of calls, and in all."""
        return {
            "hits": self.hits,
            "calls": self.calls,
            "retries": self.retries,
            "refusals": self.refusals,
            "tokens_paid": self.tokens,
            "usd_paid": round(self.usd, 6),
            "call_seconds": round(self.seconds, 3),
            "seconds": round(time.monotonic() - self.started, 3),
        }

    def _figures(self, sums: list[Sum], purpose: str | None) -> dict[str, Any]:
        used = [one for one in sums if purpose in (None, one.kind.purpose)]
        failures: Counter[str] = Counter()
        for one in used:
            if one.kind.failure:
                failures[one.kind.failure] += one.requests
        return {
            "requests": sum(one.requests for one in used),
            "prompt_tokens": sum(one.prompt_tokens for one in used),
            "completion_tokens": sum(one.completion_tokens for one in used),
            "failed": sum(failures.values()),
            "failures": dict(sorted(failures.items())),
            "truncated": sum(one.requests for one in used if one.kind.finish_reason == "length"),
            "parse_failures": sum(self._unparsed.values()) if purpose is None else self._unparsed[purpose],
        }

    def _usd(self, purpose: str | None = None) -> dict[str, float]:
        """Added up from the smallest cost to the greatest, so that the sum is the same whatever the order of calls."""
        if not self.prices:
            return {}
        import numpy

        sizes = (size for size in self._used.sizes() if purpose in (None, size[0].purpose))
        costs = numpy.fromiter((self.cost(kind.model, prompt, completion) for kind, prompt, completion in sizes), float)
        costs.sort()
        return {"usd": round(sum(memoryview(costs)), 6)}
