"""Quantise the merged model with bitsandbytes: LLM.int8 and NF4, each straight from 16 bits."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from stages.errors import InputError
from stages.quantize.params import QuantizeParams

if TYPE_CHECKING:
    from transformers import BitsAndBytesConfig

BITS = {"int8": 8, "nf4": 4}  # of a linear layer's weights; embeddings and norms stay 16-bit


def quantize_model(merged: Path, folder: Path, variant: str, params: QuantizeParams, *, device: str) -> None:
    """Write `variant` (int8 or nf4) of the 16-bit model in `merged` to `folder`, with its tokenizer.

    The model is saved before any forward pass: on some processors bitsandbytes repacks NF4 weights when it
    evaluates. Raises InputError if `merged` is missing or quantised already (a second rounding would be silent).
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    _check_sixteen_bit(merged)
    model = AutoModelForCausalLM.from_pretrained(
        merged,
        dtype=torch.bfloat16,
        device_map={"": device},
        quantization_config=_config(variant, params),
        local_files_only=True,
        trust_remote_code=False,
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(merged, local_files_only=True, trust_remote_code=False).save_pretrained(folder)


def describe(folder: Path, variant: str, weights: int) -> dict[str, float]:
    """Size on disk: bytes of the weight files, and bits for each of the `weights` parameters of the model."""
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return {"bits": BITS.get(variant, 16), "bytes_on_disk": size, "bits_per_parameter": round(8 * size / weights, 3)}


def count_parameters(folder: Path) -> int:
    """Parameters of a 16-bit model, read from the headers of its safetensors files; tied weights count once."""
    from safetensors import safe_open

    total = 0
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="np") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - not a dict
                size = 1
                for length in tensors.get_slice(name).get_shape():
                    size *= length
                total += size
    return total


def _config(variant: str, params: QuantizeParams) -> "BitsAndBytesConfig":
    import torch
    from transformers import BitsAndBytesConfig

    if variant == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold=params.int8_threshold)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=params.nf4_double,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _check_sixteen_bit(merged: Path) -> None:
    file = merged / "config.json"
    if not file.is_file():
        raise InputError(f"{merged} holds no model (no config.json).", remedy="Run `dvc repro finetune`, which makes it.")
    if "quantization_config" in json.loads(file.read_text(encoding="utf-8")):
        raise InputError(
            f"{merged} is quantised already.",
            allowed="a 16-bit model: the adapter is merged into 16-bit weights, then quantised once",
            remedy="Run `dvc repro finetune` with a base model that is not quantised.",
        )
