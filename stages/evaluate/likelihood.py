"""Answers by likelihood: option letters after the prompt, and whole option texts; one forward per question.

Prompts are padded on the right and only the positions that are scored reach the output layer: under a causal
mask the padding changes nothing, and the 49,152 logits of every other position are never computed.
"""

import string
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from stages.errors import InputError
from stages.evaluate.variants import Variant

if TYPE_CHECKING:
    import torch

Report = Callable[[int], None]  # told how many questions of a batch are done


def by_length(prompts: Sequence[Sequence[int]], batch: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, longest first, so that a batch that does not fit fails at once."""
    order = sorted(range(len(prompts)), key=lambda index: (-len(prompts[index]), index))
    for start in range(0, len(order), batch):
        yield order[start : start + batch]


def letter_tokens(variant: Variant, prefix: str, count: int) -> tuple[list[int], list[int]]:
    """Tokens of `prefix` (with the space, where that is a token of its own) and the one token of each letter after it."""
    wholes = [variant.encode(f"{prefix} {letter}") for letter in string.ascii_uppercase[:count]]
    before = wholes[0][:-1]
    if any(whole[:-1] != before for whole in wholes):
        raise InputError(
            f"{variant.folder}: the tokenizer has no single token for an option letter after {prefix!r}.",
            remedy="Change `evaluate.answer_prefix`, or score this model with the protocol `generative`.",
        )
    return before, [whole[-1] for whole in wholes]


def score_letters(
    variant: Variant, prompts: Sequence[Sequence[int]], options: Sequence[int], prefix: str, batch: int, report: Report
) -> list[list[float]]:
    """Log-likelihood of each option letter after prompt and `prefix`; `options` is their number per question."""
    import torch

    before, tokens = letter_tokens(variant, prefix, max(options))
    asked = [[*prompt, *before] for prompt in prompts]
    variant.check_length(asked, 1)
    scores: list[list[float]] = [[] for _ in prompts]
    for indices in by_length(asked, batch):
        last = _last_logits(variant, [asked[index] for index in indices])
        chosen = torch.log_softmax(last, dim=-1)[:, tokens].tolist()
        for index, row in zip(indices, chosen, strict=True):
            scores[index] = row[: options[index]]
        report(len(indices))
    return scores


def score_texts(
    variant: Variant, prompts: Sequence[Sequence[int]], texts: Sequence[Sequence[str]], batch: int, report: Report
) -> list[list[float]]:
    """Mean log-likelihood per token of each option's text as the answer; `texts` are the options per question.

    All options of a question share one forward: they follow the prompt side by side, at the same positions,
    and see the prompt and themselves but not each other.
    """
    encoded = [[variant.encode(text) or [variant.pad_token_id] for text in row] for row in texts]
    packed = [[*prompt, *(token for option in row for token in option)] for prompt, row in zip(prompts, encoded, strict=True)]
    variant.check_length(packed, 0)
    scores: list[list[float]] = [[] for _ in prompts]
    for indices in by_length(packed, batch):
        rows = _packed_scores(variant, [prompts[index] for index in indices], [encoded[index] for index in indices])
        for index, row in zip(indices, rows, strict=True):
            scores[index] = row
        report(len(indices))
    return scores


def _last_logits(variant: Variant, rows: Sequence[Sequence[int]]) -> "torch.Tensor":
    """Logits after the last token of each row, shape (rows, vocabulary), float32."""
    import torch

    ids, mask = _pad_right(variant, rows)
    with torch.inference_mode():
        hidden = variant.model.get_decoder()(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
        ends = torch.tensor([len(row) - 1 for row in rows], device=hidden.device)
        logits = variant.model.get_output_embeddings()(hidden[torch.arange(len(rows), device=hidden.device), ends]).float()
    variant.check_logits(logits)
    return logits


def _packed_scores(
    variant: Variant, prompts: Sequence[Sequence[int]], options: Sequence[Sequence[Sequence[int]]]
) -> list[list[float]]:
    """Mean log-likelihoods of the options of a few questions, from one forward."""
    import torch

    rows = [[*prompt, *(token for option in row for token in option)] for prompt, row in zip(prompts, options, strict=True)]
    ids, _ = _pad_right(variant, rows)
    width = ids.shape[1]
    positions = torch.zeros(ids.shape, dtype=torch.long)
    seen = torch.eye(width, dtype=torch.bool).repeat(len(rows), 1, 1)
    sources, targets, owners = [], [], []  # (row, place) whose logits are needed, the token they should give, the option
    for row, (prompt, choices) in enumerate(zip(prompts, options, strict=True)):
        shared = len(prompt)
        positions[row, :shared] = torch.arange(shared)
        seen[row, :shared, :shared] = torch.tril(torch.ones(shared, shared, dtype=torch.bool))
        start = shared
        for number, choice in enumerate(choices):
            stop = start + len(choice)
            positions[row, start:stop] = torch.arange(shared, shared + len(choice))
            seen[row, start:stop, :shared] = True
            seen[row, start:stop, start:stop] = torch.tril(torch.ones(len(choice), len(choice), dtype=torch.bool))
            sources += [(row, shared - 1 if place == start else place - 1) for place in range(start, stop)]
            targets += choice
            owners += [(row, number)] * len(choice)
            start = stop
    return _mean_by_option(variant, ids, positions, seen, sources, targets, owners, options)


def _mean_by_option(
    variant: Variant,
    ids: "torch.Tensor",
    positions: "torch.Tensor",
    seen: "torch.Tensor",
    sources: list[tuple[int, int]],
    targets: list[int],
    owners: list[tuple[int, int]],
    options: Sequence[Sequence[Sequence[int]]],
) -> list[list[float]]:
    import torch

    device, dtype = variant.device, variant.model.get_input_embeddings().weight.dtype
    mask = torch.zeros(seen.shape, dtype=dtype).masked_fill_(~seen, torch.finfo(dtype).min).unsqueeze(1).to(device)
    with torch.inference_mode():
        hidden = variant.model.get_decoder()(
            input_ids=ids, attention_mask=mask, position_ids=positions.to(device), use_cache=False
        ).last_hidden_state
        rows, places = (torch.tensor(one, device=device) for one in zip(*sources, strict=True))
        logits = variant.model.get_output_embeddings()(hidden[rows, places]).float()
        variant.check_logits(logits)
        wanted = torch.tensor(targets, device=device).unsqueeze(1)
        single = (logits.gather(1, wanted).squeeze(1) - logits.logsumexp(dim=-1)).tolist()
    sums = [[0.0] * len(row) for row in options]
    for (row, number), value in zip(owners, single, strict=True):
        sums[row][number] += value
    return [
        [total / len(choice) for total, choice in zip(row, choices, strict=True)]
        for row, choices in zip(sums, options, strict=True)
    ]


def _pad_right(variant: Variant, rows: Sequence[Sequence[int]]) -> tuple["torch.Tensor", "torch.Tensor"]:
    import torch

    width = max(map(len, rows))
    ids = torch.full((len(rows), width), variant.pad_token_id)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return ids.to(variant.device), mask.to(variant.device)
