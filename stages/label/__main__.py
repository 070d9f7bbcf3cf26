"""Let the judge label a sample of rows by the taxonomy, and measure how far it agrees with what is declared."""

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.label.run`, loaded only when the stage runs."""
    from stages.label.run import run_label

    run_label(stage)


if __name__ == "__main__":
    stage_main("label", run, __doc__)
