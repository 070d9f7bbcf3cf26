"""Score every model variant and the cheap baselines on the benchmarks, with intervals and paired comparisons."""

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.evaluate.run`, loaded only when the stage runs."""
    from stages.evaluate.run import run_evaluate

    run_evaluate(stage)


if __name__ == "__main__":
    stage_main("evaluate", run, __doc__)
