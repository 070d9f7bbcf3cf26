"""Quantise the merged model once to int8 and once to NF4; reload each in a fresh process."""

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.quantize.run`, loaded only when the stage runs."""
    from stages.quantize.run import run_quantize

    run_quantize(stage)


if __name__ == "__main__":
    stage_main("quantize", run, __doc__)
