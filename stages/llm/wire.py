"""A chat completion as servers send it, reduced to what is used. Answers are hostile: their form is checked."""

from typing import Annotated

import msgspec

Tokens = Annotated[int, msgspec.Meta(ge=0, le=2**31)]  # more than any context, and what the cache can store


class Part(msgspec.Struct):
    """A piece of an answer that came as a list; what a model thought is a piece of another type."""

    type: str = ""
    text: str | None = None


class Message(msgspec.Struct):
    """Fields with what a model thought (`reasoning_content`, `reasoning`) are not even read."""

    content: str | list[Part] | None = None
    refusal: str | None = None

    @property
    def text(self) -> str:
        """The answer's text, empty if there is none."""
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content if part.type in ("text", "output_text"))
        return self.content or ""


class Choice(msgspec.Struct):
    message: Message
    finish_reason: str | None = None


class Usage(msgspec.Struct):
    prompt_tokens: Tokens = 0
    completion_tokens: Tokens = 0


class Completion(msgspec.Struct):
    """The fields of a chat completion that are used."""

    choices: list[Choice]
    usage: Usage | None = None


def read_completion(body: bytes) -> Completion:
    """The completion in `body`. Raises ValueError, whose text quotes its beginning, for anything else."""
    try:
        completion = msgspec.json.decode(body, type=Completion)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{error}: {body[:80]!r}") from None
    except RecursionError:
        raise ValueError(f"it is nested too deeply: {body[:80]!r}") from None
    if not completion.choices:
        raise ValueError("an answer without choices")
    return completion
