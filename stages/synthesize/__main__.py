"""Write new question-and-answer pairs over prose documents; keep those that pass three criteria."""

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.synthesize.run`, loaded only when the stage runs."""
    from stages.synthesize.run import run_synthesize

    run_synthesize(stage)


if __name__ == "__main__":
    stage_main("synthesize", run, __doc__)
