"""int8 and NF4 for real, on the tiny model and the CPU: quantise, save, reload in a fresh process."""

import json
import shutil
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.quantize.core import Results, quantize
from stages.quantize.params import QuantizeParams
from stages.quantize.schema import SmokeAnswer, SmokeRequest
from stages.quantize.variants import count_parameters, quantize_model
from stages.quantize.verify import SmokeError, check_answer, fixed_prompts, run_smoke
from tests.tiny_model import make_tiny_model

PARAMS = QuantizeParams(new_tokens=6, speed_tokens=32)


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("merged"), dtype="bfloat16")


@pytest.fixture(scope="module")
def quantized(merged: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    output = tmp_path_factory.mktemp("quantize")
    return output, quantize(merged, output, PARAMS, device="cpu", dtype="float32")


def test_both_variants_are_smaller_and_agree_with_16_bit(quantized: tuple[Path, Results]) -> None:
    metrics = quantized[1].metrics
    sizes = [metrics[name]["bytes_on_disk"] for name in ("merged", "int8", "nf4")]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 3
    assert metrics["merged"]["agreement"] == 1.0
    assert metrics["int8"]["agreement"] >= 0.7 and metrics["nf4"]["agreement"] > 0.3
    assert set(quantized[1].timings) == {"merged", "int8", "nf4"}


def test_the_saved_models_load_with_plain_transformers(quantized: tuple[Path, Results]) -> None:
    from transformers import AutoModelForCausalLM

    for variant, flag in (("int8", "load_in_8bit"), ("nf4", "load_in_4bit")):
        folder = quantized[0] / variant
        assert json.loads((folder / "config.json").read_text())["quantization_config"][flag] is True
        model = AutoModelForCausalLM.from_pretrained(folder)
        assert any(type(module).__module__.startswith("bitsandbytes") for module in model.modules())


def test_quantising_twice_gives_the_same_bytes(merged: Path, quantized: tuple[Path, Results], tmp_path: Path) -> None:
    quantize_model(merged, tmp_path / "nf4", "nf4", PARAMS, device="cpu")
    assert (tmp_path / "nf4" / "model.safetensors").read_bytes() == (quantized[0] / "nf4" / "model.safetensors").read_bytes()


def test_a_quantised_model_is_not_quantised_again(quantized: tuple[Path, Results], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="quantised already"):
        quantize_model(quantized[0] / "int8", tmp_path / "nf4", "nf4", PARAMS, device="cpu")


def test_a_damaged_model_fails_its_smoke_test(quantized: tuple[Path, Results], tmp_path: Path) -> None:
    damaged = tmp_path / "int8"
    shutil.copytree(quantized[0] / "int8", damaged)
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    request = SmokeRequest(
        folder=str(damaged), prompts=["Hi"], new_tokens=2, speed_tokens=8, device="cpu", dtype="float32", reference=[]
    )
    with pytest.raises(SmokeError, match=r"int8: the model cannot be reloaded(.|\n)*Remedy"):
        run_smoke(request, timeout=120)


def test_silence_and_infinite_logits_are_errors() -> None:
    def answer(texts: list[str], finite: bool) -> SmokeAnswer:
        return SmokeAnswer(
            texts=texts,
            tokens=[],
            finite=finite,
            agreement=1.0,
            load_seconds=0.0,
            prefill_tokens_per_second=1.0,
            decode_tokens_per_second=1.0,
            peak_rss_mib=1.0,
            peak_vram_mib=0.0,
        )

    assert check_answer("models/x", answer(["ok", ""], finite=True)).texts == ["ok", ""]
    with pytest.raises(SmokeError, match="says nothing on 2 prompts"):
        check_answer("models/x", answer([" ", ""], finite=True))
    with pytest.raises(SmokeError, match="not finite"):
        check_answer("models/x", answer(["ok"], finite=False))


def test_a_missing_model_names_the_stage_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dvc repro finetune"):
        quantize_model(tmp_path, tmp_path / "nf4", "nf4", PARAMS, device="cpu")


def test_parameters_are_counted_from_the_file(merged: Path) -> None:
    assert count_parameters(merged) == 106_816


def test_prompts_are_single_lines() -> None:
    assert len(fixed_prompts()) == len(set(fixed_prompts())) >= 8
