"""What a server's refusal means: try again after a while, give the row up, or give the stage up."""

import random
import time
from collections.abc import Callable

from stages.errors import LLMError
from stages.llm.failures import CallFailed, Transient

LONGEST_DELAY = 120.0  # seconds; a longer Retry-After is not waited out
REMEDIES = {
    401: "Check the key in the variable that `api_key_env` names.",
    402: "The account has no credit left.",
    403: "The key may not use this model: check the account, and the model's name in section `llm`.",
    404: "Check `base_url` (it usually ends with /v1) and the model's name in section `llm`.",
    405: "Check `base_url`: it usually ends with /v1.",
}


def refusal(role: str, status: int, said: str, address: str, retry_after: str) -> Exception:
    """Transient, CallFailed or LLMError for an HTTP `status` whose body begins with `said`."""
    where = f"{address} answered {status}: {said}"
    if status in REMEDIES or "insufficient_quota" in said:
        remedy = REMEDIES.get(status, REMEDIES[402])
        return LLMError(f"{role}: {where}", remedy=f"{remedy} (runtime.endpoints.{role} in params.yaml)")
    if status == 429:
        return Transient("rate-limited", where, retry_after=seconds_of(retry_after), status=status)
    if status in (408, 409) or status >= 500:
        return Transient("server-error", where, retry_after=seconds_of(retry_after), status=status)
    lowered = said.lower()
    if status == 413 or "context_length" in lowered or "context length" in lowered or "too long" in lowered:
        return CallFailed("too-long", where)
    if "content_filter" in lowered or "content management policy" in lowered:
        return CallFailed("filtered", where)
    return CallFailed("bad-request", where)


def delay_before(attempt: int, retry_after: float | None) -> float:
    """Seconds before attempt number `attempt`: the server's delay, or 0.1 s tripled each time, with jitter."""
    if retry_after is not None:
        return retry_after + random.uniform(0, 0.05 + 0.05 * retry_after)
    return min(0.1 * 3 ** (attempt - 1), 30.0) * random.uniform(0.5, 1.0)


def seconds_of(value: str, now: Callable[[], float] = time.time) -> float | None:
    """Seconds of a Retry-After header, a number or a date (RFC 9110, 10.2.3), at most LONGEST_DELAY."""
    try:
        seconds = float(value)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(value).timestamp() - now()
        except (TypeError, ValueError):
            return None
    return min(max(0.0, seconds), LONGEST_DELAY) if seconds == seconds else None  # `nan` is a float, too
