"""Load a model from disk as anyone would, in a process of its own, and see whether it speaks.

`python -m stages.quantize.smoke REQUEST.json ANSWER.json`; a fresh process proves that nothing was left in memory,
and makes peak memory a figure of this model alone.
"""

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stages.chat import render_prompt
from stages.hardware import quiet_libraries, set_threads
from stages.quantize.schema import SmokeAnswer, SmokeRequest

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def try_model(request: SmokeRequest) -> SmokeAnswer:
    """Continue every prompt greedily, compare with the reference, measure speed and memory."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    started = time.perf_counter()
    model = AutoModelForCausalLM.from_pretrained(
        request.folder,
        dtype=getattr(torch, request.dtype),
        device_map={"": request.device},
        local_files_only=True,
        trust_remote_code=False,
    ).eval()
    loaded = time.perf_counter() - started
    tokenizer = AutoTokenizer.from_pretrained(request.folder, local_files_only=True, trust_remote_code=False)
    prompts = [render_prompt(tokenizer, prompt) for prompt in request.prompts]

    started = time.perf_counter()
    with torch.inference_mode():
        tokens = [_continue(model, tokenizer, prompt, request.new_tokens) for prompt in prompts]
        decode = sum(map(len, tokens)) / (time.perf_counter() - started)
        matches, total, finite = _compare(model, prompts, request.reference or tokens)
        prefill = _prefill_speed(model, prompts, request.speed_tokens)
    return SmokeAnswer(
        texts=[tokenizer.decode(ids, skip_special_tokens=True) for ids in tokens],
        tokens=tokens,
        finite=finite,
        agreement=round(matches / max(total, 1), 4),
        load_seconds=round(loaded, 2),
        prefill_tokens_per_second=round(prefill, 1),
        decode_tokens_per_second=round(decode, 1),
        peak_rss_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        peak_vram_mib=round(torch.cuda.max_memory_allocated() / 2**20, 1) if request.device == "cuda" else 0.0,
    )


def _continue(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", prompt: list[int], new_tokens: int) -> list[int]:
    """Greedy continuation; the token that ends the turn stays in it."""
    ids = _batch(model, prompt)
    whole = model.generate(
        input_ids=ids,
        attention_mask=ids.new_ones(ids.shape),
        max_new_tokens=new_tokens,
        do_sample=False,
        pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id,
    )
    return whole[0, len(prompt) :].tolist()


def _compare(model: "PreTrainedModel", prompts: Sequence[list[int]], continuations: Sequence[list[int]]) -> tuple[int, int, bool]:
    """Equal most probable tokens, positions compared, and whether all logits are finite.

    The reference continuation is given to the model, so that one early difference does not count many times.
    """
    matches, total, finite = 0, 0, True
    for prompt, continuation in zip(prompts, continuations, strict=True):
        logits = model(input_ids=_batch(model, prompt + continuation), use_cache=False).logits[0].float()
        finite = finite and bool(logits.isfinite().all())
        predicted = logits[len(prompt) - 1 : -1].argmax(dim=-1).tolist()
        matches += sum(one == other for one, other in zip(predicted, continuation, strict=True))
        total += len(continuation)
    return matches, total, finite


def _prefill_speed(model: "PreTrainedModel", prompts: Sequence[list[int]], length: int) -> float:
    """Tokens/s of one forward pass over `length` tokens; the better of two, since the first may warm up kernels."""
    text = [token for prompt in prompts for token in prompt]
    ids = _batch(model, (text * (length // len(text) + 1))[:length])
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        model(input_ids=ids, logits_to_keep=1, use_cache=False).logits.cpu()
        seconds.append(time.perf_counter() - started)
    return length / min(seconds)


def _batch(model: "PreTrainedModel", ids: list[int]) -> "torch.Tensor":
    import torch

    return torch.tensor([ids], device=model.device)


if __name__ == "__main__":
    set_threads()
    quiet_libraries()
    request_file, answer_file = map(Path, sys.argv[1:3])
    answer = try_model(msgspec.json.decode(request_file.read_bytes(), type=SmokeRequest))
    answer_file.write_bytes(msgspec.json.encode(answer))
