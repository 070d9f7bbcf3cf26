"""Rewrite, judge and check; keep a rewrite only if every check holds."""

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.enrich.run`, loaded only when the stage runs."""
    from stages.enrich.run import run_enrich

    run_enrich(stage)


if __name__ == "__main__":
    stage_main("enrich", run, __doc__)
