"""Quantise, reload and compare: 16-bit first, because it is the reference."""

import time
from pathlib import Path
from typing import Any

import msgspec

from stages.quantize.params import QuantizeParams
from stages.quantize.schema import SmokeAnswer, SmokeRequest
from stages.quantize.variants import BITS, count_parameters, describe, quantize_model
from stages.quantize.verify import fixed_prompts, run_smoke

TIMINGS = ("load_seconds", "prefill_tokens_per_second", "decode_tokens_per_second", "peak_rss_mib", "peak_vram_mib")


class Results(msgspec.Struct, frozen=True):
    """Figures per variant: those that decide, and those of this machine."""

    metrics: dict[str, dict[str, Any]]
    timings: dict[str, dict[str, float]]


def quantize(merged: Path, output: Path, params: QuantizeParams, *, device: str, dtype: str) -> Results:
    """Write `output/int8` and `output/nf4` from the 16-bit model in `merged`, each tried in a fresh process."""
    seconds = {variant: _quantize_one(merged, output, variant, params, device) for variant in BITS}
    weights = count_parameters(merged)
    request = SmokeRequest(
        folder=str(merged),
        prompts=fixed_prompts(),
        new_tokens=params.new_tokens,
        speed_tokens=params.speed_tokens,
        device=device,
        dtype=dtype,
        reference=[],
    )
    answers: dict[str, tuple[Path, SmokeAnswer]] = {"merged": (merged, run_smoke(request, params.timeout))}
    for variant in BITS:
        folder = output / variant
        again = msgspec.structs.replace(request, folder=str(folder), reference=answers["merged"][1].tokens)
        answers[variant] = (folder, run_smoke(again, params.timeout))
    metrics = {
        name: describe(folder, name, weights) | {"agreement": answer.agreement, "reloaded": True}
        for name, (folder, answer) in answers.items()
    }
    timings = {name: {key: getattr(answer, key) for key in TIMINGS} for name, (_, answer) in answers.items()}
    for variant, taken in seconds.items():
        timings[variant]["quantize_seconds"] = taken
    return Results(metrics | {"prompts": {"count": len(request.prompts), "new_tokens": params.new_tokens}}, timings)


def _quantize_one(merged: Path, output: Path, variant: str, params: QuantizeParams, device: str) -> float:
    started = time.perf_counter()
    quantize_model(merged, output / variant, variant, params, device=device)
    return round(time.perf_counter() - started, 2)
