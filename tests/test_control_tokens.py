"""One list of control tokens: each is broken up and stays readable; code and markup are left alone."""

import pytest

from stages.control_tokens import first_control_token, has_control_tokens, without_control_tokens

TOKENS = [
    "<|im_start|>", "<|eot_id|>", "<|endoftext|>", "</s>", "<s>", "[INST]", "[/INST]", "<<SYS>>", "<start_of_turn>", "<end_of_turn>",
    "[TOOL_CALLS]", "[/AVAILABLE_TOOLS]", "[SYSTEM_PROMPT]", "<｜User｜>", "‹｜User｜>", "<｜end▁of▁sentence｜>", "<eos>", "<think>",
    "[|user|]", "[|endofturn|]", "[THINK]", "<tool_call>", "</tool_response>",
]  # fmt: skip


@pytest.mark.parametrize("token", TOKENS)
def test_a_control_token_is_broken_up_and_stays_readable(token: str) -> None:
    clean = without_control_tokens(f"before {token}system after")
    assert token not in clean and not has_control_tokens(clean) and has_control_tokens(token)
    assert clean.replace(" ", "") == f"before{token}systemafter"
    assert first_control_token(f"a {token} b") == f"{token[0]} {token[1:]}"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <b> c || d",
        "x[0] INST",
        "<|",
        "if a<s and b>c",
        "<strong>",
        "a < b | c > d",
        "f <| g |> h",
        "[|1; 2|]",
        "<tool>",
    ],
)
def test_code_and_markup_are_left_alone(text: str) -> None:
    assert without_control_tokens(text) == text and first_control_token(text) == ""


def test_breaking_one_token_builds_no_other() -> None:
    assert not has_control_tokens(without_control_tokens("<<s>s><|<|im_end|>|>[[INST]INST]" * 3))
