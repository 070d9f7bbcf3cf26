"""Build queries, retrieve, rank and keep evidence for the rows that will be rewritten."""

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.ground.run`, loaded only when the stage runs."""
    from stages.ground.run import run_ground

    run_ground(stage)


if __name__ == "__main__":
    stage_main("ground", run, __doc__)
