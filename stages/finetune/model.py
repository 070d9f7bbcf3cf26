"""The model in its forms: base to train on, with adapters, and merged."""

from pathlib import Path
from typing import TYPE_CHECKING

from stages.errors import InputError
from stages.finetune.params import FinetuneParams

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer of a local model folder. Raises InputError if it is not one."""
    from transformers import AutoTokenizer

    _check_folder(folder)
    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def load_trainable(folder: Path, params: FinetuneParams, *, device: str, dtype: str) -> "PreTrainedModel":
    """The base model on `device`, with LoRA adapters on every linear layer unless `method` is `full`.

    Adapters are float32 even on a bf16 base (peft's default): with bf16 adapters small updates would be rounded away.
    """
    import torch

    model = load_model(folder, device=device, dtype=dtype, four_bit=params.method == "qlora")
    model.config.use_cache = False
    torch.manual_seed(params.seed)
    if params.method == "full":
        return model
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=params.rank, lora_alpha=params.alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)


def load_model(folder: Path, *, device: str, dtype: str, four_bit: bool = False) -> "PreTrainedModel":
    """A causal language model for training; with `four_bit` its linear layers become NF4 with double quantisation."""
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    _check_folder(folder)
    quantization = None
    if four_bit:
        quantization = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(torch, dtype),
        )
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=getattr(torch, dtype),
        device_map={"": device} if four_bit else None,
        quantization_config=quantization,
        local_files_only=True,
        trust_remote_code=False,
    )
    if four_bit:
        return keep_gradients(model)
    return model.to(device)


def keep_gradients(model: "PreTrainedModel") -> "PreTrainedModel":
    """Keep an NF4 model trainable on a CPU with avx512_bf16; call it before the first forward.

    After any evaluation bitsandbytes repacks the weights for its inference kernel there, and every later training
    step has zero gradients, with no more than a warning (seen in bitsandbytes 0.50.2).
    """
    import bitsandbytes as bnb

    for module in model.modules():
        if isinstance(module, bnb.nn.Linear4bit):
            module.support_avx512bf16_for_cpu = False
    return model


def merge(base: Path, adapter: Path) -> "PreTrainedModel":
    """Base plus adapter in bf16, on the CPU. Computed in float32, so that the sum is rounded once.

    Raises InputError if the merge gives a value that is not finite (peft's `safe_merge`).
    """
    import torch
    from peft import PeftModel

    model = PeftModel.from_pretrained(load_model(base, device="cpu", dtype="float32"), adapter)
    try:
        merged = model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise InputError(f"{adapter}: the adapter holds values that are not finite: {error}", remedy=LOWER_RATE) from error
    return merged.to(torch.bfloat16)


LOWER_RATE = "Lower finetune.learning_rate (half of it), or set runtime.dtype to float32."


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} holds no model (no config.json).", remedy="Run `dvc repro base`, which makes it.")
