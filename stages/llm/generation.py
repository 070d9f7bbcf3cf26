"""Batched generation with a local model, where the sample of a request depends on its own seed only.

`model.generate` draws all rows of a batch from one random stream; here every row has its own generator, so that
a request gets the same noise whoever shares its batch.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.location import resolve_base
from stages.control_tokens import without_control_tokens
from stages.errors import InputError
from stages.hardware import choose_device, choose_dtype, quiet_libraries, set_threads, usable_cores
from stages.llm import attention
from stages.runtime import RuntimeParams


class Job(NamedTuple):
    """One prompt, tokenised, and how to answer it."""

    key: str
    prompt: list[int]  # token ids
    max_tokens: int
    temperature: float  # 0 is greedy
    repetition_penalty: float  # 1 is none
    seed: int


class Answer(NamedTuple):
    """Text and why it ended: `stop` or `length`."""

    text: str
    finish_reason: str
    completion_tokens: int


class Stopped(Exception):
    """Generation was told to stop; nothing of the batch is kept."""


class LocalModel:
    """A Hugging Face folder, loaded for generation. Never runs code of the folder, never reads pickles."""

    def __init__(self, base_model: Path, runtime: RuntimeParams) -> None:
        set_threads(runtime.threads)
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM, AutoTokenizer

        quiet_libraries()
        folder = resolve_base(base_model)
        self.device = choose_device(runtime.device)
        torch.set_num_threads(runtime.threads or usable_cores())
        dtype = getattr(torch, choose_dtype(runtime.dtype, self.device))
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            self.model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True
            )
            self.own_attention = self.device == "cpu" and attention.suits(self.model.config)
            if self.own_attention:
                self.model.set_attn_implementation(attention.register())
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise InputError(f"{folder} cannot be loaded: {error}", remedy="Run `dvc repro base`, which makes it.") from error
        self.model.eval().to(self.device)
        self.context = int(self.model.config.max_position_embeddings)
        self.end_tokens = _end_tokens(self.model, self.tokenizer)

    def encode(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """Token ids of the chat, with the opening of the assistant's turn. A control token within a text is broken up."""
        turns = [{"role": one["role"], "content": self._harmless(one["content"])} for one in messages]
        text = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def generate(self, jobs: Sequence[Job], stopped: Callable[[], bool] = lambda: False) -> list[Answer]:
        """An answer for every job, in their order. Raises Stopped between two tokens if `stopped()`."""
        import torch

        with torch.inference_mode():
            return _Batch(self, jobs).run(stopped)

    def answer(self, job: Job, tokens: list[int]) -> Answer:
        """Tokens as text; one that ends a turn is no text."""
        ended = bool(tokens) and tokens[-1] in self.end_tokens
        text = self.tokenizer.decode(tokens, skip_special_tokens=True).strip()
        return Answer(text, "stop" if ended else "length", len(tokens))

    def ends(self, token: int) -> bool:
        """Whether `token` ends the answer."""
        return token in self.end_tokens

    def _harmless(self, text: str) -> str:
        text = without_control_tokens(text)
        for token in self.tokenizer.all_special_tokens:
            text = text.replace(token, token[:1] + " " + token[1:])
        return text


class _Batch:
    """Prompts padded on the left; a row leaves the batch when half of the rows have ended, to spare their arithmetic."""

    def __init__(self, local: LocalModel, jobs: Sequence[Job]) -> None:
        import torch

        self.local, self.jobs = local, jobs
        self.tokens: list[list[int]] = [[] for _ in jobs]
        self.rows = list(range(len(jobs)))  # jobs still in the batch
        self.generators = [torch.Generator().manual_seed(job.seed) for job in jobs]
        self.seen = self._seen()
        width = max(len(job.prompt) for job in jobs)
        self.mask = self._tensor([[0] * (width - len(job.prompt)) + [1] * len(job.prompt) for job in jobs])
        self.positions = self._tensor([[len(job.prompt) - 1] for job in jobs])

    def run(self, stopped: Callable[[], bool]) -> list[Answer]:
        """Read the prompts, then one token per row and step until every row has ended."""
        logits, cache = self._read_each(stopped) if self.local.own_attention else self._read_together()
        while True:
            chosen = self._choose(logits.float())
            alive = [place for place, row in enumerate(self.rows) if self._goes_on(row)]
            if not alive:
                return [self.local.answer(job, tokens) for job, tokens in zip(self.jobs, self.tokens, strict=True)]
            if 2 * len(alive) <= len(self.rows):
                chosen = self._keep(alive, cache, chosen)
            _stop_if(stopped)
            self.positions, self.mask = self.positions + 1, _append_one(self.mask)
            logits = self._forward(chosen[:, None], self.positions, self._step_mask(), cache)

    def _forward(self, ids: Any, positions: Any, mask: Any, cache: Any) -> Any:
        """Logits of the last position, and the cache filled."""
        return self.local.model(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1
        ).logits[:, -1]

    def _read_each(self, stopped: Callable[[], bool]) -> tuple[Any, Any]:
        """Every prompt by itself, without padding; then one padded cache."""
        import torch
        from transformers import DynamicCache

        logits, caches = [], []
        for job in self.jobs:
            _stop_if(stopped)
            cache = DynamicCache(config=self.local.model.config)
            positions = self._tensor([list(range(len(job.prompt)))])
            logits.append(self._forward(self._tensor([job.prompt]), positions, None, cache))
            caches.append(cache)
        width, states = self.mask.shape[1], []
        for layers in zip(*(cache.layers for cache in caches), strict=True):
            keys = torch.cat([_pad_left(layer.keys, width) for layer in layers])
            states.append((keys, torch.cat([_pad_left(layer.values, width) for layer in layers])))
        together = attention.roomy_cache(states, room=max(job.max_tokens for job in self.jobs))
        return torch.cat(logits), together

    def _read_together(self) -> tuple[Any, Any]:
        """All prompts at once, padded."""
        from transformers import DynamicCache

        pad, width = self.local.tokenizer.pad_token_id or 0, self.mask.shape[1]
        ids = self._tensor([[pad] * (width - len(job.prompt)) + job.prompt for job in self.jobs])
        cache = DynamicCache(config=self.local.model.config)
        return self._forward(ids, (self.mask.cumsum(-1) - 1).clamp(min=0), self.mask, cache), cache

    def _step_mask(self) -> Any:
        """The mask of one decoding step in the form that the attention in use reads."""
        if not self.local.own_attention:
            return self.mask
        return (self.mask[:, None, None, :] - 1) * 1e9

    def _tensor(self, values: list[list[int]]) -> Any:
        import torch

        return torch.tensor(values, device=self.local.device)

    def _goes_on(self, row: int) -> bool:
        tokens = self.tokens[row]
        return len(tokens) < self.jobs[row].max_tokens and not self.local.ends(tokens[-1])

    def _choose(self, logits: Any) -> Any:
        """The next token of every row; rows that have ended keep their last one."""
        import torch

        chosen = []
        for place, row in enumerate(self.rows):
            if self.tokens[row] and not self._goes_on(row):
                chosen.append(self.tokens[row][-1])
                continue
            token = self._sample(logits[place], row)
            self.tokens[row].append(token)
            self.seen[row, token] = True
            chosen.append(token)
        return torch.tensor(chosen, device=self.local.device)

    def _sample(self, logits: Any, row: int) -> int:
        """Repetition penalty (arXiv 1909.05858), temperature, then the largest of logits with Gumbel noise: one draw of the softmax."""
        import torch

        job = self.jobs[row]
        if job.repetition_penalty != 1.0:
            punished = torch.where(logits > 0, logits / job.repetition_penalty, logits * job.repetition_penalty)
            logits = torch.where(self.seen[row], punished, logits)
        if job.temperature > 0:
            waiting_times = torch.empty(logits.shape[-1]).exponential_(generator=self.generators[row])
            logits = logits / job.temperature - waiting_times.log().to(logits.device)
        return int(logits.argmax())

    def _seen(self) -> Any:
        """Which tokens of the vocabulary stand in the row's prompt or answer."""
        import torch

        seen = torch.zeros(len(self.jobs), self.local.model.config.vocab_size, dtype=torch.bool, device=self.local.device)
        for row, job in enumerate(self.jobs):
            seen[row, torch.tensor(job.prompt, device=self.local.device)] = True
        seen[:, sorted(self.local.end_tokens)] = False  # every chat prompt holds them: punished, no answer would end
        return seen

    def _keep(self, alive: list[int], cache: Any, chosen: Any) -> Any:
        """Take the rows that have ended out of the batch; returns the chosen tokens of the others."""
        import torch

        kept = torch.tensor(alive, device=self.local.device)
        cache.batch_select_indices(kept)
        self.mask, self.positions, self.rows = self.mask[kept], self.positions[kept], [self.rows[place] for place in alive]
        return chosen[kept]


def _stop_if(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise Stopped


def _append_one(mask: Any) -> Any:
    import torch

    return torch.cat([mask, mask.new_ones(mask.shape[0], 1)], dim=-1)


def _pad_left(states: Any, width: int) -> Any:
    """Keys or values of one row, (1, heads, length, size), filled with zeros on the left to `width`."""
    import torch

    return torch.nn.functional.pad(states, (0, 0, width - states.shape[2], 0))


def _end_tokens(model: Any, tokenizer: Any) -> set[int]:
    """Tokens that end an answer, by the generation settings and by the tokenizer."""
    named = model.generation_config.eos_token_id
    ends = set(named if isinstance(named, list) else [named]) | {tokenizer.eos_token_id}
    return {token for token in ends if token is not None}
