"""What reasoning models send beside their answers, by the forms that servers were seen to use."""

import time

import pytest

from stages.llm.thoughts import without_thoughts
from stages.llm.wire import read_completion

KEPT = [
    "plain answer", "  leading space stays", "a <think> tag in the text", "The tag </b> ends bold.", "analysis of the log: benign",
    "commentary follows", "Use `<|channel|>` never.", "the assistantfinal word", "", "Strip <think>...</think> from it.",
]  # fmt: skip
CUT = {
    "<think>\n\n</think>\n\n9": "9",
    "\n<think>2 of 3 facts</think> 7": "7",
    "<think>unfinished": "",
    "<thinking>long</thinking>A": "A",
    "<think>a</think><think>b</think>C": "C",
    "<seed:think>a</seed:think>B": "B",
    "[THINK]a[/THINK]B": "B",
    "opened by the template</think>\nB": "B",
    "opened </think> again <think> tag": "again <think> tag",
    "<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>B<|return|>": "B",
    "<|start|>assistant<|channel|>final<|message|>B": "B",
    "<|channel|>final <|constrain|>json<|message|>{}<|return|>": "{}",
    "<|channel|>analysis<|message|>only thoughts<|end|>": "",
    "<|channel|>commentary<|message|>a call<|call|>": "",
    "analysisThe user asks. So B.assistantfinalB": "B",
    "analysisWe need to find": "",
}


@pytest.mark.parametrize("text", KEPT)
def test_an_answer_without_thoughts_stays_as_it_is(text: str) -> None:
    assert without_thoughts(text) == text


@pytest.mark.parametrize("text", list(CUT))
def test_thoughts_are_no_part_of_an_answer(text: str) -> None:
    assert without_thoughts(text) == CUT[text]


@pytest.mark.parametrize(
    "text", ["<think>" * 50_000, "</" * 200_000, "<|channel|>final" * 50_000, "analysisA" + "assistant" * 50_000]
)
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    without_thoughts(text)
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b'{"content": "B", "reasoning_content": "why", "reasoning": "why"}', "B"),
        (b'{"content": null, "reasoning_content": "why"}', ""),
        (b'{"content": [{"type": "thinking", "thinking": [{"text": "why"}]}, {"type": "text", "text": "B"}]}', "B"),
        (b'{"content": [{"type": "reasoning", "text": "why"}]}', ""),
        (b'{"content": "", "tool_calls": [{"id": "x"}]}', ""),
    ],
)
def test_thoughts_in_fields_of_their_own_are_not_read(message: bytes, text: str) -> None:
    assert read_completion(b'{"choices": [{"message": ' + message + b"}]}").choices[0].message.text == text


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"choices": []}', b'{"choices": [{}]}', b"\xff\xfe", b'{"choices": [{"message": {"content": 7}}]}']
)
def test_a_body_that_is_no_completion_is_quoted(body: bytes) -> None:
    with pytest.raises(ValueError):
        read_completion(body)
