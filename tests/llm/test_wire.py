"""The form of an answer is checked where it is read: what cannot be stored, or is nested without end, is no answer."""

import json

import pytest

from stages.llm.wire import read_completion
from tests.fake_openai import completion


@pytest.mark.parametrize("field", ["prompt_tokens", "completion_tokens"])
@pytest.mark.parametrize("count", [10**19, 2**31 + 1, -1])
def test_counts_that_no_server_can_have_are_no_answer(field: str, count: int) -> None:
    body = completion("text")
    body["usage"][field] = count
    with pytest.raises(ValueError, match=field):
        read_completion(json.dumps(body).encode())


@pytest.mark.parametrize("deep", [b'{"choices": [], "more": ' + b"[" * 100_000, b'{"a": ' * 100_000])
def test_endless_nesting_is_no_answer(deep: bytes) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        read_completion(deep)
