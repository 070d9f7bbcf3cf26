"""How an instruction is shown to a model: one rendering for training and for evaluation.

There is no system prompt. The base model's own template inserts one of 21 tokens when none is given; a row
of this data set has about 80 tokens, so a fifth of a CPU training budget would be spent on a constant.
`chat.jinja` beside this file is plain ChatML (https://github.com/openai/openai-python/blob/v0.28.1/chatml.md);
it is used for every tokenizer that knows the two ChatML tokens, and saved with the tuned model. Any other
model keeps its own template.

Instructions and answers come from downloaded text: a control token spelled out in them is broken up, so that
no record can end its own turn or open another one.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stages.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHATML_TOKENS = ("<|im_start|>", "<|im_end|>")
IGNORED = -100  # label of a token that is not learned (torch.nn.CrossEntropyLoss, ignore_index)


class Example(NamedTuple):
    """One rendered row; both lists have the same length in tokens."""

    input_ids: list[int]
    labels: list[int]  # the answer and its end-of-turn token; IGNORED on the prompt


def chat_template(tokenizer: "PreTrainedTokenizerBase") -> str:
    """The template to render with. Raises InputError for a tokenizer that has neither ChatML tokens nor a template."""
    vocabulary = tokenizer.get_added_vocab()
    if all(token in vocabulary for token in CHATML_TOKENS):
        return Path(__file__).with_suffix(".jinja").read_text(encoding="utf-8")
    if isinstance(tokenizer.chat_template, str):
        return tokenizer.chat_template
    raise InputError(
        f"{tokenizer.name_or_path}: the tokenizer has no chat template and no ChatML tokens.",
        allowed=f"a chat template, or the tokens {' '.join(CHATML_TOKENS)}",
        remedy="Choose an instruction-tuned base model in section `base`.",
    )


def render_prompt(tokenizer: "PreTrainedTokenizerBase", instruction: str) -> list[int]:
    """Token ids of the user turn and the opening of the assistant turn: what a model sees before it answers."""
    return _encode(tokenizer, _prompt_text(tokenizer, instruction))


def render_example(tokenizer: "PreTrainedTokenizerBase", instruction: str, answer: str) -> Example:
    """A training example: exactly `render_prompt`, then the answer and the token that ends the turn.

    Prompt and answer are tokenised apart, because at generation the prompt is tokenised without its answer.
    """
    prompt_text = _prompt_text(tokenizer, instruction)
    turns = [_turn("user", tokenizer, instruction), _turn("assistant", tokenizer, answer)]
    whole = tokenizer.apply_chat_template(turns, tokenize=False, chat_template=chat_template(tokenizer))
    if not whole.startswith(prompt_text):
        raise InputError(
            f"{tokenizer.name_or_path}: the chat template does not put the answer straight after the prompt.",
            remedy="Choose a base model without a thinking template.",
        )
    prompt = _encode(tokenizer, prompt_text)
    learned = _encode(tokenizer, whole[len(prompt_text) :].rstrip("\n"))
    return Example(prompt + learned, [IGNORED] * len(prompt) + learned)


def turn_end(tokenizer: "PreTrainedTokenizerBase") -> int:
    """The token that a trained answer ends with; a base model's own end-of-text token is often another one."""
    return render_example(tokenizer, "question", "answer").input_ids[-1]


def _prompt_text(tokenizer: "PreTrainedTokenizerBase", instruction: str) -> str:
    template = chat_template(tokenizer)
    turns = [_turn("user", tokenizer, instruction)]
    return tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, chat_template=template)


def _turn(role: str, tokenizer: "PreTrainedTokenizerBase", text: str) -> dict[str, str]:
    for token in tokenizer.all_special_tokens + list(CHATML_TOKENS):
        text = text.replace(token, token[:1] + " " + token[1:])
    return {"role": role, "content": text.strip()}


def _encode(tokenizer: "PreTrainedTokenizerBase", text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"]
