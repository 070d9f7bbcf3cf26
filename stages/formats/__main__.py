"""Choose the reasoning format of every task; draft one by LLM where the library has none."""

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.formats.run`, loaded only when the stage runs."""
    from stages.formats.run import run_formats

    run_formats(stage)


if __name__ == "__main__":
    stage_main("formats", run, __doc__)
