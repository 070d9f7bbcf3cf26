"""The stage `quantize` between its inputs and outputs."""

from pathlib import Path

from stages.hardware import choose_device, choose_dtype, quiet_libraries, set_threads
from stages.quantize.core import quantize
from stages.quantize.params import QuantizeParams
from stages.runtime import RuntimeParams
from stages.stage import Stage

MERGED, OUTPUT = Path("models/finetune/merged"), Path("models/quantize")


def run_quantize(stage: Stage) -> None:
    """Both variants of the merged model, their figures, and the manifest with the hash of every model file."""
    params, runtime = stage.section("quantize", QuantizeParams), stage.section("runtime", RuntimeParams)
    set_threads(runtime.threads)
    quiet_libraries()
    device = choose_device(runtime.device)
    results = quantize(MERGED, OUTPUT, params, device=device, dtype=choose_dtype(runtime.dtype, device))
    for file in sorted(OUTPUT.glob("*/*")):
        stage.record(str(file))
    stage.metrics(results.metrics)
    stage.timings(results.timings)
    stage.finish({"models": 1}, {"variants": len(results.metrics) - 2})
