"""Greedy answers, free or held to a set of labels: prompts in batches of similar length, padded on the left."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from stages.evaluate.likelihood import Report, by_length
from stages.evaluate.variants import Variant

if TYPE_CHECKING:
    import torch


class Answers(NamedTuple):
    """Texts in the order of the prompts."""

    texts: list[str]
    new_tokens: int  # without padding after the end


def generate(variant: Variant, prompts: Sequence[Sequence[int]], max_new_tokens: int, batch: int, report: Report) -> Answers:
    """Greedy continuations of `prompts`, each up to its end token or `max_new_tokens`."""
    return _answer(variant, prompts, max_new_tokens, batch, report)


def choose_answer(
    variant: Variant, prompts: Sequence[Sequence[int]], answers: Sequence[str], batch: int, report: Report
) -> Answers:
    """One of `answers` after each prompt: greedy decoding in which only tokens that lead to one of them are allowed.

    A model that does not know the answer format is so still asked what it knows. Beam search would prefill every
    prompt once per beam, which takes four times as long for the same few tokens.
    """
    wholes = [variant.encode(answer) for answer in answers]
    shared = _common_prefix(wholes)
    end = variant.end_token_ids()[0]
    tree = _tree([[*whole[len(shared) :], end] for whole in wholes])
    asked = [[*prompt, *shared] for prompt in prompts]
    longest = max(map(len, wholes)) - len(shared) + 1

    def allowed(start: int) -> Callable[[int, "torch.Tensor"], list[int]]:
        return lambda _, ids: _children(tree, ids[start:].tolist()) or [end]

    made = _answer(variant, asked, longest, batch, report, allowed)
    start_text = variant.tokenizer.decode(shared)
    return Answers([(start_text + text).strip() for text in made.texts], made.new_tokens)


def _answer(
    variant: Variant,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    batch: int,
    report: Report,
    allowed: Callable[[int], Callable[[int, "torch.Tensor"], list[int]]] | None = None,
) -> Answers:
    """Run `model.generate` over batches; `allowed` makes the constraint from the width of a batch's prompts."""
    variant.check_length(prompts, max_new_tokens)
    texts, new_tokens = [""] * len(prompts), 0
    for indices in by_length(prompts, batch):
        ids, mask = _pad_left(variant, [prompts[index] for index in indices])
        made = _generate(variant, ids, mask, max_new_tokens, allowed(ids.shape[1]) if allowed else None)
        for index, row in zip(indices, made[:, ids.shape[1] :].tolist(), strict=True):
            kept = _until_end(row, variant.end_token_ids())
            new_tokens += len(kept)
            texts[index] = variant.tokenizer.decode(kept, skip_special_tokens=True)
        report(len(indices))
    return Answers(texts, new_tokens)


def _generate(variant: Variant, ids: "torch.Tensor", mask: "torch.Tensor", max_new_tokens: int, allowed: Any) -> "torch.Tensor":
    import torch
    from transformers import GenerationConfig, LogitsProcessorList

    config = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=variant.end_token_ids(),
        pad_token_id=variant.pad_token_id,
    )

    def guard(_: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        variant.check_logits(scores)
        return scores

    with torch.inference_mode():
        return variant.model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=config,
            prefix_allowed_tokens_fn=allowed,
            logits_processor=LogitsProcessorList([guard]),
        )


def _pad_left(variant: Variant, rows: Sequence[Sequence[int]]) -> tuple["torch.Tensor", "torch.Tensor"]:
    import torch

    width = max(map(len, rows))
    ids = torch.full((len(rows), width), variant.pad_token_id)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for number, row in enumerate(rows):
        ids[number, width - len(row) :] = torch.tensor(row)
        mask[number, width - len(row) :] = 1
    return ids.to(variant.device), mask.to(variant.device)


def _until_end(tokens: Sequence[int], ends: Sequence[int]) -> list[int]:
    stop = next((place for place, token in enumerate(tokens) if token in ends), len(tokens))
    return list(tokens[:stop])


def _common_prefix(rows: Sequence[Sequence[int]]) -> list[int]:
    """Tokens that all rows start with, short of any row's last one."""
    shared = 0
    shortest = min(map(len, rows)) - 1
    while shared < shortest and len({row[shared] for row in rows}) == 1:
        shared += 1
    return list(rows[0][:shared])


def _tree(rows: Sequence[Sequence[int]]) -> dict[int, Any]:
    root: dict[int, Any] = {}
    for row in rows:
        node = root
        for token in row:
            node = node.setdefault(token, {})
    return root


def _children(tree: dict[int, Any], path: Sequence[int]) -> list[int]:
    for token in path:
        tree = tree.get(token, {})
    return list(tree)
