"""Control tokens of chat templates: one list for the prompts, for generation and for the training data.

Delimiters of ChatML and GPT-2, Llama 2 and 3, Mistral, Gemma, Phi, DeepSeek, EXAONE and of Qwen's tool calls: a tokenizer
may read them as the beginning or the end of a turn, wherever they stand.
"""

import re

CHATML = ("<|im_start|>", "<|im_end|>")
_CONTROL = re.compile(
    r"<\|(?=[^|<>\s])[^|<>\n]{0,40}\|>|[<‹]｜[^｜<>‹›\n]{1,40}｜?[>›]|</?s>|<</?SYS>>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT)\]"
    r"|\[\|(?:system|user|assistant|tool|endofturn)\|\]|\[/?THINK\]|</?tool_(?:call|response)>"
    r"|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|</?think>",
    re.IGNORECASE,
)


def has_control_tokens(text: str) -> bool:
    """Whether `text` holds a control token of a common chat template."""
    return _CONTROL.search(text) is not None


def first_control_token(text: str) -> str:
    """The first control token of `text`, broken up; empty if there is none."""
    found = _CONTROL.search(text)
    return without_control_tokens(found[0]) if found else ""


def without_control_tokens(text: str) -> str:
    """`text` with a space after the first character of every control token; people still read it."""
    while (cleaned := _CONTROL.sub(lambda token: f"{token[0][0]} {token[0][1:]}", text)) != text:
        text = cleaned
    return text
