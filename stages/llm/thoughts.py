"""What a reasoning model says to itself is no part of its answer, in whatever form it comes.

Servers with a reasoning parser send it in a field of its own, which is never read. Others leave it in the text:
`<think>` blocks, also unfinished or opened by the chat template; Harmony channels of gpt-oss, also with their
special tokens already removed (https://cookbook.openai.com/articles/openai-harmony).
"""

import re

_TAG = r"(think|thinking|seed:think)"
_BLOCK = re.compile(rf"\A\s*(?:<{_TAG}>.*?(?:</\1>|\Z)|\[THINK\].*?(?:\[/THINK\]|\Z))", re.DOTALL)
_END = re.compile(rf"</{_TAG}>|\[/THINK\]")
_HARMONY = re.compile(r"\A\s*(?:<\|start\|>assistant\s*)?<\|channel\|>")
_FINAL = re.compile(
    r"<\|channel\|>final\b[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>(.*?)(?:<\|(?:return|end|call|start)\|>|\Z)", re.DOTALL
)
_BARE = re.compile(r"\A(?:analysis|commentary)(?=[^\sa-z])")  # a channel's name, joined to the first word of its text
_BARE_FINAL = "assistantfinal"


def without_thoughts(text: str) -> str:
    """The answer in `text`: empty if the model did not get beyond its thoughts."""
    if _HARMONY.match(text):
        finals = _FINAL.findall(text)
        return finals[-1].strip() if finals else ""
    if _BARE.match(text):
        return text.rpartition(_BARE_FINAL)[2] if _BARE_FINAL in text else ""
    answer = _without_blocks(text)
    if (end := _END.search(answer)) and end[0].replace("/", "") not in answer[: end.start()]:
        answer = _without_blocks(answer[end.end() :])  # the chat template had opened the block
    return answer if answer == text else answer.lstrip()


def _without_blocks(text: str) -> str:
    while block := _BLOCK.match(text):
        text = text[block.end() :]
    return text
