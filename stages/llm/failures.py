"""How a call can end badly for one row. What ends a whole stage is `stages.errors.LLMError`."""

from stages.llm.schema import StoredResponse

FAILED = "failed:"  # finish_reason of a response that stands for a failure
CUT = frozenset({"length", "max_tokens", "max_output_tokens", "incomplete", "abort", "cancelled", "error"})
FILTERED = frozenset({"content_filter", "safety", "refusal", "recitation", "prohibited_content"})


class CallFailed(Exception):
    """This row has no answer, for a stable reason; the row becomes a reject.

    Reasons: timeout, rate-limited, server-error, bad-request, bad-response, too-long, truncated, filtered, empty;
    and stopped, for a row that another row's fatal error kept from running.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class Pending(Exception):
    """This row waits for an answer that a batch file asks for. No CallFailed: no row may go on without the answer."""


class Transient(Exception):
    """One attempt failed in a way that a retry may mend, after `retry_after` seconds if the server named a delay."""

    def __init__(
        self, reason: str, detail: str, *, retry_after: float | None = None, status: int = 0, unreachable: bool = False
    ) -> None:
        self.reason, self.detail, self.retry_after = reason, detail, retry_after
        self.status, self.unreachable = status, unreachable  # 0: no answer came
        super().__init__(f"{reason}: {detail}")


def finish_reason_of(said: str | None) -> str:
    """`length`, `content_filter` or `stop`: servers end a whole answer with many names (`eos_token`, `end_turn`, ...)."""
    name = (said or "").lower()
    return "length" if name in CUT else "content_filter" if name in FILTERED else "stop"


def failure_of(response: StoredResponse, *, allow_truncated: bool) -> str:
    """Why `response` is no answer, or the empty string if it is one."""
    if response.finish_reason.startswith(FAILED):
        return response.finish_reason.removeprefix(FAILED)
    if response.finish_reason == "content_filter":
        return "filtered"
    if response.finish_reason == "length" and not allow_truncated:
        return "truncated"
    return "empty" if not response.text or response.text.isspace() else ""
