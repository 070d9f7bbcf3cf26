"""Losses of option letters under the base model, in float32, so that machines agree on what is hard."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.base.location import resolve_base
from stages.benchmarks.adversarial import LETTERS, Scorer
from stages.errors import InputError
from stages.hardware import choose_device, quiet_libraries, set_threads
from stages.progress import progress
from stages.runtime import RuntimeParams

if TYPE_CHECKING:
    import torch

PREFIX = "Final answer:"  # what stands before the letter


def letter_scorer(folder: Path, runtime: RuntimeParams, batch: int) -> Scorer:
    """A scorer over the base model in `folder` (`models/base`), loaded at the first question."""
    loaded: list[tuple[Any, Any]] = []

    def score(prompts: Sequence[str]) -> list[tuple[float, float]]:
        if not loaded:
            loaded.append(_load(folder, runtime))
        model, tokenizer = loaded[0]
        return letter_losses(model, tokenizer, prompts, batch)

    return score


def _load(folder: Path, runtime: RuntimeParams) -> tuple[Any, Any]:
    set_threads(runtime.threads)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quiet_libraries()
    device, folder = choose_device(runtime.device), resolve_base(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, trust_remote_code=False).to(device)
    return model.eval(), AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def letter_losses(model: Any, tokenizer: Any, prompts: Sequence[str], batch: int) -> list[tuple[float, float]]:
    """Negative log-likelihood of A and of B after each prompt, in nats."""
    import torch

    encoded = [_encode(tokenizer, prompt) for prompt in prompts]
    letters = _letter_tokens(tokenizer)
    order = sorted(range(len(encoded)), key=lambda place: (-len(encoded[place]), place))
    losses: list[tuple[float, float]] = [(0.0, 0.0)] * len(encoded)
    with progress(total=len(encoded), label="hardest options", unit="questions") as bar, torch.inference_mode():
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            scores = torch.log_softmax(_last_logits(model, [encoded[place] for place in places]).float(), dim=-1)[:, letters]
            for place, (first, second) in zip(places, scores.tolist(), strict=True):
                losses[place] = (-first, -second)
            bar.update(len(places))
    return losses


def _encode(tokenizer: Any, prompt: str) -> list[int]:
    if tokenizer.chat_template:
        messages = [{"role": "user", "content": prompt}]
        shown = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True) + PREFIX
        return list(tokenizer(shown, add_special_tokens=False)["input_ids"])
    return list(tokenizer(f"{prompt}\n{PREFIX}")["input_ids"])


def _letter_tokens(tokenizer: Any) -> list[int]:
    """The one token of each letter after the prefix."""
    wholes = [tokenizer(f"{PREFIX} {letter}", add_special_tokens=False)["input_ids"] for letter in LETTERS]
    if wholes[0][:-1] != wholes[1][:-1] or wholes[0][-1] == wholes[1][-1]:
        raise InputError(
            "the tokenizer of models/base has no single token for an option letter.",
            remedy="Set `benchmarks.max_items: {secforge-adversarial-cti: 0}` in params.yaml, or use another base model.",
        )
    return [whole[-1] for whole in wholes]


def _last_logits(model: Any, rows: Sequence[Sequence[int]]) -> "torch.Tensor":
    """Logits after the last token of each row, shape (rows, vocabulary); padding stands on the right and changes nothing."""
    import torch

    width = max(map(len, rows))
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    ids, mask = ids.to(model.device), mask.to(model.device)
    hidden = model.get_decoder()(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    return model.get_output_embeddings()(hidden[torch.arange(len(rows)), mask.sum(dim=1) - 1])
