import shutil
from pathlib import Path

import pytest
import torch

from stages.errors import InputError
from stages.evaluate.generative import generate
from stages.evaluate.likelihood import score_letters, score_texts
from stages.evaluate.variants import Variant, load_variant, peak_memory_mb, reset_peak_memory
from tests.evaluate.conftest import RUNTIME


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


def load(folder: Path) -> Variant:
    return load_variant("int8", folder, RUNTIME)


def test_a_missing_folder_names_the_variant_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="int8[\\s\\S]*dvc repro"):
        load(tmp_path / "absent")


def test_a_folder_without_weights_is_an_error(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="no weights"):
        load(folder)


@pytest.mark.parametrize("keep", [0, 7, 5_000])
def test_truncated_weights_are_an_error(folder: Path, keep: int) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(InputError, match="int8[\\s\\S]*Delete the folder"):
        load(folder)


def test_pickled_weights_are_not_read(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="no weights"):
        load(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_damaged_json_is_an_error(folder: Path, name: str) -> None:
    (folder / name).write_text('{"cut', encoding="utf-8")
    with pytest.raises(InputError, match="int8|config"):
        load(folder)


def test_absent_tensors_are_an_error_and_not_random_weights(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights.pop("model.layers.1.mlp.up_proj.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="lacks the weights model.layers.1.mlp.up_proj.weight"):
        load(folder)


def test_nan_logits_are_an_error_under_every_protocol(folder: Path) -> None:
    variant = load(folder)
    with torch.no_grad():
        variant.model.model.norm.weight[0] = float("nan")
    for ask in (
        lambda: score_letters(variant, [[5, 6]], [4], "Final answer:", 1, lambda _: None),
        lambda: score_texts(variant, [[5, 6]], [["a", "b"]], 1, lambda _: None),
        lambda: generate(variant, [[5, 6]], 4, 1, lambda _: None),
    ):
        with pytest.raises(InputError, match="NaN"):
            ask()


def test_peak_memory_is_measured() -> None:
    reset_peak_memory()
    assert peak_memory_mb(torch.device("cpu")) > 50


@pytest.mark.parametrize("name", ["int8", "nf4"])
def test_quantised_folders_load_and_answer(tiny_folder: Path, tmp_path: Path, name: str) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    settings = {"load_in_8bit": True} if name == "int8" else {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
    model = AutoModelForCausalLM.from_pretrained(
        tiny_folder, quantization_config=BitsAndBytesConfig(**settings), device_map="cpu"
    )
    model.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_folder).save_pretrained(tmp_path)
    variant = load_variant(name, tmp_path, RUNTIME)
    assert variant.model.is_quantized
    prompts = [variant.encode("Which option is right?"), variant.encode("A) network segmentation B) auditing")]
    assert len(generate(variant, prompts, 4, 2, lambda _: None).texts) == 2
    assert [len(row) for row in score_letters(variant, prompts, [4, 2], "Final answer:", 2, lambda _: None)] == [4, 2]
    assert [len(row) for row in score_texts(variant, prompts, [["a", "b"], ["c", "d d"]], 2, lambda _: None)] == [2, 2]
