"""One HTML page for people: what was built, how good it is, and what was thrown away and why."""

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.report.run`, loaded only when the stage runs."""
    from stages.report.run import run_report

    run_report(stage)


if __name__ == "__main__":
    stage_main("report", run, __doc__)
