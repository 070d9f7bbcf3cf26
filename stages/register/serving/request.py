"""A request to chat/completions, as far as it is understood; what would change an answer and is not, is refused.

Fields: https://platform.openai.com/docs/api-reference/chat/create
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

REFUSED = (
    "tools",
    "functions",
    "logprobs",
    "top_logprobs",
    "response_format",
    "audio",
    "logit_bias",
)  # would be ignored silently
MOST_MESSAGES = 64


class RequestError(Exception):
    """What is wrong with a request, for its sender; `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Part(msgspec.Struct, tag_field="type", tag="text"):
    """A part of a content that is a list: text alone."""

    text: str


class Message(msgspec.Struct):
    """One turn."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    @property
    def text(self) -> str:
        """The content as one text."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class ChatRequest(msgspec.Struct):
    """Unlike elsewhere, no temperature means greedy: the answer is then the one that was evaluated."""

    messages: list[Message]
    model: str = ""
    stream: bool = False
    temperature: float = 0.0
    top_p: float = 1.0
    n: int = 1
    seed: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stream_options: dict[str, Any] | None = None

    @property
    def stops(self) -> list[str]:
        """Texts before which an answer ends."""
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or [])

    @property
    def wants_usage(self) -> bool:
        """Whether the last piece of a stream says how many tokens it took."""
        return bool((self.stream_options or {}).get("include_usage"))


def read_request(body: bytes, names: Sequence[str], most_tokens: int) -> tuple[ChatRequest, int]:
    """The request and how many new tokens it may have. Raises RequestError for one that cannot be answered as asked."""
    try:
        given = msgspec.json.decode(body)
        request = msgspec.convert(given, ChatRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"the body is no chat request: {error}") from error
    foreign = [field for field in REFUSED if given.get(field)]
    if foreign:
        raise RequestError(f"{', '.join(foreign)}: this server does not have it")
    if request.model and request.model not in names:
        raise RequestError(f"no model {request.model!r}; there is {', '.join(names)}", 404)
    turns = [message.role for message in request.messages]
    if not turns or turns[-1] != "user" or len(turns) > MOST_MESSAGES:
        raise RequestError(f"messages must be 1 to {MOST_MESSAGES} turns, the last one the user's")
    if request.n != 1:
        raise RequestError("n: this server gives one answer")
    if not 0 <= request.temperature <= 2 or not 0 < request.top_p <= 1:
        raise RequestError("temperature must lie in 0 to 2, top_p above 0 and at most 1")
    if len(request.stops) > 4 or not all(request.stops):
        raise RequestError("stop: at most four texts, none empty")
    asked = request.max_completion_tokens or request.max_tokens
    if asked is not None and asked < 1:
        raise RequestError("max_tokens must be 1 or more")
    return request, min(asked or most_tokens, most_tokens)
