"""What is kept of a chat completion, whether it came from a server, from the embedded model or in a batch file."""

from collections.abc import Sequence

from stages.llm.failures import finish_reason_of
from stages.llm.schema import StoredResponse
from stages.llm.thoughts import without_thoughts
from stages.llm.transport import SHORTEST_KEY, masked
from stages.llm.wire import Completion

CHARS_PER_TOKEN = 4  # of a server that does not count


def response_of(
    key: str, namespace: str, model: str, completion: Completion, chars: int, secrets: Sequence[str] = ()
) -> StoredResponse:
    """The answer to the request `key` with a prompt of `chars` characters: without thoughts and without keys."""
    choice, usage = completion.choices[0], completion.usage
    text = without_thoughts(masked(choice.message.text, secrets, shortest=SHORTEST_KEY))
    finish_reason = "content_filter" if choice.message.refusal and not text else finish_reason_of(choice.finish_reason)
    return StoredResponse(
        key=key, namespace=namespace, model=model, text=text, finish_reason=finish_reason,
        prompt_tokens=usage.prompt_tokens if usage else chars // CHARS_PER_TOKEN,
        completion_tokens=usage.completion_tokens if usage else len(text) // CHARS_PER_TOKEN,
    )  # fmt: skip
