"""Quantise the merged model once to int8 and once to NF4; reload each in a fresh process."""

from pathlib import Path

from stages.hardware import choose_device, choose_dtype, set_threads
from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    from stages.quantize.params import QuantizeParams
    from stages.quantize.run import quantize
    from stages.runtime import RuntimeParams

    params, runtime = stage.section("quantize", QuantizeParams), stage.section("runtime", RuntimeParams)
    set_threads(runtime.threads)
    device = choose_device(runtime.device)
    output, dtype = Path("models/quantize"), choose_dtype(runtime.dtype, device)
    results = quantize(Path("models/finetune/merged"), output, params, device=device, dtype=dtype)
    for file in sorted(output.glob("*/*")):
        stage.record(str(file))
    stage.metrics(results.metrics)
    stage.timings(results.timings)
    stage.finish({"models": 1}, {"variants": len(results.metrics) - 2})


if __name__ == "__main__":
    stage_main("quantize", run, __doc__)
