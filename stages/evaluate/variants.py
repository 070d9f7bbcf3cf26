"""Loading a model variant and watching it: damaged folders and NaN logits are errors, memory is measured."""

import json
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stages.chat import turn_end
from stages.errors import InputError
from stages.hardware import choose_device, choose_dtype, quiet_libraries, set_threads
from stages.runtime import RuntimeParams

if TYPE_CHECKING:
    import torch

REPAIR = "Delete the folder and run `dvc repro`, which makes it again."
_PEAK_RESET = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


class Variant(msgspec.Struct):
    """A loaded model with its tokenizer, ready for inference."""

    name: str  # base, finetuned, int8, nf4
    folder: Path
    model: Any
    tokenizer: Any

    @property
    def device(self) -> "torch.device":
        """Where inputs go."""
        return self.model.get_input_embeddings().weight.device

    @property
    def pad_token_id(self) -> int:
        """Any id: padded positions are masked."""
        return self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else self.end_token_ids()[0]

    def end_token_ids(self) -> list[int]:
        """Tokens that end an answer: first the one that training writes, then the tokenizer's and the model's own."""
        own = self.model.generation_config.eos_token_id
        named = [turn_end(self.tokenizer), self.tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])]
        return list(dict.fromkeys(token for token in named if token is not None))

    def encode(self, text: str) -> list[int]:
        """Token ids without special tokens."""
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def check_length(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> None:
        """Raises InputError if a prompt with its answer does not fit the model's context."""
        context = getattr(self.model.config, "max_position_embeddings", None)
        longest = max(map(len, prompts), default=0) + new_tokens
        if context and longest > context:
            raise InputError(
                f"{self.folder}: the longest prompt with its answer has {longest} tokens.",
                allowed=f"{context} tokens, the model's context",
                remedy="Lower `shots` or `shot_characters` in section `evaluate`, or shorten the benchmark's questions.",
            )

    def check_logits(self, logits: "torch.Tensor") -> None:
        """Raises InputError for NaN or +inf: every comparison with them would quietly pick the first option."""
        if bool(logits.isnan().any()) or bool((logits == float("inf")).any()):
            raise InputError(
                f"{self.folder}: the model `{self.name}` gives NaN or infinite logits.",
                remedy="Lower `finetune.learning_rate` or set `runtime.dtype: float32`, then make the folder again with `dvc repro`.",
            )


@contextmanager
def loaded(name: str, folder: Path, runtime: RuntimeParams) -> Iterator[Variant]:
    """The variant in `folder` while the block runs; its memory is free afterwards."""
    import gc

    variant = load_variant(name, folder, runtime)
    try:
        yield variant
    finally:
        variant.model = None
        gc.collect()


def load_variant(name: str, folder: Path, runtime: RuntimeParams) -> Variant:
    """Model and tokenizer of a plain folder: no network, no code of its own, no pickled weights."""
    check_folder(name, folder)
    set_threads(runtime.threads)
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quiet_libraries()
    device = choose_device(runtime.device)
    safe = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=choose_dtype(runtime.dtype, device),
            device_map={"": device},
            use_safetensors=True,
            output_loading_info=True,
            **safe,
        )
    except Exception as error:  # safetensors, json, tokenizers and torch raise types of their own for damaged files
        raise InputError(f"{folder}: the model `{name}` cannot be loaded: {_first_line(error)}", remedy=REPAIR) from error
    absent = sorted(str(key) for kind in ("missing_keys", "mismatched_keys") for key in report.get(kind, ()))
    if absent:
        raise InputError(f"{folder}: the model `{name}` lacks the weights {', '.join(absent[:3])} ...", remedy=REPAIR)
    return Variant(name, folder, model.eval(), tokenizer)


def check_folder(name: str, folder: Path) -> list[Path]:
    """The files of a model folder, sorted. Raises InputError if it is missing or has no config or weights."""
    config = folder / "config.json"
    if not config.is_file():
        raise InputError(f"{config} does not exist: there is no model `{name}`.", remedy="Run `dvc repro`, which makes it.")
    try:
        json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{config} is not valid JSON: {_first_line(error)}", remedy=REPAIR) from error
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not any(path.suffix == ".safetensors" and path.stat().st_size for path in files):
        raise InputError(f"{folder} has no weights: there is no model `{name}`.", allowed="*.safetensors", remedy=REPAIR)
    return files


def reset_peak_memory() -> None:
    """Forget the process's peak, where the kernel lets it (Linux), and the GPU's."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    try:
        _PEAK_RESET.write_text("5", encoding="ascii")
    except OSError:
        return


def peak_memory_mb(device: "torch.device") -> float:
    """Peak since the reset in MB: of the GPU if the model is there, else of the whole process."""
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else 'no message'}"
