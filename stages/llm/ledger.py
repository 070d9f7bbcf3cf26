"""What the calls of a stage came to: figures of the build (deterministic) and figures of this run (not).

The figures of the build count every request that the build used, whether it was answered now or found in the
cache, so that a cold and a warm run report the same. Texts stay in the cache: a million calls fit into memory.
"""

import time
from collections import Counter
from collections.abc import Mapping
from sys import intern
from typing import Any

import msgspec

from stages.llm.failures import failure_of
from stages.llm.schema import StoredResponse
from stages.runtime import Price


class Used(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a response that the build used."""

    purpose: str
    model: str
    finish_reason: str
    failure: str
    prompt_tokens: int
    completion_tokens: int


class Ledger:
    """Counts requests, tokens, money and failures of one stage, by purpose."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self.prices = prices
        self._used: dict[bytes, Used] = {}  # by the key's 32 bytes
        self._kept: dict[bytes, StoredResponse] = {}  # those that the cache may not hold, or give up for a better one
        self._unparsed: Counter[str] = Counter()
        self.started = time.monotonic()
        self.hits = self.calls = self.retries = self.refusals = 0  # of this run
        self.tokens, self.usd, self.seconds = 0, 0.0, 0.0  # of this run's calls

    def use(self, response: StoredResponse, failure: str = "") -> None:
        """The build used this response, or met this failure. Asking twice for the same counts once."""
        key = bytes.fromhex(response.key)
        self._used[key] = Used(
            intern(response.namespace), intern(response.model), intern(response.finish_reason), intern(failure),
            response.prompt_tokens, response.completion_tokens,
        )  # fmt: skip
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
        price = self.prices.get(model, Price())
        return (prompt_tokens * price.input + completion_tokens * price.output) / 1e6

    def used(self) -> tuple[list[bytes], dict[str, StoredResponse]]:
        """Keys (32 bytes) of every response the build used, sorted, and those responses that are no whole answers, by key."""
        return sorted(self._used), {one.key: one for one in self._kept.values()}

    def metrics(self) -> dict[str, Any]:
        """Deterministic figures, in total and by purpose; `usd` only where the params name a price."""
        purposes = sorted({one.purpose for one in self._used.values()} | set(self._unparsed))
        return self._figures(None) | {"by_purpose": {purpose: self._figures(purpose) for purpose in purposes}}

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

    def _figures(self, purpose: str | None) -> dict[str, Any]:
        used = [one for one in self._used.values() if purpose in (None, one.purpose)]
        failures = Counter(one.failure for one in used if one.failure)
        figures: dict[str, Any] = {
            "requests": len(used),
            "prompt_tokens": sum(one.prompt_tokens for one in used),
            "completion_tokens": sum(one.completion_tokens for one in used),
            "failed": sum(failures.values()),
            "failures": dict(sorted(failures.items())),
            "truncated": sum(one.finish_reason == "length" for one in used),
            "parse_failures": sum(self._unparsed.values()) if purpose is None else self._unparsed[purpose],
        }
        if self.prices:
            costs = sorted(self.cost(one.model, one.prompt_tokens, one.completion_tokens) for one in used)
            figures["usd"] = round(sum(costs), 6)
        return figures
