import pytest
import torch

from stages.chat import render_prompt
from stages.errors import InputError
from stages.evaluate.likelihood import by_length, letter_tokens, score_letters, score_texts
from stages.evaluate.variants import Variant

PREFIX = "Final answer:"
QUESTIONS = ["Which?", "Which option is right? " * 6, "Is a parser that writes past a heap buffer weak?", "A" * 70]
TEXTS = [
    ["network", "multi-factor authentication", "x", "auditing of scripts"],
    ["CWE-79", "CWE-89"],
    ["a b c"] * 4,
    ["Yes", "No", ""],
]


def prompts_of(variant: Variant) -> list[list[int]]:
    return [render_prompt(variant.tokenizer, question) for question in QUESTIONS]


def full_logits(variant: Variant, tokens: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return torch.log_softmax(variant.model(torch.tensor([tokens])).logits[0].float(), dim=-1)


def test_a_batch_scores_letters_as_the_plain_model_does_one_by_one(tiny: Variant) -> None:
    prompts, counts = prompts_of(tiny), [4, 2, 4, 3]
    before, tokens = letter_tokens(tiny, PREFIX, 4)
    batched = score_letters(tiny, prompts, counts, PREFIX, 3, lambda _: None)
    for prompt, count, row in zip(prompts, counts, batched, strict=True):
        plain = full_logits(tiny, [*prompt, *before])[-1, tokens[:count]].tolist()
        assert row == pytest.approx(plain, abs=1e-4)


def test_options_packed_into_one_forward_score_as_one_forward_each(tiny: Variant) -> None:
    prompts = prompts_of(tiny)
    packed = score_texts(tiny, prompts, TEXTS, 3, lambda _: None)
    for prompt, texts, row in zip(prompts, TEXTS, packed, strict=True):
        for text, score in zip(texts, row, strict=True):
            tokens = tiny.encode(text) or [tiny.pad_token_id]
            logits = full_logits(tiny, [*prompt, *tokens])
            plain = [logits[len(prompt) - 1 + place, token].item() for place, token in enumerate(tokens)]
            assert score == pytest.approx(sum(plain) / len(plain), abs=1e-4)


def test_letters_are_told_apart_after_the_prefix(tiny: Variant) -> None:
    before, tokens = letter_tokens(tiny, PREFIX, 4)
    assert len(set(tokens)) == 4
    assert tiny.tokenizer.decode([*before, tokens[1]]) == f"{PREFIX} B"


def test_batches_hold_every_prompt_once_longest_first() -> None:
    prompts = [[0] * length for length in (3, 9, 1, 7, 5)]
    batches = list(by_length(prompts, 2))
    assert batches == [[1, 3], [4, 0], [2]]


def test_a_prompt_beyond_the_context_is_a_clear_error(tiny: Variant) -> None:
    with pytest.raises(InputError, match="1024 tokens"):
        score_letters(tiny, [[5] * 1100], [4], PREFIX, 1, lambda _: None)


def test_progress_counts_every_question(tiny: Variant) -> None:
    done: list[int] = []
    score_letters(tiny, prompts_of(tiny), [4] * 4, PREFIX, 3, done.append)
    assert sum(done) == 4
