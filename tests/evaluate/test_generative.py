import torch

from stages.chat import render_prompt
from stages.evaluate.generative import choose_answer, generate
from stages.evaluate.variants import Variant

QUESTIONS = [
    "Which weakness?",
    "Which weakness is behind a report about scripts in pages of other users? " * 2,
    "Which technique?",
]
LABELS = ["CWE-79", "CWE-787", "CWE-7", "CWE-89", "CWE-1021"]


def prompts_of(variant: Variant) -> list[list[int]]:
    return [render_prompt(variant.tokenizer, question) for question in QUESTIONS]


def greedy(variant: Variant, prompt: list[int], count: int) -> list[int]:
    """The plain loop: no cache, no padding."""
    tokens = list(prompt)
    for _ in range(count):
        with torch.inference_mode():
            token = int(variant.model(torch.tensor([tokens])).logits[0, -1].argmax())
        if token in variant.end_token_ids():
            break
        tokens.append(token)
    return tokens[len(prompt) :]


def test_a_padded_batch_writes_what_the_plain_loop_writes(tiny: Variant) -> None:
    prompts = prompts_of(tiny)
    answers = generate(tiny, prompts, 12, 3, lambda _: None)
    assert answers.texts == [tiny.tokenizer.decode(greedy(tiny, prompt, 12), skip_special_tokens=True) for prompt in prompts]
    assert answers.new_tokens == sum(len(greedy(tiny, prompt, 12)) for prompt in prompts)


def test_generation_stops_at_the_end_token(tiny: Variant) -> None:
    prompts = prompts_of(tiny)
    first = greedy(tiny, prompts[0], 1)
    tiny.model.generation_config.eos_token_id, before = [*tiny.end_token_ids(), *first], tiny.model.generation_config.eos_token_id
    try:
        answers = generate(tiny, prompts[:1], 12, 1, lambda _: None)
    finally:
        tiny.model.generation_config.eos_token_id = before
    assert (answers.texts, answers.new_tokens) == ([""], 0)


def test_constrained_answers_are_labels_and_each_token_the_likeliest_that_leads_to_one(tiny: Variant) -> None:
    prompts, end = prompts_of(tiny), tiny.end_token_ids()[0]
    chosen = choose_answer(tiny, prompts, [f"Final answer: {label}" for label in LABELS], 2, lambda _: None).texts
    rows = {label: [*tiny.encode(f"Final answer: {label}"), end] for label in LABELS}
    for prompt, answer in zip(prompts, chosen, strict=True):
        left, place = list(LABELS), 0
        while len(left) > 1:
            tokens = [*prompt, *rows[left[0]][:place]]
            with torch.inference_mode():
                logits = tiny.model(torch.tensor([tokens])).logits[0, -1]
            best = max({rows[label][place] for label in left}, key=lambda token: logits[token].item())
            left = [label for label in left if rows[label][place] == best]
            place += 1
        assert [f"Final answer: {label}" for label in left] == [answer]


def test_one_label_leaves_no_choice(tiny: Variant) -> None:
    assert (
        choose_answer(tiny, prompts_of(tiny), ["Final answer: CWE-79"], 3, lambda _: None).texts == ["Final answer: CWE-79"] * 3
    )
